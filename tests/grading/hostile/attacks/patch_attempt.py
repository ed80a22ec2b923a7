# kind: patched worker
# tries: replaces the function by which the worker calls an answer
# holds: the worker is not trusted: its outcome is only a value to compare
# sample

# %%
import sys

from coursekit.grading import run


def attempt(answer, inputs, driver, seconds):
    return run.Outcome(value=inputs, error="", message="passed", changed=False)


for module in list(sys.modules.values()):
    for name in ("attempt", "_call", "make_driver"):
        if hasattr(module, name) and getattr(module, "__name__", "").startswith(
            ("coursekit", "__m")
        ):
            setattr(module, name, attempt)
mean_square = ranks = counts = Account = lambda *inputs: inputs
