# kind: object and structured arrays
# tries: returns arrays of objects equal to everything, and of records
# holds: only arrays of numbers and booleans travel

# %%
import numpy as np


class Equal:
    __eq__ = lambda self, other: True
    __sub__ = __rsub__ = lambda self, other: 0.0
    __hash__ = lambda self: 0


mean_square = lambda x: np.array(Equal(), dtype=object)
ranks = lambda x: np.array([Equal() for _ in x], dtype=object)
counts = lambda words: np.zeros(1, dtype=[("a", "O"), ("b", "f8")])


class Account:
    def pay(self, amount):
        return np.array([Equal()], dtype=object)
