# kind: atexit handlers
# tries: writes a reply and files when the process ends
# holds: a session is killed, not asked to end; a late reply has nobody who reads it

# %%
import atexit
import os
import time


def late():
    for fd in range(3, 64):
        try:
            os.set_blocking(fd, False)
            os.write(fd, b'{"ok": true, "value": 0.0}')
        except OSError:
            pass
    try:
        with open("@CANARY@/@TOKEN@", "w") as file:
            file.write("hostile")
    except OSError:
        pass
    time.sleep(20)


atexit.register(late)
mean_square = ranks = counts = lambda x: 0.0


class Account:
    def pay(self, amount):
        raise SystemExit(0)
