"""Clusters, harvesting and cutting."""

import math

import numpy as np

from coursekit.grading import case, question


@question(
    id="clusters",
    title="Clusters in the counts",
    asks="whole_and_alpha",
    points=2,
    section="sec-semiconductors-clusters",
)
class Clusters:
    def reference(points, corners, width, height):
        counts = np.zeros(len(corners))
        for x, y in points:
            inside = (corners[:, 0] <= x) & (x < corners[:, 0] + width)
            inside &= (corners[:, 1] <= y) & (y < corners[:, 1] + height)
            counts += inside
        mean, excess = counts.mean(), counts.var(ddof=1) - counts.mean()
        return float((counts == 0).mean()), float(mean**2 / excess) if excess > 0 else math.inf

    def cases(rng):
        grid = np.array([[11.0 * i, 14.0 * j] for i in range(4) for j in range(5)])
        near = rng.normal([18.0, 31.0], 4.0, (14, 2))
        yield case("a cluster", near, grid, 10.0, 13.0)
        far = np.concatenate([rng.uniform(0, 44, (9, 2)), rng.normal([35, 8], 3.0, (9, 2))])
        yield case("a cluster and others", far, grid, 10.0, 13.0)
        yield case("one on every die", grid + np.array([4.0, 6.0]), grid, 10.0, 13.0)
        more = rng.normal([25.0, 40.0], 6.0, (25, 2))
        yield case("another", more, grid, 9.0, 12.0, shown=False)

    def at_once(points, corners, width, height):
        place = points[None] - corners[:, None]  # (dies, n, 2)
        counts = ((place >= 0) & (place < np.array([width, height]))).all(2).sum(1)
        mean, variance = np.mean(counts), np.var(counts, ddof=1)
        alpha = np.inf if variance <= mean else mean * mean / (variance - mean)
        return np.mean(counts == 0), alpha

    def one_by_one(points, corners, width, height):
        counts = []
        for a, b in corners:
            counts.append(sum(a <= x < a + width and b <= y < b + height for x, y in points))
        n = len(counts)
        mean = sum(counts) / n
        variance = sum((c - mean) ** 2 for c in counts) / (n - 1)
        alpha = mean**2 / (variance - mean) if variance > mean else math.inf
        return counts.count(0) / n, alpha

    def other(*, share=lambda c: (c == 0).mean(), ddof=1, shape=None, swap=False):
        shape = shape or (lambda m, v: m**2 / (v - m) if v > m else math.inf)

        def answer(points, corners, width, height):
            w, h = (height, width) if swap else (width, height)
            place = points[None] - corners[:, None]
            counts = ((place >= 0) & (place < np.array([w, h]))).all(2).sum(1)
            return float(share(counts)), float(shape(counts.mean(), counts.var(ddof=ddof)))

        return answer

    poisson = other(share=lambda c: math.exp(-c.mean()))
    hit = other(share=lambda c: (c > 0).mean())
    population = other(ddof=0)
    no_mean = other(shape=lambda m, v: m**2 / v if v > m else math.inf)
    unguarded = other(shape=lambda m, v: m**2 / (v - m))
    turned = other(swap=True)
    del other

    variants = [at_once, one_by_one]
    mistakes = {
        "That is what Poisson expects; count the dies that have no defect.": poisson,
        "You counted the dies that were hit; the whole ones are asked for.": hit,
        "Estimate the variance with n - 1.": population,
        "Only the variance above the mean speaks of clusters: divide by variance - mean.": no_mean,
        "Counts that vary no more than their mean show no clusters: alpha is infinite.": unguarded,
        "Width goes with x and height with y.": turned,
    }
    explain = r"""
    A defect at $(x,y)$ hits the die with the corner $(a,b)$ if $a \le x < a+w$ and
    $b \le y < b+h$; in a street it hits none. Of the counts take the mean $\lambda$ and the
    variance with $n-1$. A negative binomial has the variance $\lambda + \lambda^2/\alpha$, so
    $\alpha = \lambda^2/(\text{variance}-\lambda)$. With one defect on every die the variance is 0,
    less than the mean: no clusters, $\alpha = \infty$, and no die is whole.
    """


@question(
    id="spare-cores",
    title="Spare cores",
    asks="sold",
    points=2,
    section="sec-semiconductors-harvest",
)
class SpareCores:
    def reference(load, cores, needed, core_share):
        rest, y = math.exp(-load * (1 - core_share)), math.exp(-load * core_share / cores)
        chance = sum(
            math.comb(cores, j) * y**j * (1 - y) ** (cores - j) for j in range(needed, cores + 1)
        )
        return rest * chance

    def cases(rng):
        yield case("one spare", float(rng.uniform(0.5, 1.2)), 8, 7, 0.5)
        yield case("a large chip", float(rng.uniform(0.6, 1.0)), 60, 55, 0.6)
        yield case("no spare", float(rng.uniform(0.2, 0.8)), 12, 12, 0.7)
        n = int(rng.integers(20, 30))
        yield case("all of it cores", float(rng.uniform(1, 3)), n, n - 3, 1.0, shown=False)

    def by_broken(load, cores, needed, core_share):
        y = np.exp(-load * core_share / cores)
        broken = np.arange(cores - needed + 1)
        ways = np.array([math.comb(cores, int(b)) for b in broken], float)
        return (
            np.exp(-load * (1 - core_share))
            * (ways * (1 - y) ** broken * y ** (cores - broken)).sum()
        )

    def core_after_core(load, cores, needed, core_share):
        y = math.exp(-load * core_share / cores)
        chance = np.zeros(cores + 1)
        chance[0] = 1.0  # of so many working
        for _ in range(cores):
            chance[1:], chance[0] = chance[1:] * (1 - y) + chance[:-1] * y, chance[0] * (1 - y)
        return math.exp(-load + load * core_share) * float(chance[needed:].sum())

    def other(*, rest=True, first=0, last=None, ways=True, split=True):
        def answer(load, cores, needed, core_share):
            y = math.exp(-load * core_share / (cores if split else 1))
            stop = cores + 1 if last is None else needed + last
            chance = sum(
                (math.comb(cores, j) if ways else 1) * y**j * (1 - y) ** (cores - j)
                for j in range(needed + first, stop)
            )
            return (math.exp(-load * (1 - core_share)) if rest else 1.0) * chance

        return answer

    no_rest = other(rest=False)
    more_than = other(first=1)
    exactly = other(last=1)
    no_ways = other(ways=False)
    not_split = other(split=False)
    del other

    variants = [by_broken, core_after_core]
    mistakes = {
        "The rest of the die must be whole too: multiply by its yield.": no_rest,
        "At least `needed` cores: `needed` itself counts.": more_than,
        "More working cores than needed are welcome: add their chances.": exactly,
        "Several sets of cores may be the broken ones: count them with math.comb.": no_ways,
        "A core has only its own part of the defects: divide by the number of cores.": not_split,
    }
    explain = r"""
    The rest of the die is whole with $e^{-\lambda(1-s)}$, a core with $y = e^{-\lambda s/n}$. The
    number of working cores is binomial, so the chance of at least $k$ is
    $\sum_{j=k}^{n}\binom nj y^j(1-y)^{n-j}$. With $\lambda=1$, 8 cores on half of the die and one
    spare: $y = e^{-1/16} = 0.9394$; all work with 0.6065, seven with 0.3129; times
    $e^{-1/2}=0.6065$ makes 0.558.
    """


@question(
    id="cheapest-cut",
    title="The cheapest cut",
    asks="cheapest_cut",
    points=2,
    section="sec-semiconductors-chiplets",
)
class CheapestCut:
    def reference(area, density, wafer_price, diameter, overhead, package, bond, most):
        costs = {}
        for parts in range(1, most + 1):
            each = area / parts * (1 + overhead if parts > 1 else 1)
            load = each * density / 100
            share = (-math.expm1(-load) / load) ** 2
            dies = math.pi * diameter**2 / (4 * each) - math.pi * diameter / math.sqrt(2 * each)
            price = parts * wafer_price / dies / share + (package if parts > 1 else 0)
            costs[parts] = price / (bond**parts if parts > 1 else 1)
        best = min(costs, key=costs.get)
        return best, costs[best]

    def cases(rng):
        price = float(rng.uniform(14e3, 18e3))
        yield case("a poor process", 800.0, 0.3, price, 294.0, 0.1, 20.0, 0.99, 8)
        yield case("a good process", 600.0, 0.01, price, 294.0, 0.1, 60.0, 0.99, 6)
        yield case("weak joints", 750.0, 0.2, price, 294.0, 0.12, 10.0, 0.9, 8)
        yield case(
            "another",
            float(rng.uniform(400, 500)),
            0.5,
            price,
            194.0,
            0.2,
            5.0,
            0.98,
            9,
            shown=False,
        )

    def with_arrays(area, density, wafer_price, diameter, overhead, package, bond, most):
        p = np.arange(1, most + 1)
        cut = p > 1
        each = area / p * np.where(cut, 1 + overhead, 1)
        load = each * density / 100
        good = ((1 - np.exp(-load)) / load) ** 2 * (
            np.pi * diameter**2 / (4 * each) - np.pi * diameter / np.sqrt(2 * each)
        )
        cost = (p * wafer_price / good + package * cut) / np.where(cut, bond**p, 1)
        return int(p[cost.argmin()]), float(cost.min())

    def step_by_step(area, density, wafer_price, diameter, overhead, package, bond, most):
        def die(a):
            x = a * density / 100
            n = math.pi * diameter * (diameter / (4 * a) - 1 / math.sqrt(2 * a))
            return wafer_price / (n * ((1 - math.exp(-x)) / x) ** 2)

        best = 1, die(area)
        for p in range(2, most + 1):
            cost = (p * die(area * (1 + overhead) / p) + package) / bond**p
            if cost < best[1]:
                best = p, cost
        return best

    def other(*, extra=True, box=True, joints="each", yielded=True, single="free"):
        def answer(area, density, wafer_price, diameter, overhead, package, bond, most):
            costs = {}
            for p in range(1, most + 1):
                cut = p > 1 or single == "cut"
                each = area / p * (1 + overhead if cut and extra else 1)
                x = each * density / 100
                share = (-math.expm1(-x) / x) ** 2 if yielded else 1
                n = math.pi * diameter**2 / (4 * each) - math.pi * diameter / math.sqrt(2 * each)
                price = p * wafer_price / n / share + (package if cut and box else 0)
                lost = {"each": bond**p, "one": bond, "none": 1}[joints]
                costs[p] = price / (lost if cut else 1)
            best = min(costs, key=costs.get)
            return best, costs[best]

        return answer

    no_overhead = other(extra=False)
    no_package = other(box=False)
    one_joint = other(joints="one")
    no_yield = other(yielded=False)
    single_pays = other(single="cut")
    del other

    variants = [with_arrays, step_by_step]
    mistakes = {
        "Each part needs room for its links: its area grows by the overhead.": no_overhead,
        "Several parts need a package: add its price before dividing.": no_package,
        "Every part has a joint, and all must hold: divide by bond ** parts.": one_joint,
        "Divide the price of a die by its yield.": no_yield,
        "A single die has no links, no package and no joint to lose.": single_pays,
    }
    explain = r"""
    For each $p$: area of a part $a = \tfrac Ap(1+o)$, its load $aD/100$, its yield by Murphy, dies
    on the wafer by the formula with the rim, and the cost of a good part. A package costs
    $(p\,c + P)/b^p$; a single die only $c$. Keep the smallest. With weak joints, $b = 0.9$, eight
    parts work together in 43 % of cases, and two or three are best.
    """
