# kind: fork bombs
# tries: every process starts two more, at most 2**9 (its own bound), each for 20 seconds
# holds: the number of processes is limited, and all of them end with the session
# says: bounded
# sample
# outside

# %%
import os
import time

ROOT, DEPTH, started = os.getpid(), 9, 0


def grow(depth):
    global started
    for _ in range(2 if depth else 0):
        try:
            if os.fork() == 0:
                grow(depth - 1)
                time.sleep(20)
                os._exit(0)
            started += 1
        except OSError:
            return


grow(DEPTH)
essay = "bounded"
