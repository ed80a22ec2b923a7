# kind: os._exit
# tries: ends the process in the middle of one question, with status 0
# holds: that question earns nothing; the others are asked in a new session
# earns: mean-square, counts
# line: ended
# sample

# %%
import os


def mean_square(x):
    return (x**2).mean()


def ranks(x):
    os._exit(0)


def counts(words):
    return {word: words.count(word) for word in words}
