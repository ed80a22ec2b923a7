# kind: endless loops outside Python's reach
# tries: a computation of hours inside one instruction, which no signal handler interrupts
# holds: the deadline ends the process from outside
# line: (?i)time|never end

# %%
import re


def mean_square(x):
    return re.match(r"(a*)*b", "a" * 200)


ranks = counts = lambda x: pow(7, 10**9)


class Account:
    def pay(self, amount):
        return 0.0
