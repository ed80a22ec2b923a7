# kind: patched builtins
# tries: makes any, all, isinstance, type, len, abs and float answer in its favour
# holds: the builtins of the grader's process are out of reach

# %%
import builtins

builtins.all = builtins.any = builtins.isinstance = builtins.callable = lambda *anything: True
builtins.abs = builtins.len = lambda anything: 0
builtins.float = lambda anything=0: 0.0
mean_square = ranks = counts = lambda x: 0.0


class Account:
    def pay(self, amount):
        return 0.0
