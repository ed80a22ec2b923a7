# kind: colliding keys
# tries: keys that compare equal although they differ (1, 1.0, True), and keys of classes that lie
# holds: keys must be plain, and as many as wanted

# %%
class Key(str):
    __eq__ = lambda self, other: True
    __hash__ = lambda self: 0


mean_square = lambda x: {True: 1, 1.5: 2}
ranks = lambda x: {1: 0}
counts = lambda words: {Key(word): 1 for word in words}


class Account:
    def pay(self, amount):
        return 0.0
