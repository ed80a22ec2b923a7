# kind: slow cells
# tries: sleeps in every cell, just below a limit that counts single cells
# holds: all cells together have one limit
# line: (?i)time

# %%
import time

time.sleep(12)

# %%
time.sleep(12)

# %%
time.sleep(12)
mean_square = lambda x: (x**2).mean()
