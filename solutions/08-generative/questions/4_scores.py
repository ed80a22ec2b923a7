"""Scores: how near two clouds are, what is plausible, what is covered, how many bits."""

import numpy as np
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

from coursekit.grading import case, question
from coursekit.grading.compare import Close


def frechet(ddof=1, mean=None, root=None, factor=2.0):
    """Answers for the Fréchet distance that differ in one place."""

    def answer(X, Y):
        gap = X.mean(0) - Y.mean(0)
        far = gap @ gap if mean is None else mean(gap)
        A, B = (np.atleast_2d(np.cov(Z, rowvar=False, ddof=ddof)) for Z in (X, Y))
        both = np.trace(np.real(sqrtm(A @ B))) if root is None else root(A, B)
        return float(far + np.trace(A) + np.trace(B) - factor * both)

    return answer


@question(
    id="frechet-distance",
    title="Between two clouds",
    asks="frechet_distance",
    points=2,
    section="sec-generative-scores",
)
class FrechetDistance:
    compare = Close(rtol=1e-5, atol=1e-6)  # a matrix's root, of condition some thousand
    reference = frechet()

    def cases(rng):
        for name, m, n, d, shown in (
            ("two features", 6, 7, 2, True),
            ("three features", 9, 9, 3, True),
            ("far away", 8, 8, 2, True),
            ("many", 40, 30, 5, False),
        ):
            turn = rng.normal(size=(d, d))
            shift = 5.0 if name == "far away" else 0.5
            yield case(
                name,
                rng.normal(size=(m, d)),
                rng.normal(size=(n, d)) @ turn + shift,
                shown=shown,
            )

    def by_eigenvalues(X, Y):
        A, B = np.cov(X.T), np.cov(Y.T)
        values = np.linalg.eigvals(A @ B)
        both = np.sqrt(np.maximum(values.real, 0)).sum()
        return float(((X.mean(0) - Y.mean(0)) ** 2).sum() + np.trace(A + B) - 2 * both)

    def symmetric(X, Y):
        A, B = np.cov(X.T), np.cov(Y.T)
        values, vectors = np.linalg.eigh(A)
        half = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
        both = np.sqrt(np.maximum(np.linalg.eigvalsh(half @ B @ half), 0)).sum()
        return float(np.sum((X.mean(0) - Y.mean(0)) ** 2) + np.trace(A) + np.trace(B) - 2 * both)

    not_squared = frechet(mean=lambda gap: np.sqrt(gap @ gap))
    no_mean = frechet(mean=lambda gap: 0.0)
    entry_by_entry = frechet(root=lambda A, B: np.sum(np.sqrt(np.maximum(np.diag(A @ B), 0))))
    root_of_trace = frechet(root=lambda A, B: np.sqrt(np.trace(A @ B)))
    once = frechet(factor=1.0)
    divided_by_all = frechet(ddof=0)

    variants = [by_eigenvalues, symmetric]
    mistakes = {
        "The distance of the means enters squared.": not_squared,
        "The distance of the means is missing.": no_mean,
        "The root is one of a matrix, not of its entries: scipy.linalg.sqrtm.": entry_by_entry,
        "Take the root first and the trace after it.": root_of_trace,
        "The root counts twice.": once,
        "Use the unbiased covariance, which divides by one less than the number of rows.": (
            divided_by_all
        ),
    }
    explain = r"""
    $\lVert\mu_X-\mu_Y\rVert^2+\operatorname{tr}\bigl(A+B-2(AB)^{1/2}\bigr)$ with the clouds' means
    and covariances. The trace of $(AB)^{1/2}$ is the sum of the roots of the eigenvalues of $AB$,
    which are not negative although $AB$ is not symmetric.
    """


def neighbours(rank=None, swap=False, ball=None):
    """Answers for precision and recall that differ in one place."""

    def share(points, cloud, k):
        away = cdist(cloud, cloud)
        radius = np.sort(away, axis=1)[:, k if rank is None else rank(k)]
        radius = radius if ball is None else ball(radius)
        return float(np.mean((cdist(points, cloud) <= radius).any(axis=1)))

    def answer(real, made, k):
        both = share(made, real, k), share(real, made, k)
        return both[::-1] if swap else both

    return answer


@question(
    id="precision-recall",
    title="Plausible, and complete",
    asks="precision_recall",
    points=2,
    section="sec-generative-scores",
)
class PrecisionRecall:
    reference = neighbours()

    def cases(rng):
        real = rng.normal(size=(7, 2))
        yield case("any", rng.normal(size=(30, 2)), 2.2 * rng.normal(size=(36, 2)), 2)
        yield case("one mode missing", np.concatenate([real, real + 9]), 0.3 * real[:5] + 9, 1)
        yield case("too wide", 0.5 * real, 4 * rng.normal(size=(8, 2)), 1)
        yield case("on a line", rng.normal(size=(12, 1)), 1.5 * rng.normal(size=(10, 1)), 3)
        yield case("more", rng.normal(size=(25, 3)), 1.4 * rng.normal(size=(20, 3)), 3, shown=False)

    def point_by_point(real, made, k):
        def share(points, cloud):
            inside = 0
            for p in points:
                for c in cloud:
                    others = np.sort(np.linalg.norm(cloud - c, axis=1))[1:]
                    if np.linalg.norm(p - c) <= others[k - 1]:
                        inside += 1
                        break
            return inside / len(points)

        return share(made, real), share(real, made)

    def by_trees(real, made, k):
        from scipy.spatial import cKDTree

        def share(points, cloud):
            radius = cKDTree(cloud).query(cloud, k=k + 1)[0][:, -1]
            found = cKDTree(points).query_ball_point(cloud, radius)
            return len(set().union(*map(set, found))) / len(points)

        return share(made, real), share(real, made)

    itself_counted = neighbours(rank=lambda k: k - 1)
    one_too_far = neighbours(rank=lambda k: k + 1)
    exchanged = neighbours(swap=True)
    halved = neighbours(ball=lambda r: r / 2)
    one_radius = neighbours(ball=lambda r: np.full_like(r, r.mean()))

    variants = [point_by_point, by_trees]
    mistakes = {
        "A point is no neighbour of its own: leave it out when you look for the k-th.": (
            itself_counted
        ),
        "You went one neighbour too far.": one_too_far,
        "Precision asks about the samples, recall about the data; you exchanged them.": exchanged,
        "The ball reaches to the k-th neighbour, not half the way.": halved,
        "Each point has a radius of its own.": one_radius,
    }
    explain = r"""
    Around each real point lies a ball that reaches to its $k$-th nearest other real point.
    Precision is the share of samples inside of at least one ball. For recall the roles change:
    balls around the samples, and the share of the data inside.
    """


def bits(unit=2.0, grid=True, sign=-1.0, per=True):
    """Answers for bits per dimension that differ in one place."""

    def answer(log_density, width):
        m = log_density.shape[1] if per else 1
        cell = m * np.log(width) if grid else 0.0
        return float(np.mean(sign * (log_density.sum(1) + cell)) / (m * np.log(unit)))

    return answer


@question(
    id="bits-per-dimension",
    title="Bits for a pixel",
    asks="bits_per_dimension",
    points=1,
    section="sec-generative-scores",
)
class BitsPerDimension:
    reference = bits()

    def cases(rng):
        yield case("two pictures", rng.normal(size=(2, 3)), 0.125)
        yield case("one pixel", rng.normal(size=(1, 1)), 0.5)
        yield case("a cell of width one", rng.normal(size=(3, 2)), 1.0)
        yield case("many", 2 * rng.normal(size=(5, 16)), 2 / 17, shown=False)

    def by_pixel(log_density, width):
        return float(np.mean(-(log_density + np.log(width)) / np.log(2)))

    def by_log2(log_density, width):
        surprise = [-np.sum(row) - row.size * np.log(width) for row in log_density]
        return float(np.mean(surprise) / log_density.shape[1] * np.log2(np.e))

    in_nats = bits(unit=np.e)
    no_cell = bits(grid=False)
    upside_down = bits(sign=1.0)
    not_shared = bits(per=False)

    variants = [by_pixel, by_log2]
    mistakes = {
        "This is in nats: divide by log 2.": in_nats,
        "A density is no probability: multiply by the width of a grey level's cell.": no_cell,
        "A likelier picture needs fewer bits: the sign is wrong.": upside_down,
        "Divide by the number of pixels, and give each its cell.": not_shared,
    }
    explain = r"""
    A grey level is a cell of width $w$ for each pixel, so its probability is about density times
    width. Its surprise in bits is $-\log_2$ of that; mean over pixels and pictures:
    $-\tfrac1{m\log2}(\log p(x)+m\log w)$. Without the width two codings of the same grey levels
    would get two scores.
    """
