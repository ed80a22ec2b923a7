# kind: headers that ask for memory
# tries: writes values whose header claims 7 TB of numbers
# holds: the shape must match the numbers that came, before anything is allocated

# %%
from coursekit.grading import wire

header = {"array": [1000, 1000, 1000, 7000], "dtype": "float64", "data": []}
wire._encode_array = lambda array: header
wire.encode.__globals__["_encode_float"] = lambda value: header

import numpy as np

mean_square = lambda x: np.float64(0)
ranks = lambda x: np.zeros(3, dtype=int)
counts = lambda words: 1.0


class Account:
    def pay(self, amount):
        return 1.0
