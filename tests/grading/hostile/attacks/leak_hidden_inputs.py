# kind: leaking hidden inputs
# tries: right answers that print every input, and raise errors made of it once the public ones are over
# holds: nothing that is shown to a student comes from a call on hidden inputs
# earns: mean-square
# sample

# %%
import numpy as np

calls = {"ranks": 0, "counts": 0}


def tell(x):
    text = (
        " ".join(f"{value:.5f}" for value in np.ravel(x)) if not isinstance(x[0], str) else str(x)
    )
    print("LEARNED", text, flush=True)
    return text


def mean_square(x):
    tell(x)
    return np.mean(x**2)


def ranks(x):
    calls["ranks"] += 1
    if calls["ranks"] > 4:
        raise type("E" + tell(x)[:40], (Exception,), {})(tell(x))
    return np.argsort(np.argsort(x))


def counts(words):
    calls["counts"] += 1
    found = {word: words.count(word) for word in words}
    return found if calls["counts"] < 4 else {**found, tell(words)[:60]: 1}
