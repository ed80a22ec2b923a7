# kind: memory bombs spread over processes
# tries: eight processes of 600 MB each, none of which is large alone
# holds: the limit counts the whole session
# line: (?i)memory
# outside

# %%
import mmap
import os
import time

for _ in range(8):
    if os.fork() == 0:
        kept = mmap.mmap(-1, 600 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_POPULATE)
        time.sleep(10)
        os._exit(len(kept) > 0)
time.sleep(10)
mean_square = ranks = counts = lambda x: 0.0
