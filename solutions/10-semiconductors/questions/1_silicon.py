"""Dies on a wafer, their yield, and the density behind a yield."""

import math

import numpy as np

from coursekit.grading import case, question


@question(
    id="die-yield",
    title="How many dies are whole",
    asks="die_yield",
    points=1,
    section="sec-semiconductors-yield",
)
class DieYield:
    def reference(width, height, density):
        load = width * height * density / 100
        return math.exp(-load), (-math.expm1(-load) / load) ** 2

    def cases(rng):
        yield case("a large die", 26.0, float(rng.uniform(28, 33)), 0.1)
        yield case("a small die", 9.0, float(rng.uniform(8, 12)), float(rng.uniform(0.05, 0.3)))
        yield case("a poor process", 12.0, float(rng.uniform(12, 20)), 1.1, shown=False)

    def in_cm(width, height, density):
        defects = (width / 10) * (height / 10) * density
        return np.exp(-defects), ((1 - np.exp(-defects)) / defects) ** 2

    def by_chance(width, height, density):
        no_hit = (1 - 1e-7) ** (width * height * density * 1e5)
        load = -math.log(no_hit)
        return no_hit, ((1 - no_hit) / load) ** 2

    def answer(*, unit=100.0, first=lambda x: math.exp(-x), power=2, tail=math.exp):
        def die_yield(width, height, density):
            load = width * height * density / unit
            return first(load), ((1 - tail(-load)) / load) ** power

        return die_yield

    no_unit = answer(unit=1.0)
    millimetres = answer(unit=10.0)
    not_squared = answer(power=1)
    linear = answer(first=lambda x: 1 - x)
    seeds = answer(first=lambda x: 1 / (1 + x))
    del answer

    variants = [in_cm, by_chance]
    mistakes = {
        "The area is in mm² and the density on a cm²; a cm² has 100 mm².": no_unit,
        "A cm² has 100 mm², not 10.": millimetres,
        "Murphy's fraction is squared.": not_squared,
        "Poisson's series goes on after 1 - load: take the exponential.": linear,
        "That is Seeds' formula; Poisson's is an exponential.": seeds,
    }
    explain = r"""
    The expected defects are $\lambda = AD$ with both in the same unit: width times height in mm²,
    divided by 100. A die of 26 by 30 mm at 0.1 on a cm² has $\lambda = 0.78$. Poisson gives
    $e^{-0.78} = 0.458$, Murphy $((1-e^{-0.78})/0.78)^2 = 0.482$.
    """


@question(
    id="count-dies",
    title="Dies on a grid",
    asks="count_dies",
    points=2,
    section="sec-semiconductors-wafer",
)
class CountDies:
    def reference(width, height, diameter, edge, street, x0, y0):
        radius, found = diameter / 2 - edge, 0
        n = int(diameter / min(width, height)) + 2
        for i in range(-n, n + 1):
            for j in range(-n, n + 1):
                x, y = x0 + i * (width + street), y0 + j * (height + street)
                far = max(abs(x), abs(x + width)) ** 2 + max(abs(y), abs(y + height)) ** 2
                found += far <= radius**2
        return found

    def cases(rng):
        x, y = rng.uniform(-9, 0, 2)
        yield case("a large die", 26.0, 31.3, 300.0, 3.0, 0.1, float(x), float(y))
        yield case("a small wafer", 9.7, 6.1, 150.0, 4.0, 0.3, float(y), float(x))
        yield case("one die fits", 60.0, 80.0, 112.0, 3.0, 0.2, -30.0, -40.0)
        w, h = rng.uniform(11, 19, 2)
        yield case("another", float(w), float(h), 300.0, 2.5, 0.8, -1.0, -2.0, shown=False)

    def by_rows(width, height, diameter, edge, street, x0, y0):
        radius, found = diameter / 2 - edge, 0
        for j in range(-60, 61):
            y = y0 + j * (height + street)
            top = max(abs(y), abs(y + height))
            if top <= radius:
                half = math.sqrt(radius**2 - top**2)
                first = math.ceil((-half - x0) / (width + street) - 1e-9)
                last = math.floor((half - width - x0) / (width + street) + 1e-9)
                found += max(0, last - first + 1)
        return found

    def with_arrays(width, height, diameter, edge, street, x0, y0):
        steps = np.arange(-60, 61)
        x = (x0 + steps * (width + street))[:, None] + np.array([0, width])  # (n, 2)
        y = (y0 + steps * (height + street))[:, None] + np.array([0, height])
        far = (x**2).max(1)[:, None] + (y**2).max(1)
        return int((far <= (diameter / 2 - edge) ** 2).sum())

    def loose(*, edge_counts=True, street_counts=True, corners="all"):
        def count_dies(width, height, diameter, edge, street, x0, y0):
            gap = street if street_counts else 0.0
            radius, found = diameter / 2 - (edge if edge_counts else 0.0), 0
            n = int(diameter / min(width, height)) + 2
            for i in range(-n, n + 1):
                for j in range(-n, n + 1):
                    x, y = x0 + i * (width + gap), y0 + j * (height + gap)
                    spots = {
                        "all": [(x, y), (x + width, y), (x, y + height), (x + width, y + height)],
                        "first": [(x, y)],
                        "middle": [(x + width / 2, y + height / 2)],
                    }[corners]
                    found += all(a * a + b * b <= radius**2 for a, b in spots)
            return found

        return count_dies

    no_edge = loose(edge_counts=False)
    no_street = loose(street_counts=False)
    one_corner = loose(corners="first")
    middles = loose(corners="middle")
    del loose

    def by_area(width, height, diameter, edge, street, x0, y0):
        return int(math.pi * (diameter / 2 - edge) ** 2 // ((width + street) * (height + street)))

    variants = [by_rows, with_arrays]
    mistakes = {
        "No die may lie on the ring at the rim: the radius is diameter / 2 - edge.": no_edge,
        "Dies repeat every width + street, not every width.": no_street,
        "You looked at one corner; all four must be inside.": one_corner,
        "A die whose middle is inside may still stick out: look at its corners.": middles,
        "Area over area counts dies that the rim cuts.": by_area,
    }
    explain = r"""
    Walk over whole numbers $i$ and $j$. The die has its lower left corner at
    $(x_0 + i(w+s),\ y_0 + j(h+s))$. The corner farthest from the middle has the coordinates
    $\max(|x|,|x+w|)$ and $\max(|y|,|y+h|)$; if it is within $R = d/2 - \text{edge}$, all four are.
    On 112 mm with an edge of 3 mm, $R = 53$: a die of 60 by 80 mm in the middle has its corners at
    exactly 50, and fits.
    """


@question(
    id="density-behind",
    title="The density behind a yield",
    asks="density_behind",
    points=1,
    section="sec-semiconductors-yield",
)
class DensityBehind:
    def reference(share, area, alpha):
        return 100 * alpha * (share ** (-1 / alpha) - 1) / area

    def cases(rng):
        yield case("a large die", float(rng.uniform(0.4, 0.7)), 814.0, 3.0)
        yield case("strong clusters", float(rng.uniform(0.2, 0.5)), 105.0, 0.5)
        yield case("nearly even", float(rng.uniform(0.6, 0.9)), 300.0, 40.0)
        yield case("no defect", 1.0, float(rng.uniform(50, 90)), 2.0, shown=False)

    def by_halving(share, area, alpha):
        low, high = 0.0, 1e7
        for _ in range(200):
            middle = (low + high) / 2
            if (1 + area * middle / 100 / alpha) ** -alpha > share:
                low = middle
            else:
                high = middle
        return low if share < 1 else 0.0

    def by_logarithm(share, area, alpha):
        load = alpha * np.expm1(-np.log(share) / alpha)
        return load / (area / 100)

    def turned(*, scale=100.0, solve=lambda y, a: a * (y ** (-1 / a) - 1)):
        return lambda share, area, alpha: scale * solve(share, alpha) / area

    on_mm2 = turned(scale=1.0)
    poisson = turned(solve=lambda y, a: -math.log(y))
    power = turned(solve=lambda y, a: a * (y ** (-a) - 1))
    sign = turned(solve=lambda y, a: a * (1 - y ** (1 / a)))
    no_alpha = turned(solve=lambda y, a: y ** (-1 / a) - 1)
    del turned

    variants = [by_halving, by_logarithm]
    mistakes = {
        "Give the density on a cm²: yours is on a mm².": on_mm2,
        "That solves Poisson's formula; here defects cluster with alpha.": poisson,
        "Undo the power -alpha with the power -1/alpha.": power,
        "Undoing a power of -alpha takes the power -1/alpha: watch the sign.": sign,
        "After subtracting 1, multiply by alpha.": no_alpha,
    }
    explain = r"""
    Solve $Y = (1+AD/\alpha)^{-\alpha}$: $Y^{-1/\alpha} = 1 + AD/\alpha$, so
    $D = \alpha\,(Y^{-1/\alpha}-1)/A$. With $A$ in cm², that is mm² divided by 100, it is on a cm².
    For 60 %, 814 mm² and $\alpha=3$: $0.6^{-1/3} = 1.1856$, times 3 less 1 is 0.557, over 8.14
    makes 0.068.
    """
