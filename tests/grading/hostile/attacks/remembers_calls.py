# kind: answers learned within a session
# tries: keeps the inputs of earlier calls and hopes that they come again
# holds: every repetition draws its own inputs
# says: fresh

# %%
import pickle

seen, repeats = {}, 0
essay = "fresh"


def remember(x):
    global repeats, essay
    key = pickle.dumps(x)
    repeats += key in seen
    seen[key] = True
    if repeats > 12:
        essay = f"REACHED {repeats} inputs that came twice"
    return 0.0


mean_square = ranks = counts = remember


class Account:
    def pay(self, amount):
        return remember(amount)
