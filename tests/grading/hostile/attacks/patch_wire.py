# kind: patched serialiser
# tries: makes the worker's writer say something else than what the answer returned
# holds: whatever the worker writes is a claim, and is compared with the wanted value outside

# %%
from coursekit.grading import wire


class True_:
    def __eq__(self, other):
        return True


def lie(value, depth=0):
    return {"tuple": [True, {"float": "nan"}, {"wanted": True}]}


wire.encode = lie
wire.dumps = lambda value: '{"ok": true, "passed": true, "points": 7, "value": true}'
mean_square = ranks = counts = lambda x: True_()


class Account:
    def pay(self, amount):
        return True_()
