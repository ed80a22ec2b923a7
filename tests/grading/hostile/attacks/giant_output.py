# kind: giant output
# tries: prints 400 MB (its own bound) in cells and in answers
# holds: output is read, counted and thrown away beyond a limit
# line: (?i)output
# sample

# %%
import sys

line = "x" * (1 << 20)
for _ in range(200):
    print(line)


# %%
def mean_square(x):
    for _ in range(200):
        sys.__stdout__.write(line)
    return 0.0
