# kind: giant values
# tries: returns arrays that claim a billion entries, and a list of two million lists
# holds: entries are counted before anything is copied, on both sides

# %%
import numpy as np

mean_square = lambda x: np.broadcast_to(0.0, (10**9,))
ranks = lambda x: np.broadcast_to(np.int64(0), (10**5, 10**5))
counts = lambda words: [[] for _ in range(2_000_000)]


class Account:
    def pay(self, amount):
        return 0.0
