"""Fair to whom, explained by what, paid with how much."""

import math

import numpy as np

from coursekit.grading import case, question


def people(rng, m):
    """Outcomes, decisions and groups; each group has all four combinations."""
    outcome = np.concatenate([[0, 0, 1, 1] * 2, rng.integers(0, 2, m)])
    accepted = np.concatenate([[0, 1] * 4, rng.integers(0, 2, m)])
    group = np.concatenate([[0] * 4, [1] * 4, (rng.random(m) < 0.3).astype(int)])
    flip = (group == 1) & (outcome == 1) & (rng.random(m + 8) < 0.5)
    flip[:8] = False
    return outcome, np.where(flip, 0, accepted), group


@question(
    id="fairness-gaps",
    title="Two gaps between two groups",
    asks="fairness_gaps",
    points=2,
    section="sec-landscape-fairness",
)
class FairnessGaps:
    def reference(outcome, accepted, group):
        def gap(chosen):
            a, b = (accepted[chosen & (group == g)].mean() for g in (0, 1))
            return abs(a - b)

        everyone = np.ones(len(group), dtype=bool)
        return gap(everyone), max(gap(outcome == 1), gap(outcome == 0))

    def cases(rng):
        yield case("forty people", *people(rng, 32))
        outcome, accepted, group = people(rng, 90)
        yield case(
            "the good ones treated alike",
            outcome,
            np.where(outcome == 1, 1, accepted * (1 - group)),
            group,
        )
        yield case(
            "equal shares",
            np.array([1, 1, 0, 0, 1, 0, 0, 0]),
            np.array([1, 1, 0, 0, 0, 1, 1, 0]),
            np.repeat([0, 1], 4),
        )
        yield case(
            "the second group ahead",
            np.array([1, 0, 1, 0, 1, 0, 1, 0]),
            np.array([0, 0, 1, 0, 1, 1, 1, 0]),
            np.repeat([0, 1], 4),
        )
        yield case("more", *people(rng, 200), shown=False)

    def with_loops(outcome, accepted, group):
        def share(g, kinds):
            chosen = [
                a for y, a, h in zip(outcome, accepted, group, strict=True) if h == g and y in kinds
            ]
            return sum(chosen) / len(chosen)

        gaps = [abs(share(0, kinds) - share(1, kinds)) for kinds in ((0, 1), (1,), (0,))]
        return gaps[0], max(gaps[1:])

    def with_counts(outcome, accepted, group):
        table = np.zeros((2, 2, 2))
        np.add.at(table, (group, outcome, accepted), 1)
        rates = table[:, :, 1] / table.sum(axis=2)
        shares = table[:, :, 1].sum(axis=1) / table.sum(axis=(1, 2))
        return abs(shares[0] - shares[1]), np.abs(rates[0] - rates[1]).max()

    def gaps(*, odds=max, absolute=True, wrong_way=False, of_all=False):
        def fairness_gaps(outcome, accepted, group):
            def gap(chosen):
                values = []
                for g in (0, 1):
                    here = group == g
                    if of_all:
                        values.append((accepted * chosen * here).sum() / here.sum())
                    else:
                        values.append(accepted[chosen & here].mean())
                return abs(values[0] - values[1]) if absolute else values[0] - values[1]

            everyone = np.ones(len(group), dtype=bool)
            return gap(everyone), odds((gap(outcome == 1), gap(outcome == 0)))

        return fairness_gaps

    only_good = gaps(odds=lambda pair: pair[0])
    only_bad = gaps(odds=lambda pair: pair[1])
    averaged = gaps(odds=lambda pair: sum(pair) / 2)
    signed = gaps(absolute=False)
    of_the_group = gaps(of_all=True)
    del gaps

    def precision(outcome, accepted, group):
        def gap(value, chosen):
            a, b = (value[chosen & (group == g)].mean() for g in (0, 1))
            return abs(a - b)

        return gap(accepted, group >= 0), max(
            gap(outcome, accepted == 1), gap(outcome, accepted == 0)
        )

    variants = [with_loops, with_counts]
    mistakes = {
        "Equalised odds also asks for equal rates among those with outcome 0.": only_good,
        "Equalised odds also asks for equal rates among those with outcome 1.": only_bad,
        "Take the larger of the two gaps, not their mean.": averaged,
        "A gap has no sign: take the absolute value.": signed,
        "Divide by the group's people with that outcome, not by the whole group.": of_the_group,
        "You fixed the decision and counted outcomes; fix the outcome, count decisions.": precision,
    }
    explain = r"""
    Demographic parity compares the shares accepted, group 0 against group 1. Equalised odds
    compares them twice more: among people whose outcome is 1 (true-positive rates) and among
    those whose outcome is 0 (false-positive rates); the larger gap counts. If group 0 accepts
    3 of 4 and group 1 accepts 1 of 4, the first gap is 0.5, whoever they are.
    """


@question(
    id="forced-rate",
    title="What must then be unequal",
    asks="forced_rate",
    points=1,
    section="sec-landscape-impossible",
)
class ForcedRate:
    def reference(base_rate, precision, hit_rate):
        return base_rate / (1 - base_rate) * (1 - precision) / precision * hit_rate

    def cases(rng):
        yield case("half are good", 0.5, float(rng.uniform(0.6, 0.9)), float(rng.uniform(0.5, 0.9)))
        yield case("few are good", 0.1, 0.7, float(rng.uniform(0.4, 0.9)))
        yield case("no mistake among the accepted", 0.3, 1.0, 0.8)
        yield case("more", float(rng.uniform(0.2, 0.6)), 0.75, 0.6, shown=False)

    def by_counting(base_rate, precision, hit_rate):
        hits = base_rate * hit_rate
        accepted = hits / precision
        return (accepted - hits) / (1 - base_rate)

    def by_odds(base_rate, precision, hit_rate):
        return hit_rate * (1 / precision - 1) / (1 / base_rate - 1)

    def formula(*, odds=True, miss=False, precision_odds=True, turned=False):
        def forced_rate(base_rate, precision, hit_rate):
            prior = base_rate / (1 - base_rate) if odds else base_rate
            if turned:
                prior = (1 - base_rate) / base_rate
            wrong = (1 - precision) / precision if precision_odds else 1 - precision
            return prior * wrong * (1 - hit_rate if miss else hit_rate)

        return forced_rate

    no_odds = formula(odds=False)
    missed = formula(miss=True)
    no_division = formula(precision_odds=False)
    turned = formula(turned=True)
    del formula

    variants = [by_counting, by_odds]
    mistakes = {
        "Only those with a bad outcome can be wrongly accepted: divide by 1 - base_rate.": no_odds,
        "Multiply by the hit rate, not by the share of misses.": missed,
        "Wrongly accepted over rightly accepted is (1 - precision) / precision.": no_division,
        "The odds are upside down: base_rate / (1 - base_rate).": turned,
    }
    explain = r"""
    Of one person in the group, $p\cdot h$ is rightly accepted ($p$ base rate, $h$ hit rate). The
    accepted are that over the precision $v$, so $ph(1-v)/v$ are wrongly accepted, out of $1-p$ with
    a bad outcome: $\frac{p}{1-p}\frac{1-v}{v}h$. With $p = 0.5$, $v = 0.8$, $h = 0.8$ it is 0.2.
    Two groups with the same $v$ and $h$ and different $p$ cannot have the same rate.
    """


@question(
    id="integrated-gradients",
    title="Gradients along a path",
    asks="integrated_gradients",
    points=2,
    section="sec-landscape-saliency",
)
class IntegratedGradients:
    def reference(x, baseline, W, b, v, steps):
        at = (np.arange(steps) + 0.5) / steps
        points = baseline + at[:, None] * (x - baseline)
        slope = 1 - np.tanh(points @ W.T + b) ** 2
        return (x - baseline) * ((slope * v) @ W).mean(axis=0)

    def cases(rng):
        def network(n, h):
            return rng.normal(size=(h, n)), rng.normal(size=h), rng.normal(size=h)

        yield case("from zero", rng.normal(size=3), np.zeros(3), *network(3, 4), 8)
        yield case("from elsewhere", rng.normal(size=2), rng.normal(size=2), *network(2, 5), 5)
        yield case("one step", 2 * rng.normal(size=4), rng.normal(size=4), *network(4, 3), 1)
        yield case("more", rng.normal(size=5), rng.normal(size=5), *network(5, 6), 20, shown=False)

    def with_a_loop(x, baseline, W, b, v, steps):
        total = np.zeros(len(x))
        for k in range(steps):
            point = baseline + (k + 0.5) / steps * (x - baseline)
            total += W.T @ (v * (1 - np.tanh(W @ point + b) ** 2))
        return (x - baseline) * total / steps

    def by_unit(x, baseline, W, b, v, steps):
        at = np.linspace(0.5 / steps, 1 - 0.5 / steps, steps)
        slopes = [np.cosh(W @ (baseline + a * (x - baseline)) + b) ** -2.0 for a in at]
        return (x - baseline) * (v * np.mean(slopes, axis=0) @ W)

    def path(*, shift=0.5, times="difference", average=True, start=True, slope="tanh"):
        def integrated_gradients(x, baseline, W, b, v, steps):
            at = (np.arange(steps) + shift) / steps
            origin = baseline if start else np.zeros(len(x))
            points = origin + at[:, None] * (x - origin)
            h = np.tanh(points @ W.T + b)
            bend = 1 - h**2 if slope == "tanh" else h
            total = ((bend * v) @ W).sum(axis=0) / (steps if average else 1)
            factor = {"difference": x - baseline, "one": 1.0, "x": x}[times]
            return factor * total

        return integrated_gradients

    left = path(shift=0.0)
    no_factor = path(times="one")
    times_x = path(times="x")
    summed = path(average=False)
    from_zero = path(start=False)
    values = path(slope="values")
    del path

    def at_x(x, baseline, W, b, v, steps):
        return (x - baseline) * (W.T @ (v * (1 - np.tanh(W @ x + b) ** 2)))

    variants = [with_a_loop, by_unit]
    mistakes = {
        "Take the middle of each piece of the path: (k + 0.5) / steps.": left,
        "Multiply the mean gradient by x - baseline.": no_factor,
        "Multiply by x - baseline, not by x.": times_x,
        "Take the mean over the steps, not the sum.": summed,
        "The path starts at the baseline, not at zero.": from_zero,
        "The slope of tanh is 1 - tanh squared.": values,
        "That is the gradient at x alone; walk from the baseline to x.": at_x,
    }
    explain = r"""
    The gradient of $f(x) = v^\top\tanh(Wx+b)$ is $W^\top\bigl(v\odot(1-\tanh^2(Wx+b))\bigr)$. Take
    it at the points $x_0 + \frac{k+1/2}{\text{steps}}(x - x_0)$, average, and multiply by
    $x - x_0$, entry by entry. The entries add up to nearly $f(x)-f(x_0)$, nearer with
    more steps: that is completeness, and a check of your answer.
    """


@question(
    id="carbon-range",
    title="An estimate with its range",
    asks="carbon_range",
    points=1,
    section="sec-landscape-energy",
)
class CarbonRange:
    def reference(chip_hours, watts, overhead, grams_per_kwh):
        def tonnes(side):
            kwh = chip_hours * watts[side] / 1000 * overhead[side]
            return kwh * grams_per_kwh[side] / 1e6

        return tonnes(0), tonnes(1)

    def cases(rng):
        grid = sorted(float(v) for v in rng.uniform(20, 700, 2))
        yield case("a large run", 2.788e6, (350.0, 700.0), (1.1, 1.4), tuple(grid))
        yield case("an evening at home", 3.0, (40.0, 90.0), (1.0, 1.0), (30.0, 480.0))
        hours = float(rng.integers(1000, 9000))
        yield case("more", hours, (200.0, 450.0), (1.05, 1.6), tuple(grid), shown=False)

    def in_joules(chip_hours, watts, overhead, grams_per_kwh):
        seconds = chip_hours * 3600
        return tuple(
            seconds * w * o / 3.6e6 * g / 1e6
            for w, o, g in zip(watts, overhead, grams_per_kwh, strict=True)
        )

    def with_arrays(chip_hours, watts, overhead, grams_per_kwh):
        product = np.prod([watts, overhead, grams_per_kwh], axis=0)
        low, high = chip_hours * product * 1e-9
        return low, high

    def estimate(*, kilo=1000.0, pue=lambda o: o, chosen=(0, 1)):
        def carbon_range(chip_hours, watts, overhead, grams_per_kwh):
            return tuple(
                chip_hours * watts[s] / kilo * pue(overhead[s]) * grams_per_kwh[s] / 1e6
                for s in chosen
            )

        return carbon_range

    watts_not_kilowatts = estimate(kilo=1.0)
    greatest_first = estimate(chosen=(1, 0))
    without_overhead = estimate(pue=lambda o: 1.0)
    divided = estimate(pue=lambda o: 1 / o)
    del estimate

    def middle(chip_hours, watts, overhead, grams_per_kwh):
        value = chip_hours * np.prod([np.mean(v) for v in (watts, overhead, grams_per_kwh)]) * 1e-9
        return value, value

    variants = [in_joules, with_arrays]
    mistakes = {
        "It is a thousand times too large: a kWh is 1000 watts for an hour.": watts_not_kilowatts,
        "The least comes first.": greatest_first,
        "The building draws power too: multiply by the overhead.": without_overhead,
        "The overhead multiplies the chips' energy; you divided.": divided,
        "Give the least and the greatest, not the middle.": middle,
    }
    explain = r"""
    Energy: chip-hours times watts is watt-hours; over 1000, kWh; times the overhead of the
    building. Carbon: kWh times grams a kWh, over a million for tonnes. The least value takes the
    least of each, the greatest the greatest. A thousand hours at 500 W and 1.2 are 600 kWh; at
    400 g a kWh that is 0.24 t.
    """


@question(
    id="doubling-time",
    title="How long until it doubles",
    asks="doubling_time",
    points=1,
    section="sec-landscape-capital",
)
class DoublingTime:
    def reference(years, values):
        slope = np.polyfit(years, np.log(values), 1)[0]
        return math.log(2) / slope

    def cases(rng):
        years = np.arange(2018.0, 2026.0)
        noise = np.exp(0.2 * rng.normal(size=8))
        yield case("a noisy doubling", years, 3.0 * 2 ** ((years - 2018) / 1.7) * noise)
        yield case("two years", np.array([2020.0, 2023.0]), np.array([4.0, 32.0]))
        years = np.array([2012.0, 2014.0, 2015.0, 2019.0, 2024.0])
        noise = np.exp(0.3 * rng.normal(size=5))
        yield case("a fall", years, 900.0 * 0.7 ** (years - 2012) * noise)
        yield case("more", years, 5.0 * 1.4 ** (years - 2012) * noise, shown=False)

    def by_covariance(years, values):
        z = np.log2(values)
        t = years - years.mean()
        return (t @ t) / (t @ (z - z.mean()))

    def by_least_squares(years, values):
        A = np.column_stack([np.ones(len(years)), years - years[0]])
        (_, slope), *_ = np.linalg.lstsq(A, np.log(values), rcond=None)
        return np.log(2) / slope

    def ends_only(years, values):
        return (years[-1] - years[0]) * math.log(2) / math.log(values[-1] / values[0])

    def straight_line(years, values):
        slope = np.polyfit(years, values, 1)[0]
        return np.mean(values) / slope

    def rate(years, values):
        return np.polyfit(years, np.log(values), 1)[0] / math.log(2)

    def other_base(years, values):
        return math.log(2) / np.polyfit(years, np.log10(values), 1)[0]

    def by_place(years, values):
        return math.log(2) / np.polyfit(np.arange(len(years)), np.log(values), 1)[0]

    variants = [by_covariance, by_least_squares]
    mistakes = {
        "The first and the last value alone; fit a line to all logarithms.": ends_only,
        "Growth by a factor is a straight line in the logarithm, not in the value.": straight_line,
        "That is doublings a year; its inverse is the years for one.": rate,
        "Take the same logarithm twice, of 2 and of the values.": other_base,
        "Years need not be one apart: use them, not their places in the list.": by_place,
    }
    explain = r"""
    Fit a straight line to $\ln y$ over the years; its slope is the growth rate $g$, and
    $e^{gT} = 2$ gives $T = \ln 2 / g$. From 4 to 32 in three years are three doublings: one year
    each. What shrinks has a negative doubling time, its half-life with a minus sign.
    """
