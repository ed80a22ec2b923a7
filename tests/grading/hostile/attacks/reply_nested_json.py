# kind: deeply nested replies
# tries: a reply of a million opening brackets, to overflow the parser's stack
# holds: the grader's parser refuses depth, and survives

# %%
import os
import stat
import struct


def nest(x):
    data = b'{"value":' + b"[" * 1_000_000
    for fd in range(3, 64):
        for head in (struct.pack(">I", len(data)), struct.pack("<Q", len(data)), b""):
            try:
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    os.write(fd, head + data + b"\n")
            except OSError:
                pass
    return 0.0


mean_square = ranks = counts = nest


class Account:
    def pay(self, amount):
        return nest(0)
