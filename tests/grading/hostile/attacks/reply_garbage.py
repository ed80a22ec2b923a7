# kind: malformed replies
# tries: garbage, half a frame and then silence, from inside a call
# holds: a malformed reply ends the session with a plain reason

# %%
import os
import stat


def garbage(x):
    for fd in range(3, 64):
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                os.set_blocking(fd, False)
                os.write(fd, b"\xff\x00garbage\n{]" * 3)
        except OSError:
            pass
    return 0.0


mean_square = ranks = counts = garbage


class Account:
    def pay(self, amount):
        return garbage(0)
