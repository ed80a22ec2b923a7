# kind: generators and lazy objects
# tries: returns values that are made when they are looked at, and look at who looks
# holds: nothing of the value's own code runs where the verdict is made

# %%
import sys


def spy(words):
    frame = sys._getframe()
    while frame is not None:
        for name, value in frame.f_locals.items():
            if name in ("wanted", "expected", "reference", "answer_key", "right"):
                yield value
        frame = frame.f_back


class Lazy:
    def __iter__(self):
        return spy(())

    def __getattr__(self, name):
        return lambda *inputs, **more: next(spy(()), 0.0)


mean_square = ranks = counts = lambda x: spy(x)


class Account:
    pay = lambda self, amount: Lazy()
