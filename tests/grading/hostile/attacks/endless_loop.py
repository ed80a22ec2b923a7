# kind: endless loops
# tries: never returns from one question
# holds: that question's time limit; the others keep their points
# earns: ranks, counts
# line: (?i)time|never end
# sample

# %%
import numpy as np


def mean_square(x):
    while True:
        pass


def ranks(x):
    return np.argsort(np.argsort(x))


def counts(words):
    return {word: words.count(word) for word in words}
