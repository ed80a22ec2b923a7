# kind: crashes
# tries: lifts Python's recursion limit and recurses until the stack ends
# holds: a crash is a reason, not a result

# %%
import sys

sys.setrecursionlimit(10**9)


def mean_square(x):
    return mean_square(x) + 1


ranks = counts = mean_square


class Account:
    def pay(self, amount):
        return mean_square(amount)
