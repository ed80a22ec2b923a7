# kind: huge numbers
# tries: integers of a million digits and floats at the edge, to overflow or stall the comparison
# holds: sizes are checked before a number is made or compared

# %%
import sys

sys.set_int_max_str_digits(0)
mean_square = lambda x: 10**1_000_000
ranks = lambda x: [2**4000 for _ in x]
counts = lambda words: {word: -(10**399) for word in words}


class Account:
    def pay(self, amount):
        return 1.7e308
