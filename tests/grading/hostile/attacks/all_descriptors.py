# kind: exhausted descriptors
# tries: opens files until none is left, then answers
# holds: the limit is the session's own
# says: open

# %%
import os

held = []
try:
    while len(held) < 100_000:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
essay = f"{len(held)} open"
mean_square = ranks = counts = lambda x: 0.0
