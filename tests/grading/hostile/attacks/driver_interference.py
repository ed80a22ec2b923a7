# kind: interference with the driver
# tries: replaces what the driver of a class question uses: float, list, the iterator protocol
# holds: a driver runs in the sandbox and is believed as little as the answer

# %%
import builtins


class Account:
    def __new__(cls):
        for name in ("float", "list", "range", "zip", "enumerate", "map"):
            setattr(builtins, name, lambda *anything: 0.0)
        return super().__new__(cls)

    def __getattr__(self, name):
        return lambda *inputs: 0.0
