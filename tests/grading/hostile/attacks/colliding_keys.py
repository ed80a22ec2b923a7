# kind: colliding keys
# tries: a dictionary of 90,000 integers of one hash, which takes minutes to be rebuilt
# holds: the number of keys is limited before the first is looked up
# line: (?i)keys

# %%
KEYS = {"dict": [[{"int": str(n * (2**61 - 1))}, 1] for n in range(1, 90_000)]}


def collide(*inputs):
    from coursekit.grading import wire

    wire.encode = lambda value, depth=0: KEYS
    return {}


mean_square = ranks = counts = collide


class Account:
    def pay(self, amount):
        return 0.0
