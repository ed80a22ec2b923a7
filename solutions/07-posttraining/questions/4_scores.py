"""How good, and how sure."""

from collections import Counter
from fractions import Fraction
from math import comb

import numpy as np

from coursekit.grading import case, question


@question(
    id="pass-at-k",
    title="One of k is right",
    asks="pass_at_k",
    points=2,
    section="sec-posttraining-evaluation",
)
class PassAtK:
    def reference(n, correct, k):
        return 1 - comb(n - correct, k) / comb(n, k)

    def cases(rng):
        yield case("two looks at four", 4, 1, 2)
        yield case("three looks at ten", 10, 2, 3)
        yield case("as many looks as answers", 6, 2, 6)
        yield case("too few wrong ones to miss", 5, 4, 3)
        yield case("nothing right", 7, 0, 3)
        yield case("one look", 8, 3, 1)
        for name in ("any numbers", "more"):
            n = int(rng.integers(10, 60))
            yield case(name, n, int(rng.integers(1, n)), int(rng.integers(1, 10)), shown=False)

    def as_a_product(n, correct, k):
        missed = 1.0
        for i in range(k):
            missed *= max(0, n - correct - i) / (n - i)
        return 1 - missed

    def in_fractions(n, correct, k):
        missed = Fraction(1)
        for i in range(n - correct + 1, n + 1):
            missed *= Fraction(max(0, i - k), i)
        return float(1 - missed)

    def with_putting_back(n, correct, k):
        return 1 - (1 - correct / n) ** k

    def share(n, correct, k):
        return correct / n

    def all_right(n, correct, k):
        return comb(correct, k) / comb(n, k)

    def all_wrong(n, correct, k):
        return comb(n - correct, k) / comb(n, k)

    def in_proportion(n, correct, k):
        return min(1.0, k * correct / n)

    variants = [as_a_product, in_fractions]
    mistakes = {
        "The k answers are drawn without putting back; yours is too low.": with_putting_back,
        "That is the share of right answers, right for k = 1 only.": share,
        "That is the chance that all k are right; one is enough.": all_right,
        "That is the chance that none is right; take it from one.": all_wrong,
        "Chances of several tries do not add up: count the ways to miss.": in_proportion,
    }
    explain = r"""
    Of the $\binom nk$ ways to choose k of the n answers, $\binom{n-c}k$ miss every right one:
    $1-\binom{n-c}k/\binom nk$. Where there are fewer than k wrong answers, `comb` is 0 and the
    result is 1. Replacing the share by c/n in $1-(1-p)^k$ is biased: the curve is bent, and the
    mean of a bent function is not the function of the mean.
    """


def voted(answers):
    votes = [a for a in answers if a]
    return max(votes, key=votes.count) if votes else ""


@question(
    id="vote",
    title="Let the answers vote",
    asks="vote",
    points=1,
    section="sec-posttraining-voting",
)
class Vote:
    def reference(answers):
        return voted(answers)

    def cases(rng):
        yield case("a majority", ["7", "9", "7"])
        yield case("a tie: the first drawn wins", ["7", "9", "7", "9"])
        yield case("one vote each", ["2", "3", "1"])
        yield case("those without an answer do not vote", ["", "", "", "4", "5", "4"])
        yield case("nobody answers", ["", ""])
        yield case("one late favourite", ["1", "2", "3", "3"])
        for name in ("many", "more"):
            drawn = rng.choice(["", "10", "9", "8"], size=15).tolist()
            yield case(name, drawn, shown=False)

    def counted_first(answers):
        ranks = Counter(a for a in answers if a != "").most_common()
        return ranks[0][0] if ranks else ""

    def by_hand(answers):
        best, most = "", 0
        for a in answers:
            n = sum(b == a for b in answers)
            if a and n > most:
                best, most = a, n
        return best

    def silence_votes(answers):
        return max(answers, key=answers.count)

    def last_of_a_tie(answers):
        return voted(answers[::-1])

    def by_the_alphabet(answers):
        votes = [a for a in answers if a]
        return max(votes, key=lambda a: (votes.count(a), a)) if votes else ""

    def first_answer(answers):
        return next((a for a in answers if a), "")

    variants = [counted_first, by_hand]
    mistakes = {
        "An empty text is no answer and has no vote.": silence_votes,
        "Of equally common answers the one drawn first wins.": last_of_a_tie,
        "A tie is decided by who was drawn first, not by the alphabet.": by_the_alphabet,
        "That is the first answer; the commonest wins.": first_answer,
    }
    explain = r"""
    Drop the empty texts; if nothing is left, the result is empty. `max(votes, key=votes.count)`
    returns the first of equally common answers, since `max` keeps what it met first.
    """


def binned(confidence, correct, bins):
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    for b in range(bins):
        own = number == b
        if own.any():
            yield own.mean(), confidence[own].mean(), correct[own].mean()


@question(
    id="calibration-error",
    title="Says it, and is it?",
    asks="calibration_error",
    points=2,
    section="sec-posttraining-calibration",
)
class CalibrationError:
    def reference(confidence, correct, bins):
        return sum(w * abs(c - a) for w, c, a in binned(confidence, correct, bins))

    def cases(rng):
        yield case("sure and wrong", np.array([0.95, 0.99]), np.array([False, False]), 10)
        yield case("sure and right, once at 1", np.array([1.0, 0.9]), np.array([True, True]), 2)
        yield case("too high here, too low there", np.array([0.9, 0.85, 0.3, 0.1, 0.2]),
                   np.array([False, True, True, False, True]), 2)  # fmt: skip
        for name, n, bins, shown in (("several", 12, 4, True), ("many", 200, 10, False)):
            p = rng.uniform(size=n)
            yield case(name, p, rng.uniform(size=n) < p**2, bins, shown=shown)

    def with_bincount(confidence, correct, bins):
        number = np.minimum(np.floor(confidence * bins).astype(int), bins - 1)
        gap = np.bincount(number, weights=confidence - correct, minlength=bins)
        return np.abs(gap).sum() / len(confidence)

    def bin_by_bin(confidence, correct, bins):
        total = 0.0
        for b in range(bins):
            top = np.inf if b == bins - 1 else (b + 1) / bins
            own = (confidence >= b / bins) & (confidence < top)
            total += abs((confidence[own] - correct[own]).sum())
        return total / len(confidence)

    def all_in_one(confidence, correct, bins):
        return abs(confidence.mean() - correct.mean())

    def bins_alike(confidence, correct, bins):
        return np.mean([abs(c - a) for _, c, a in binned(confidence, correct, bins)])

    def with_signs(confidence, correct, bins):
        return sum(w * (c - a) for w, c, a in binned(confidence, correct, bins))

    def the_worst(confidence, correct, bins):
        return max(abs(c - a) for _, c, a in binned(confidence, correct, bins))

    def answer_by_answer(confidence, correct, bins):
        return np.abs(confidence - correct).mean()

    variants = [with_bincount, bin_by_bin]
    mistakes = {
        "Over all answers too sure and too unsure cancel; compare bin by bin.": all_in_one,
        "A bin weighs as much as the share of the answers in it.": bins_alike,
        "Take the size of each bin's gap: signs would cancel.": with_signs,
        "That is the worst bin; the error is the weighted mean over bins.": the_worst,
        "A single answer is right or wrong: only a bin's mean can be compared.": answer_by_answer,
    }
    explain = r"""
    Bin b holds confidences from b/bins up to (b + 1)/bins, the last one 1 as well. In each bin
    compare the mean confidence with the share of right answers, weigh by the share of answers in
    the bin, and add up. Equivalently: add `confidence - correct` in each bin, take absolute values,
    add, and divide by the number of answers.
    """
