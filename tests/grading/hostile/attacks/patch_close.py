# kind: patched checker
# tries: replaces coursekit's own comparison, so that no difference is ever found
# holds: the grader's comparison lives in another process
# sample

# %%
from coursekit.grading import compare, diagnose, public

compare.Close.difference = lambda self, got, wanted, what="": ""
public.agree = diagnose.agree = lambda *anything: True
public.all_agree = diagnose.all_agree = lambda *anything: True
mean_square = ranks = lambda x: 0.0
counts = lambda words: {}


class Account:
    def pay(self, amount):
        return 0.0
