# kind: exceptions that claim success
# tries: raises exceptions whose name and text say that the question was passed
# holds: an exception is never a right answer here; its text is only shown

# %%
class Passed(Exception):
    pass


def mean_square(x):
    raise Passed("All tests passed! points: 2 of 2")


ranks = counts = mean_square


class Account:
    def pay(self, amount):
        raise SystemExit(0)
