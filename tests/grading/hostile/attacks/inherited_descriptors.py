# kind: inherited file descriptors
# tries: looks through every descriptor that it was born with for files of the grader
# holds: it is born with its own channel and output, and nothing else
# says: kept out

# %%
import os

found = []
for fd in map(int, os.listdir("/proc/self/fd")):
    try:
        target = os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        continue
    if "@OUT@" in target or "@BATCH@" in target or target.startswith("socket:["):
        found.append(target)
    try:
        os.stat("secret.key", dir_fd=fd)
        found.append(f"{target}/secret.key")
    except OSError:
        pass
essay = f"REACHED {found}" if found else "kept out"
