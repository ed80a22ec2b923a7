"""The assignment that the hostile submissions hand in: a number, an array, a dict, a class."""

from collections import Counter

import numpy as np

from coursekit.grading import case, question


@question(
    id="mean-square",
    title="The mean square",
    asks="mean_square",
    points=2,
    section="sec-hostile",
)
class MeanSquare:
    def reference(x):
        return np.mean(x**2)

    def cases(rng):
        yield case("five values", rng.normal(size=5))
        yield case("one value", rng.normal(size=1))
        yield case("many values", rng.normal(2.0, 3.0, size=40), shown=False)

    def with_a_loop(x):
        return sum(value * value for value in x) / len(x)

    variants = [with_a_loop, lambda x: x @ x / x.size]
    mistakes = {
        "This is the sum; divide by the number of values.": lambda x: np.sum(x**2),
        "This is the square of the mean; square first.": lambda x: np.mean(x) ** 2,
        "This is the mean; the square is missing.": np.mean,
        "This is the root of the mean square.": lambda x: np.sqrt(np.mean(x**2)),
    }
    explain = "Square every value, add the squares, divide by their number."


@question(id="ranks", title="Ranks", asks="ranks", points=2, section="sec-hostile")
class Ranks:
    def reference(x):
        return np.argsort(np.argsort(x))

    def cases(rng):
        yield case("four values", np.append(rng.permutation(3) + rng.random(3), -1.0))
        yield case("twenty values", rng.normal(size=20))
        yield case("fifty values", rng.normal(size=50), shown=False)

    def with_a_loop(x):
        return np.array([sum(other < value for other in x) for value in x])

    def with_search(x):
        return np.searchsorted(np.sort(x), x)

    variants = [with_a_loop, with_search]
    mistakes = {
        "This is the order; the rank of a value is its place in that order.": np.argsort,
        "Ranks count from 0.": lambda x: np.argsort(np.argsort(x)) + 1,
        "The smallest value has rank 0; yours has the highest.": (
            lambda x: np.argsort(np.argsort(-x))
        ),
        "These are the sorted values; the ranks are wanted.": np.sort,
    }
    explain = "The rank of a value is the number of values below it."


@question(id="counts", title="Counting words", asks="counts", points=1, section="sec-hostile")
class Counts:
    def reference(words):
        return dict(Counter(words))

    def cases(rng):
        for name, size, shown in (
            ("twelve words", 12, True),
            ("thirty words", 30, True),
            ("sixty words", 60, False),
        ):
            yield case(name, [f"w{n}" for n in rng.integers(0, 9, size=size)], shown=shown)

    def with_a_loop(words):
        found = {}
        for word in words:
            found[word] = found.get(word, 0) + 1
        return found

    variants = [with_a_loop, lambda words: {word: words.count(word) for word in words}]
    mistakes = {
        "Every word counts as often as it stands there, not once.": lambda words: dict.fromkeys(
            words, 1
        ),
        "These are the lengths of the words.": lambda words: {word: len(word) for word in words},
        "These are shares; counts are wanted.": (
            lambda words: {word: words.count(word) / len(words) for word in words}
        ),
        "The number of different words is not asked for.": lambda words: len(set(words)),
    }
    explain = "Go through the words and add one to the count of each."


class Right:
    """An account that refuses what its balance does not cover."""

    def __init__(self):
        self.balance = 0.0

    def pay(self, amount):
        if self.balance + amount >= 0:
            self.balance += amount
        return self.balance


class Clever:
    balance = 0.0

    def pay(self, amount):
        after = self.balance + amount
        self.balance = after if after >= 0 else self.balance
        return self.balance


@question(id="account", title="An account", asks="Account", points=2, section="sec-hostile")
class AccountQuestion:
    def driver(answer, amounts):
        account = answer()
        return [float(account.pay(amount)) for amount in amounts]

    reference = Right

    def cases(rng):
        for name, size, shown in (
            ("ten payments", 10, True),
            ("five payments", 5, True),
            ("forty payments", 40, False),
        ):
            amounts = rng.normal(scale=5.0, size=size)
            amounts[:3] = np.array([1.0, 1.0, -3.0]) * (1.0 + rng.random())
            yield case(name, amounts.tolist(), shown=shown)

    class Listed:
        def __init__(self):
            self.paid = []

        def pay(self, amount):
            if sum(self.paid) + amount >= 0:
                self.paid.append(amount)
            return sum(self.paid)

    class Overdrawn(Clever):
        def pay(self, amount):
            self.balance += amount
            return self.balance

    class Clipped(Clever):
        def pay(self, amount):
            self.balance = max(0.0, self.balance + amount)
            return self.balance

    class Forgetful:
        def pay(self, amount):
            return max(amount, 0.0)

    class Receipt(Clever):
        def pay(self, amount):
            super().pay(amount)
            return amount

    variants = [Listed, Clever]
    mistakes = {
        "A payment that the balance does not cover must be refused.": Overdrawn,
        "A refused payment leaves the balance as it is, not at 0.": Clipped,
        "The balance must be kept between calls.": Forgetful,
        "Return the balance, not the amount.": Receipt,
    }
    explain = "Keep the balance; refuse what would take it below 0; return it."


@question(
    id="essay",
    title="In your own words",
    asks="essay",
    points=3,
    section="sec-hostile",
    kind="manual",
)
class Essay:
    rubric = [(3, "says something")]
