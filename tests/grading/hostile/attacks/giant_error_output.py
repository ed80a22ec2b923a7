# kind: giant output
# tries: writes 200 MB (its own bound) past Python, to descriptors 1 and 2
# holds: output is read, counted and thrown away beyond a limit
# line: (?i)output

# %%
import os

block = b"\x1b[31m" + b"\xff" * (1 << 20)
for _ in range(100):
    os.write(1, block)
    os.write(2, block)
