# kind: a stopped process
# tries: stops itself with SIGSTOP, so that it neither answers nor ends
# holds: the deadline is outside
# line: time limit
# outside

# %%
import os
import signal


def mean_square(x):
    os.kill(os.getpid(), signal.SIGSTOP)


ranks = counts = lambda x: 0.0
