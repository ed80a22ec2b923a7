# kind: objects that lie about their class
# tries: sets __class__ to float and ndarray, so that isinstance believes it
# holds: type() is asked, never isinstance and never the object

# %%
import numpy as np


class Meta(type):
    __instancecheck__ = __subclasscheck__ = __eq__ = lambda *anything: True
    __hash__ = lambda cls: 0
    __name__ = property(lambda cls: "float")


class Liar(metaclass=Meta):
    __class__ = property(lambda self: float)
    __float__ = lambda self: 0.0
    __eq__ = lambda self, other: True
    __hash__ = lambda self: 0
    shape, ndim, dtype, size = (), 0, np.dtype(float), 1


mean_square = ranks = counts = lambda x: Liar()


class Account:
    def pay(self, amount):
        return Liar()
