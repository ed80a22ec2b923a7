# kind: NaN and infinity
# tries: returns nan and inf, which some comparisons forgive
# holds: nan agrees with nan only, and no wanted value here is one
# sample

# %%
import numpy as np

mean_square = lambda x: np.float64("nan")
ranks = lambda x: np.full(len(x), np.nan)
counts = lambda words: {word: float("nan") for word in words}


class Account:
    def pay(self, amount):
        return float("inf")
