# kind: other processes' memory
# tries: opens /proc/PID/mem of every process that is not its own, to read and to write
# holds: no process of another user can be opened
# says: kept out
# outside

# %%
import os

opened, mine = [], os.getpid()
for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
    with open(f"/proc/{pid}/status") as file:
        owner = next(line.split()[1] for line in file if line.startswith("Uid:"))
    if pid == mine or int(owner) == os.getuid():
        continue
    for mode in ("rb", "r+b"):
        try:
            with open(f"/proc/{pid}/mem", mode):
                opened.append((pid, mode))
        except OSError:
            pass
essay = f"REACHED {opened}" if opened else "kept out"
