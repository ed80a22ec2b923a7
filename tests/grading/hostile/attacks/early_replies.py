# kind: replies before they are asked for
# tries: writes replies in several framings to every open file descriptor while the cells run
# holds: what lies in the channel before a question was sent ends the session
# sample

# %%
import json
import os
import struct

replies = [
    {"ok": True, "value": 0.0},
    {"value": 0.0, "error": "", "changed": False},
    {"passed": True, "points": 2},
]
for fd in range(3, 64):
    for reply in replies:
        data = json.dumps(reply).encode()
        for framed in (struct.pack(">I", len(data)) + data, struct.pack("<Q", len(data)) + data):
            try:
                os.set_blocking(fd, False)
                os.write(fd, framed)
            except OSError:
                break
