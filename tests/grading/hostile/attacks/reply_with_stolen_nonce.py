# kind: stolen request
# tries: finds the request that is being answered in the worker's memory, and answers in its place
# holds: who answers does not matter, only the value does, and it is compared outside

# %%
import gc
import json
import os
import struct
import sys


def answer_instead(*inputs):
    frame, seen = sys._getframe(), []
    while frame is not None:
        seen += [v for v in frame.f_locals.values() if type(v) is dict and len(v) < 20]
        frame = frame.f_back
    seen += [o for o in gc.get_objects() if type(o) is dict and "nonce" in o]
    for request in seen:
        copies = {k: v for k, v in request.items() if type(k) is str and type(v) in (str, int)}
        data = json.dumps({**copies, "value": True, "error": "", "passed": True}).encode()
        for fd in range(3, 64):
            try:
                os.set_blocking(fd, False)
                os.write(fd, struct.pack(">I", len(data)) + data)
            except OSError:
                pass
    return True


mean_square = ranks = counts = answer_instead


class Account:
    def pay(self, amount):
        return answer_instead()
