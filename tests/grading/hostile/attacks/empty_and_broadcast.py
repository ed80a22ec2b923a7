# kind: shapes that compare as true
# tries: empty arrays (nothing differs in nothing) and shapes that broadcast against the wanted one
# holds: shapes must be equal before entries are compared
# sample

# %%
import numpy as np

mean_square = lambda x: np.empty(0)
ranks = lambda x: np.empty((0, len(x)), dtype=int)
counts = lambda words: {}


class Account:
    def pay(self, amount):
        return np.broadcast_to(0.0, ())
