# kind: deeply nested values
# tries: returns a list nested a hundred thousand deep, to crash whoever walks it
# holds: depth is capped; a crash would end the submission's process only

# %%
def deep(x):
    inner = []
    for _ in range(100_000):
        inner = [inner]
    return inner


mean_square = ranks = counts = deep


class Account:
    def pay(self, amount):
        return 0.0
