# kind: pickles
# tries: returns and writes pickles that would run a command where they are loaded
# holds: nothing is ever unpickled

# %%
import os
import pickle
import stat


class Bomb:
    def __reduce__(self):
        return (os.system, ("touch @CANARY@/unpickled",))


def send(x):
    data = pickle.dumps(Bomb())
    for name in (".OTTER_LOG", "answer.pkl", "/tmp/cells.pkl"):
        try:
            with open(name, "wb") as file:
                file.write(data)
        except OSError:
            pass
    return Bomb()


mean_square = send
ranks = lambda x: pickle.dumps(Bomb())
counts = lambda words: {"pickle": pickle.dumps(Bomb()).decode("latin-1")}


class Account:
    def pay(self, amount):
        return Bomb()
