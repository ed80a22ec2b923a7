# kind: thread bombs
# tries: 5000 threads (its own bound) that sleep
# holds: threads count as processes do
# outside

# %%
import threading
import time

started = 0
try:
    while started < 5000:
        threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
        started += 1
    essay = f"REACHED {started} threads"
except (RuntimeError, MemoryError):
    essay = f"bounded at {started}"
