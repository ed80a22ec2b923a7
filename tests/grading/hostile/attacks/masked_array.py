# kind: masked arrays
# tries: returns arrays whose wrong entries are masked: a comparison of masked entries is true
# holds: a masked array is refused by its type

# %%
import numpy as np

hidden = lambda x: np.ma.masked_all(np.shape(x))
mean_square = lambda x: np.ma.masked
ranks = hidden
counts = hidden


class Account:
    def pay(self, amount):
        return np.ma.masked
