# kind: os._exit
# tries: ends the process in a cell, without any clean-up
# holds: a session that ended is a reason, not a result
# line: ended

# %%
import os

mean_square = lambda x: (x**2).mean()
os._exit(0)
