# kind: code that hurts the compiler
# tries: an expression nested a hundred thousand deep, and source with a NUL
# holds: a cell that cannot be compiled is a cell error; the others run
# earns: counts

# %%
def counts(words):
    return {word: words.count(word) for word in words}


# %%
for deep in ("(" * 100_000 + ")" * 100_000, "-" * 200_000 + "1", "x = 1\0", "[" * 500):
    try:
        eval(compile(deep, "deep", "exec"))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        pass
