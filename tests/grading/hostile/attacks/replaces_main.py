# kind: interference with the worker's modules
# tries: empties sys.modules, replaces __main__ and deletes the builtins
# holds: a worker that cannot go on ends its own session only

# %%
import builtins
import sys
import types

mean_square = ranks = counts = lambda x: 0.0
fake = types.ModuleType("__main__")
fake.mean_square = fake.ranks = fake.counts = lambda x: "passed"
for name in list(sys.modules):
    if name.startswith(("coursekit", "json", "struct", "numpy")):
        del sys.modules[name]
sys.modules["__main__"] = fake
for name in ("open", "len", "bytes", "range", "type"):
    delattr(builtins, name)
