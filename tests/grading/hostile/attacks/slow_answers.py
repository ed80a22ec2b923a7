# kind: slow answers
# tries: right answers that take nearly the whole time of every call, so that a batch crawls
# holds: a submission has one total budget, and earns nothing for what it had no time to show
# line: (?i)total time

# %%
import time

import numpy as np


def mean_square(x):
    time.sleep(2.5)
    return np.mean(x**2)


def ranks(x):
    time.sleep(2.5)
    return np.argsort(np.argsort(x))


def counts(words):
    time.sleep(2.5)
    return {word: words.count(word) for word in words}


class Account:
    def __init__(self):
        time.sleep(2.5)
