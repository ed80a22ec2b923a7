# kind: flooded channel
# tries: writes 200 MB into the channel of the replies
# holds: a reply has a greatest size, beyond which the session ends

# %%
import os
import stat


def flood(x):
    block = b"[" * (1 << 20)
    for fd in range(3, 64):
        try:
            if stat.S_ISREG(os.fstat(fd).st_mode):
                continue
            for _ in range(200):
                os.write(fd, block)
        except OSError:
            pass
    return 0.0


mean_square = ranks = counts = flood


class Account:
    def pay(self, amount):
        return flood(0)
