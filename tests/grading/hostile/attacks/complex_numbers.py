# kind: complex numbers
# tries: returns complex values, whose real part a careless conversion keeps
# holds: the kind of number must agree

# %%
import numpy as np

mean_square = lambda x: np.complex128(complex(np.mean(x**2), 5.0))
ranks = lambda x: np.argsort(np.argsort(x)) + 1j
counts = lambda words: {word: complex(words.count(word), 1) for word in words}


class Account:
    def pay(self, amount):
        return 0.0
