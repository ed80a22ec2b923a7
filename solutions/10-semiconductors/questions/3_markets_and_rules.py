"""Concentration, growth, and a rule that can be run."""

import math

import numpy as np

from coursekit.grading import case, question


@question(
    id="index-bounds",
    title="Bounds of an index",
    asks="index_bounds",
    points=1,
    section="sec-semiconductors-concentration",
)
class IndexBounds:
    def reference(shares):
        low, rest, least = sum(s * s for s in shares), 100 - sum(shares), min(shares)
        full = math.floor(rest / least + 1e-12)
        return float(low), float(low + full * least**2 + (rest - full * least) ** 2)

    def cases(rng):
        top = float(rng.integers(50, 60))
        yield case("a large rest", np.array([top, 12.0, 5.0]))
        yield case("a small rest", np.array([40.0, float(rng.integers(30, 35)), 20.0]))
        yield case("no rest", np.array([57.0, 22.0, 21.0]))
        yield case("another", np.array([30.0, 14.0, float(rng.integers(4, 8))]), shown=False)

    def dealt_out(shares):
        values, rest = list(shares), 100 - float(np.sum(shares))
        low = float(np.square(shares).sum())
        while rest > 1e-9:
            values.append(min(rest, float(np.min(shares))))
            rest -= values[-1]
        return low, sum(v**2 for v in values)

    def by_divmod(shares):
        s = np.asarray(shares, float)
        whole, part = divmod(100 - s.sum(), s.min())
        return float(s @ s), float(s @ s + whole * s.min() ** 2 + part**2)

    def greatest(s, rest):
        full, part = divmod(rest, s.min())
        return full * s.min() ** 2 + part**2

    def other(*, scale=1.0, high=greatest, low=lambda s: float(s @ s)):
        def answer(shares):
            s = np.asarray(shares, float) * scale
            return low(s), low(s) + float(high(s, 100 * scale - s.sum()))

        return answer

    fractions = other(scale=0.01)
    one_firm = other(high=lambda s, rest: rest**2)
    no_rest = other(high=lambda s, rest: 0.0)
    only_full = other(high=lambda s, rest: rest // s.min() * s.min() ** 2)
    of_named = other(low=lambda s: float((100 * s / s.sum()) @ (100 * s / s.sum())))
    del other, greatest

    variants = [dealt_out, by_divmod]
    mistakes = {
        "Square percents, so that a monopoly has 10,000.": fractions,
        "No firm in the rest is larger than the smallest named one: cut it up.": one_firm,
        "What is not named may add something: the bounds differ.": no_rest,
        "After the full ones a smaller firm is left over: add its square.": only_full,
        "Do not scale the named shares up to 100: the rest belongs to others.": of_named,
    }
    explain = r"""
    The low bound is the sum of squares: crumbs add nothing. For the high one put the rest into
    firms as large as possible, that is as the smallest named, and one that takes what is left.
    With 57, 12 and 5 the rest is 26: five firms of 5 and one of 1, so that 3418 becomes
    $3418 + 5\cdot 25 + 1 = 3544$.
    """


@question(
    id="growth-check",
    title="Does the growth rate close?",
    asks="growth_check",
    points=1,
    section="sec-semiconductors-growth",
)
class GrowthCheck:
    def reference(first, last, first_year, last_year, quoted):
        rate = 100 * ((last / first) ** (1 / (last_year - first_year)) - 1)
        return rate, abs(rate - quoted) <= 0.1

    def cases(rng):
        first = float(rng.uniform(50, 70))
        yield case("a good report", first, first * 1.2503**8, 2024, 2032, 25.0)
        yield case("a bad report", first, first * 1.137**8, 2024, 2032, 16.2)
        yield case("a falling market", 90.0, float(rng.uniform(40, 60)), 2019, 2024, -10.0)
        yield case("another", 16.08, 413.11, 2022, 2032, 38.4, shown=False)

    def by_logarithm(first, last, first_year, last_year, quoted):
        years = last_year - first_year
        rate = 100 * math.expm1(math.log(last / first) / years)
        return rate, bool(quoted - 0.1 <= rate <= quoted + 0.1)

    def by_root(first, last, first_year, last_year, quoted):
        rate = (np.power(last / first, 1.0 / (last_year - first_year)) - 1.0) * 100
        return float(rate), not abs(quoted - rate) > 0.1

    def other(*, more=0, rate=None, near=0.1):
        rate = rate or (lambda ratio, years: ratio ** (1 / years) - 1)

        def answer(first, last, first_year, last_year, quoted):
            found = 100 * rate(last / first, last_year - first_year + more)
            return found, abs(found - quoted) <= near

        return answer

    both_ends = other(more=1)
    simple = other(rate=lambda ratio, years: (ratio - 1) / years)
    continuous = other(rate=lambda ratio, years: math.log(ratio) / years)
    total = other(rate=lambda ratio, years: ratio - 1)
    strict = other(near=1e-9)
    del other

    variants = [by_logarithm, by_root]
    mistakes = {
        "Between 2024 and 2032 are eight years of growth, not nine.": both_ends,
        "Growth compounds: take the root of the ratio, not its average.": simple,
        "That rate compounds at every moment; once a year is asked for.": continuous,
        "That is the growth over all years together.": total,
        "A printed rate is rounded: allow 0.1.": strict,
    }
    explain = r"""
    $g = (v_1/v_0)^{1/t}-1$ with $t$ the years between. From 67.89 to 189.34 in eight years:
    the ratio is 2.789, its eighth root 1.1368, so 13.7 % a year. A report that prints 16.2 % does
    not close, since they are more than 0.1 apart.
    """


@question(
    id="run-the-rule",
    title="Run the rule",
    asks="verdict",
    points=3,
    section="sec-semiconductors-export",
)
class RunTheRule:
    def reference(rates, area, datacenter):
        tpp = max(bits * rate for bits, rate in rates)

        def at(density):
            if tpp >= 4800 or (tpp >= 1600 and density >= 5.92):
                return "licence" if datacenter else "notification"
            if tpp >= 2400 and density >= 1.6:
                return "notification"
            return "notification" if tpp >= 1600 and density >= 3.2 else "free"

        if not datacenter and tpp < 4800:
            return "free"
        if area is not None:
            return at(tpp / area)
        found = {at(tpp / 858), at(math.inf)}
        return found.pop() if len(found) == 1 else "undecided"

    def cases(rng):
        yield case("an A100", [[8, 624.0], [16, 312.0], [19, 156.0]], 826.0, True)
        yield case("an H20", [[8, 296.0], [16, 148.0], [32, 44.0]], 814.0, True)
        yield case("a small, dense chip", [[8, 242.0], [16, 121.0]], 294.0, True)
        yield case("between the lines", [[16, 181.0], [32, 60.0]], 1200.0, True)
        yield case("a fast gaming card", [[8, 660.6], [16, 165.2]], 608.0, False)
        yield case("a slower gaming card", [[16, float(rng.integers(150, 250))]], 300.0, False)
        yield case("exactly on the line", [[16, 300.0]], 2000.0, True)
        yield case("a density above the lowest", [[16, 120.0]], float(rng.uniform(400, 550)), True)
        yield case("a fast chip, area unknown", [[16, 459.0], [8, 918.0]], None, True)
        yield case("a middling chip, area unknown", [[16, 123.0]], None, True)
        yield case("a slow chip, area unknown", [[8, 92.0]], None, True)
        tpp = float(rng.uniform(2500, 4500))
        yield case("thin", [[16, tpp / 16]], tpp / 1.4, True, shown=False)

    def strictest_first(rates, area, datacenter):
        tpp = max(b * r for b, r in rates)
        if not datacenter:
            return "notification" if tpp >= 4800 else "free"
        if tpp >= 4800:
            return "licence"
        if tpp < 1600:
            return "free"
        if area is None:
            return "undecided"
        density = tpp / area
        if density >= 5.92:
            return "licence"
        least = 1.6 if tpp >= 2400 else 3.2
        return "notification" if density >= least else "free"

    def by_paragraph(rates, area, datacenter):
        tpp = max(b * r for b, r in rates)
        spans = [(tpp / area,) * 2] if area else [(tpp / 858, tpp / 858), (1e9, 1e9)]
        words = set()
        for density, _ in spans:
            a = tpp >= 4800 or (tpp >= 1600 and density >= 5.92)
            b1 = 2400 <= tpp < 4800 and 1.6 <= density < 5.92
            b2 = tpp >= 1600 and 3.2 <= density < 5.92
            note_2 = not datacenter and tpp < 4800
            strict = "licence" if datacenter else "notification"
            words.add("free" if note_2 else strict if a else "notification" if b1 or b2 else "free")
        return words.pop() if len(words) == 1 else "undecided"

    def other(*, tpp=None, note=True, gt=False, missing="range", thin=1.6, consumer="notification"):
        tpp = tpp or (lambda rates: max(b * r for b, r in rates))

        def answer(rates, area, datacenter):
            t = tpp(rates)
            reaches = (lambda x, line: x > line) if gt else (lambda x, line: x >= line)
            if note and not datacenter and not reaches(t, 4800):
                return "free"
            strict = "licence" if datacenter else consumer
            if reaches(t, 4800):
                return strict
            if t < 1600 and missing != "always":
                return "free"
            if area is None:
                return strict if missing == "zero" else "undecided"
            density = t / area
            if t >= 1600 and reaches(density, 5.92):
                return strict
            if t >= 2400 and density >= thin:
                return "notification"
            return "notification" if t >= 1600 and density >= 3.2 else "free"

        return answer

    rate_only = other(tpp=lambda rates: max(r for _, r in rates))
    summed = other(tpp=lambda rates: sum(b * r for b, r in rates))
    no_note = other(note=False)
    above = other(gt=True)
    as_zero = other(missing="zero")
    always = other(missing="always")
    one_floor = other(thin=3.2)
    all_licence = other(consumer="licence")
    del other

    variants = [strictest_first, by_paragraph]
    mistakes = {
        "TPP multiplies each rate by the bits of its numbers.": rate_only,
        "TPP is the greatest of the products, not their sum.": summed,
        "Note 2: a chip that is not for data centres is free below 4800.": no_note,
        "The lines are 'or more': 4800 itself is caught.": above,
        "An unknown area is not zero: say undecided where it decides.": as_zero,
        "Below 1600 no area could matter: the chip is free, whatever its size.": always,
        "From 2400 on the density of b.1 counts, 1.6.": one_floor,
        "A fast chip that is not for data centres may go after a notice.": all_licence,
    }
    explain = r"""
    First TPP, the greatest product of bits and rate. For the H20 8 times 296 is 2368. Then Note 2.
    Then the paragraphs from strict to mild: 4800 or more alone; 1600 or more with a density of 5.92
    or more; 2400 or more with 1.6; 1600 or more with 3.2. The H20 has a density of 2.91 and meets
    none. With the area unknown, try the largest possible, 858 mm², and the smallest: if both give
    the same word, the area does not decide.
    """
