# kind: endless loops while cells run
# tries: a cell that never ends, after a right answer
# holds: the cells have a time limit of their own, and a reason is given
# earns: counts
# line: (?i)time

# %%
def counts(words):
    return {word: words.count(word) for word in words}


# %%
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
