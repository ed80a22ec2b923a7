# kind: memory bombs
# tries: fills memory, at most 6 GB (its own bound), page by page
# holds: the memory limit ends the session, long before the machine is in need
# line: (?i)memory
# sample
# outside

# %%
import mmap

kept = []
for _ in range(96):
    kept.append(mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_POPULATE))

# %%
mean_square = ranks = counts = lambda x: len(kept)
