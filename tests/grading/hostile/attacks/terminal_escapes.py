# kind: terminal escapes
# tries: control sequences in output, errors and answers, which a terminal would obey
# holds: control characters never reach the teacher's terminal
# says: hidden

# %%
essay = "\x1b[2J\x1b]0;@TOKEN@\x07\x1b[8mhidden\r\x9b31m"
print(essay)


def mean_square(x):
    raise ValueError(essay)


ranks = counts = lambda x: essay
raise type("\x1b[2JError", (Exception,), {})(essay)
