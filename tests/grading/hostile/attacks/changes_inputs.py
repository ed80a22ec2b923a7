# kind: time of check, time of use
# tries: hands its inputs back and goes on changing them from a thread, after they were returned
# holds: a value is what was written when it was sent; the wanted value was computed apart

# %%
import threading
import time

import numpy as np


def forever(array):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        array[:] = np.mean(array) ** 2


def ranks(x):
    threading.Thread(target=forever, args=(x,), daemon=True).start()
    return x


def mean_square(x):
    threading.Thread(target=forever, args=(x,), daemon=True).start()
    return x[:1]


counts = lambda words: words.clear() or {}


class Account:
    def pay(self, amount):
        return 0.0
