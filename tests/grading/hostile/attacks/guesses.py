# kind: guesses
# tries: answers at random, and the same answer never twice
# holds: chance does not earn a question of nine sets of inputs

# %%
import numpy as np

rng = np.random.default_rng()
mean_square = lambda x: float(rng.chisquare(1))
ranks = lambda x: rng.permutation(len(x))
counts = lambda words: {word: int(rng.integers(1, 4)) for word in words}


class Account:
    def pay(self, amount):
        return float(rng.normal())
