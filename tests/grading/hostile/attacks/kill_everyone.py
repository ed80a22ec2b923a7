# kind: signals to everybody
# tries: kill(-1) and killpg, which reach every process that the user may signal
# holds: a user of its own, in a process namespace of its own: it kills itself
# outside

# %%
import os
import signal

# Bounded: never as a person's own user, should the sandbox not have changed it.
alone = os.getuid() >= 100_000 or os.getpid() < 100


def mean_square(x):
    if alone:
        os.kill(-1, signal.SIGKILL)
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


ranks = counts = mean_square


class Account:
    def pay(self, amount):
        return mean_square(amount)
