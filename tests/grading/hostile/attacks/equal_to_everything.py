# kind: objects equal to everything
# tries: returns an object for which every comparison and conversion succeeds
# holds: only plain values travel; anything else is refused by its exact type
# sample

# %%
class Equal:
    def _yes(self, *anything, **more):
        return True

    __eq__ = __le__ = __lt__ = __ge__ = __gt__ = __contains__ = __bool__ = _yes
    __hash__ = lambda self: 0
    __ne__ = lambda self, other: False
    __sub__ = __rsub__ = __abs__ = __add__ = __mul__ = lambda self, *other: self
    __float__ = lambda self: 0.0
    __array__ = lambda self, *a, **k: __import__("numpy").zeros(())
    __array_ufunc__ = __array_function__ = _yes
    __getattr__ = lambda self, name: self
    __call__ = lambda self, *inputs, **more: self
    __iter__ = lambda self: iter([self])
    __len__ = lambda self: 1


mean_square = ranks = counts = Equal()
Account = Equal
