# kind: crashes
# tries: reads address 0, which ends the process with a signal
# holds: that question earns nothing; the others are asked in a new session
# earns: counts
# line: ended

# %%
import ctypes


def mean_square(x):
    return ctypes.string_at(0)


def counts(words):
    return {word: words.count(word) for word in words}
