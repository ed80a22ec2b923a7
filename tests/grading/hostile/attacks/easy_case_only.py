# kind: degenerate answers
# tries: answers only the case of one value, where the mean square is the square
# holds: all cases of a question must be right
# line: (?i)wanted|differ

# %%
mean_square = lambda x: x[0] ** 2
ranks = lambda x: x.astype(int) * 0
counts = lambda words: dict.fromkeys(words, 1)


class Account:
    def pay(self, amount):
        return max(amount, 0.0)
