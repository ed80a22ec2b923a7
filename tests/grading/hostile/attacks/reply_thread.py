# kind: replies from a thread
# tries: a thread keeps writing replies to every pipe while the grader asks
# holds: a reply that was not asked for, or is not as it must be, ends the session

# %%
import json
import os
import stat
import struct
import threading
import time


def forge():
    data = json.dumps({"value": 0.0, "error": "", "changed": False}).encode()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for fd in range(3, 64):
            try:
                if stat.S_ISFIFO(os.fstat(fd).st_mode) or stat.S_ISSOCK(os.fstat(fd).st_mode):
                    os.write(fd, struct.pack(">I", len(data)) + data)
            except OSError:
                pass
        time.sleep(0.01)


threading.Thread(target=forge, daemon=True).start()
mean_square = ranks = counts = lambda x: 0.0


class Account:
    def pay(self, amount):
        return 0.0
