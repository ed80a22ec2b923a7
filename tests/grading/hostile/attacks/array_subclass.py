# kind: array subclasses that lie
# tries: returns an array whose class answers True to every comparison
# holds: an array must be exactly NumPy's; a class derived from it is refused

# %%
import numpy as np


class Liar(np.ndarray):
    def __array_ufunc__(self, function, method, *inputs, **options):
        return np.True_

    def __array_function__(self, function, types, inputs, options):
        return np.True_

    def __eq__(self, other):
        return np.True_


mean_square = lambda x: np.zeros(()).view(Liar)
ranks = lambda x: np.zeros(x.shape, dtype=int).view(Liar)
counts = lambda words: np.zeros(1).view(Liar)


class Account:
    def pay(self, amount):
        return np.zeros(()).view(Liar)
