# kind: numbers that lie
# tries: returns subclasses of float, int, str and dict whose comparisons always agree
# holds: the exact type is asked for, before any method of the value runs

# %%
class Liar(float):
    __eq__ = __le__ = __ge__ = __lt__ = lambda self, other: True
    __sub__ = __rsub__ = lambda self, other: 0.0
    __hash__ = lambda self: 0


class LiarInt(int):
    __eq__ = __le__ = __ge__ = lambda self, other: True
    __hash__ = lambda self: 0


class Words(dict):
    items = keys = values = __iter__ = lambda self: iter(())
    __eq__ = __contains__ = lambda self, other: True
    __getitem__ = lambda self, key: Liar(0)


mean_square = lambda x: Liar(0)
ranks = lambda x: [LiarInt(0) for _ in x]
counts = lambda words: Words()


class Account:
    def pay(self, amount):
        return Liar(0)
