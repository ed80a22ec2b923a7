# kind: background threads
# tries: threads that go on when the answer has returned, and count as not finished
# holds: they end with the session

# %%
import threading
import time


def linger():
    until = time.monotonic() + 40
    while time.monotonic() < until:
        sum(range(1000))


for _ in range(3):
    threading.Thread(target=linger).start()
mean_square = ranks = counts = lambda x: 0.0


class Account:
    def pay(self, amount):
        return 0.0
