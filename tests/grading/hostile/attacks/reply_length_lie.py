# kind: frames that lie about their length
# tries: announces a reply of 2**31 and of 2**63 bytes, to make the grader allocate or wait
# holds: a length is checked before it is believed, and a wait has a deadline

# %%
import os
import stat
import struct


def announce(x):
    for fd in range(3, 64):
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                os.set_blocking(fd, False)
                os.write(fd, struct.pack(">Q", 2**63 - 1) + struct.pack("<I", 2**31 - 1))
        except OSError:
            pass
    os._exit(0)


mean_square = ranks = counts = announce


class Account:
    def pay(self, amount):
        return announce(0)
