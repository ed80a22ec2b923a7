# kind: filling the disk with small files
# tries: 200,000 empty files (its own bound)
# holds: the scratch file system is private, and dies with the session
# says: files
# outside

# %%
import os
import time

made, until = 0, time.monotonic() + 4
try:
    while made < 200_000 and time.monotonic() < until:
        os.close(os.open(f"/tmp/@TOKEN@{made}", os.O_CREAT | os.O_WRONLY))
        made += 1
except OSError:
    pass
essay = f"{made} files"
