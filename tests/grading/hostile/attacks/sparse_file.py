# kind: huge files
# tries: a file of a terabyte with nothing in it, and one of 600 MB (its own bound) in every place
# holds: files have a greatest size
# says: kept out
# outside

# %%
import os
import signal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
made = []
for place in ("/tmp", "/dev/shm", "/var/tmp", os.getcwd(), "@CANARY@", os.path.expanduser("~")):
    for size in (1 << 40, 600 << 20):
        try:
            with open(f"{place}/@TOKEN@", "wb") as file:
                os.truncate(file.fileno(), size)
            made.append((place, size))
            os.unlink(f"{place}/@TOKEN@")
        except OSError:
            pass
essay = f"REACHED {made}" if made else "kept out"
