"""The questions of chapter 01: references, inputs, and the mistakes that people make."""

import math

import numpy as np

from coursekit import basics
from coursekit.grading import case, question


@question(
    id="gaussian-mle",
    title="The most likely Gaussian",
    asks="gaussian_mle",
    points=1,
    section="sec-basics-likelihood",
)
class GaussianMle:
    def reference(x):
        return tuple(basics.gaussian_mle(x))

    def cases(rng):
        yield case("four values", rng.normal(3.0, 2.0, size=4))
        yield case("many values", rng.normal(-1.0, 0.5, size=int(rng.integers(30, 60))))
        yield case("three integers", rng.integers(1, 50, size=3) + np.array([0, 60, 140]))
        yield case("far from zero", rng.normal(5000.0, 3.0, size=8), shown=False)

    def with_sums(x):
        mean = sum(x) / len(x)
        return mean, sum((value - mean) ** 2 for value in x) / len(x)

    variants = [lambda x: (np.mean(x), np.var(x)), with_sums]
    mistakes = {
        "You divided by m - 1, which removes the bias; the likelihood is largest with m.": (
            lambda x: (x.mean(), x.var(ddof=1))
        ),
        "You returned the standard deviation; the variance is its square.": (
            lambda x: (x.mean(), x.std())
        ),
        "The variance is measured around the mean; you averaged the squares themselves.": (
            lambda x: (x.mean(), (x**2).mean())
        ),
        "The median maximises a Laplace likelihood; for a Gaussian it is the mean.": (
            lambda x: (np.median(x), x.var())
        ),
        "You summed the squared deviations; the estimate is their mean.": (
            lambda x: (x.mean(), ((x - x.mean()) ** 2).sum())
        ),
    }
    explain = r"""
    Write the log-likelihood of $m$ values as
    $-\frac m2\log(2\pi v)-\frac1{2v}\sum_i(x^{(i)}-\mu)^2$. Its derivative in $\mu$ vanishes where
    $\sum_i(x^{(i)}-\mu)=0$: at the mean. Its derivative in $v$,
    $-\frac m{2v}+\frac1{2v^2}\sum_i(x^{(i)}-\mu)^2$, vanishes at the mean squared deviation, with
    $m$ below. For the values 1, 2, 6 the mean is 3 and the squared deviations 4, 1, 9 average to
    $14/3$. That estimate is too small by the factor $(m-1)/m$ on average, because $\mu$ was fitted
    to the same values.
    """


@question(
    id="gaussian-log-likelihood",
    title="A Gaussian log-likelihood with every constant",
    asks="gaussian_log_likelihood",
    points=2,
    section="sec-basics-gaussian",
)
class GaussianLogLikelihood:
    def reference(Y, predictions, alpha):
        return basics.gaussian_log_likelihood(Y, predictions, alpha)

    def cases(rng):
        for name, m, q, shown in (
            ("two outputs", 5, 2, True),
            ("one example", 1, 3, True),
            ("many examples", 40, 1, True),
            ("three outputs", 12, 3, False),
        ):
            Y = rng.normal(size=(m, q))
            predictions = Y + rng.normal(scale=0.5, size=(m, q))
            yield case(name, Y, predictions, float(rng.uniform(0.2, 0.7)), shown=shown)

    def with_a_loop(Y, predictions, alpha):
        total = 0.0
        for y, g in zip(Y.ravel(), predictions.ravel(), strict=True):
            total += -((y - g) ** 2) / (2 * alpha) - math.log(2 * math.pi * alpha) / 2
        return total

    def with_log_determinant(Y, predictions, alpha):
        m, q = Y.shape
        _, log_det = np.linalg.slogdet(2 * np.pi * alpha * np.eye(q))
        return -0.5 * np.sum((Y - predictions) ** 2) / alpha - 0.5 * m * log_det

    variants = [with_a_loop, with_log_determinant]
    mistakes = {
        "The constant is missing: subtract (m q / 2) log(2 pi alpha).": (
            lambda Y, g, alpha: -np.sum((Y - g) ** 2) / (2 * alpha)
        ),
        "There is one constant for each of the m q numbers, and you counted only the m examples.": (
            lambda Y, g, alpha: (
                -np.sum((Y - g) ** 2) / (2 * alpha) - len(Y) / 2 * np.log(2 * np.pi * alpha)
            )
        ),
        "The variance stands inside the logarithm too: log(2 pi alpha), not log(2 pi).": (
            lambda Y, g, alpha: -np.sum((Y - g) ** 2) / (2 * alpha) - Y.size / 2 * np.log(2 * np.pi)
        ),
        "Here alpha is the variance; you used it as a standard deviation and squared it again.": (
            lambda Y, g, alpha: (
                -np.sum((Y - g) ** 2) / (2 * alpha**2) - Y.size / 2 * np.log(2 * np.pi * alpha**2)
            )
        ),
        "The squared error is divided by 2 alpha; your factor 2 is missing.": (
            lambda Y, g, alpha: (
                -np.sum((Y - g) ** 2) / alpha - Y.size / 2 * np.log(2 * np.pi * alpha)
            )
        ),
        "The log-likelihood is a sum over the examples; you divided by their number.": (
            lambda Y, g, alpha: (
                (-np.sum((Y - g) ** 2) / (2 * alpha) - Y.size / 2 * np.log(2 * np.pi * alpha))
                / len(Y)
            )
        ),
        "The sign is turned around: this is the negative log-likelihood.": (
            lambda Y, g, alpha: (
                np.sum((Y - g) ** 2) / (2 * alpha) + Y.size / 2 * np.log(2 * np.pi * alpha)
            )
        ),
    }
    explain = r"""
    With $\Sigma=\alpha I$ the $q$ outputs are independent, so the log-density of one example is a
    sum of $q$ one-dimensional ones: $-\frac{(y_j-g_j)^2}{2\alpha}-\frac12\log(2\pi\alpha)$. Summed
    over $m$ examples and $q$ outputs this gives
    $-\frac1{2\alpha}\sum_i\|y^{(i)}-g_\theta(x^{(i)})\|^2-\frac{mq}2\log(2\pi\alpha)$. Check it
    with one number: $y=g$ and $\alpha=1/(2\pi)$ make the density 1 and its logarithm 0.
    """


@question(
    id="discrete-kl",
    title="KL divergence with zeros",
    asks="discrete_kl",
    points=2,
    section="sec-basics-kl",
)
class DiscreteKl:
    def reference(p, q):
        return basics.kl_divergence(p, q)

    def cases(rng):
        p, q = rng.dirichlet(np.ones(4), size=2)
        yield case("four outcomes", p, q)
        p, q = rng.dirichlet(np.ones(5), size=2)
        p[1] = 0.0
        yield case("p is zero somewhere", p / p.sum(), q)
        p, q = rng.dirichlet(np.ones(3), size=2)
        q[2] = 0.0
        yield case("q is zero where p is not", p, q / q.sum())
        p, q = rng.dirichlet(np.ones(6), size=2)
        p[[0, 3]] = q[[0, 3]] = 0.0
        yield case("both are zero at once", p / p.sum(), q / q.sum())
        yield case("the same distribution", q / q.sum(), q / q.sum())
        p, q = rng.dirichlet(np.full(30, 0.5), size=2)
        yield case("thirty outcomes", p, q, shown=False)

    def with_a_loop(p, q):
        total = 0.0
        for a, b in zip(p, q, strict=True):
            if a > 0 and b == 0:
                return math.inf
            if a > 0:
                total += a * math.log(a / b)
        return total

    def with_a_mask(p, q):
        some = p > 0
        with np.errstate(divide="ignore"):
            return np.sum(p[some] * (np.log(p[some]) - np.log(q[some])))

    def reversed_arguments(p, q):
        return basics.kl_divergence(q, p)

    def in_bits(p, q):
        return basics.kl_divergence(p, q) / np.log(2)

    def no_convention(p, q):
        return np.sum(p * np.log(p / q))

    def with_epsilon(p, q):
        return np.sum(p * np.log((p + 1e-12) / (q + 1e-12)))

    def skip_both(p, q):
        some = (p > 0) & (q > 0)
        return np.sum(p[some] * np.log(p[some] / q[some]))

    def only_cross_entropy(p, q):
        return basics.cross_entropy(p, q)

    variants = [with_a_loop, with_a_mask]
    mistakes = {
        "You computed D(q, p); the expectation is under p, the first argument.": reversed_arguments,
        "The book measures in nats: use the natural logarithm, not the one to base 2.": in_bits,
        "By convention 0 log 0 is 0; yours is nan: leave outcomes with p = 0 out.": no_convention,
        "A small constant hides the infinity: with q = 0 where p > 0 the divergence is inf.": (
            with_epsilon
        ),
        "An outcome with p > 0 and q = 0 makes the divergence infinite; do not skip it.": skip_both,
        "This is the cross-entropy; subtract the entropy of p.": only_cross_entropy,
    }
    explain = r"""
    Go through the outcomes one by one. Where $p=0$ the term $p\log(p/q)$ counts as 0, its limit for
    $p\to0$, whatever $q$ is. Where $p>0$ and $q=0$ the data hold something that the model calls
    impossible, and the divergence is $\infty$. Everywhere else add $p\log(p/q)$. With
    $p=(\frac12,\frac12,0)$ and $q=(\frac14,\frac14,\frac12)$ there are two terms of
    $\frac12\log2$, so the divergence is $\log2$.
    """


@question(
    id="kl-monte-carlo",
    title="KL divergence from samples, with its standard error",
    asks="kl_from_samples",
    points=2,
    section="sec-basics-kl",
)
class KlMonteCarlo:
    def reference(log_p, log_q):
        terms = log_p - log_q
        return terms.mean(), terms.std(ddof=1) / np.sqrt(len(terms))

    def cases(rng):
        for name, m, shift, shown in (
            ("ten samples", 10, 1.0, True),
            ("two hundred samples", 200, 0.3, True),
            ("log-densities near -1000", 25, 2.0, True),
            ("two samples", 2, 0.5, False),
        ):
            x = rng.normal(size=m)
            far = 1000.0 if "1000" in name else 0.0
            log_p = -(x**2) / 2 - np.log(2 * np.pi) / 2 - far
            yield case(name, log_p, log_p - shift * x + shift**2 / 2, shown=shown)

    def with_sums(log_p, log_q):
        terms = [a - b for a, b in zip(log_p, log_q, strict=True)]
        m = len(terms)
        mean = sum(terms) / m
        return mean, math.sqrt(sum((t - mean) ** 2 for t in terms) / (m - 1) / m)

    def with_covariance(log_p, log_q):
        terms = np.subtract(log_p, log_q)
        return np.average(terms), np.sqrt(np.cov(terms) / terms.size)

    def weighted(log_p, log_q):
        p = np.exp(log_p)
        return (p * (log_p - log_q)).mean(), (p * (log_p - log_q)).std(ddof=1) / np.sqrt(p.size)

    def ratio_first(log_p, log_q):
        terms = log_p - log_q
        return np.log(np.exp(terms).mean()), terms.std(ddof=1) / np.sqrt(len(terms))

    variants = [with_sums, with_covariance]
    mistakes = {
        "The sign is turned around: the terms are log p - log q.": (
            lambda log_p, log_q: (
                (log_q - log_p).mean(),
                (log_q - log_p).std(ddof=1) / np.sqrt(len(log_p)),
            )
        ),
        "The spread of one term is not that of their mean: divide it by the square root of m.": (
            lambda log_p, log_q: ((log_p - log_q).mean(), (log_p - log_q).std(ddof=1))
        ),
        "This is the squared standard error; take its square root.": (
            lambda log_p, log_q: (
                (log_p - log_q).mean(),
                (log_p - log_q).var(ddof=1) / len(log_p),
            )
        ),
        "The spread around an estimated mean needs m - 1 below: use ddof=1.": (
            lambda log_p, log_q: (
                (log_p - log_q).mean(),
                (log_p - log_q).std() / np.sqrt(len(log_p)),
            )
        ),
        "The samples come from p already, so weighting each term by p counts it twice.": weighted,
        "Average the logarithms; you took the logarithm of an average.": ratio_first,
    }
    explain = r"""
    The divergence is an expectation under $p$, and the samples come from $p$: so average the terms
    $t_i=\log p(x^{(i)})-\log q(x^{(i)})$. Their mean is an estimate with the standard error
    $s/\sqrt m$, where $s^2=\frac1{m-1}\sum_i(t_i-\bar t)^2$. For the terms 1, 2, 3 the estimate
    is 2, $s=1$, and the standard error $1/\sqrt3\approx0.58$. Four times the samples halve it.
    """


@question(
    id="log-softmax",
    title="A log-softmax that survives large logits",
    asks="log_softmax",
    points=2,
    section="sec-basics-softmax",
)
class LogSoftmax:
    def reference(logits):
        return basics.log_softmax(logits)

    def cases(rng):
        yield case("three rows", rng.normal(size=(3, 4)))
        yield case("logits near 1000", rng.normal(size=(2, 3)) + 1000.0)
        far = np.array([[-900.0], [0.0], [900.0]])
        yield case("rows far apart", rng.normal(size=(3, 5)) + far)
        sure = rng.normal(size=(2, 4))
        sure[:, 1] += 1500.0
        yield case("one sure class", sure)
        yield case("many classes", rng.normal(scale=5, size=(4, 60)), shown=False)

    def with_a_loop(logits):
        rows = []
        for row in logits:
            top = max(row)
            rows.append([z - top - math.log(sum(math.exp(v - top) for v in row)) for z in row])
        return np.array(rows)

    def with_logaddexp(logits):
        return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)

    def naive(logits):
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    def one_maximum(logits):
        z = logits - logits.max()
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True))

    def columns(logits):
        z = logits - logits.max(axis=0)
        return z - np.log(np.exp(z).sum(axis=0))

    def log_of_softmax(logits):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.log(e / e.sum(axis=1, keepdims=True))

    def maximum_forgotten(logits):
        top = logits.max(axis=1, keepdims=True)
        return logits - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))

    def log_of_ratio(logits):
        e = np.exp(logits)
        return np.log(e / e.sum(axis=1, keepdims=True))

    def no_logarithm(logits):
        return basics.softmax(logits)

    variants = [with_a_loop, with_logaddexp]
    mistakes = {
        "The exponential overflows beyond 709: subtract each row's maximum first.": naive,
        "Inf divided by inf is nan: subtract each row's maximum before the exponential.": (
            log_of_ratio
        ),
        "You subtracted one maximum from all rows, so low rows vanish; each row needs its own.": (
            one_maximum
        ),
        "You normalised down the columns; the classes of one example stand in a row.": columns,
        "The softmax rounds to 0 before your logarithm sees it: stay in logarithms throughout.": (
            log_of_softmax
        ),
        "The maximum that you took out must come back: log-sum-exp is max + log(sum(...)).": (
            maximum_forgotten
        ),
        "These are the probabilities; the logarithm is missing.": no_logarithm,
    }
    explain = r"""
    $\log\mathrm{softmax}(z)_k=z_k-\log\sum_j e^{z_j}$. Taking the row's maximum $c$ out changes
    nothing, $\log\sum_je^{z_j}=c+\log\sum_je^{z_j-c}$, and makes the largest exponent 0: nothing
    overflows, and the sum is at least 1. For the row $(1000, 1000)$ the sum is 2, so each entry is
    $1000-(1000+\log2)=-\log2$. Do not take the logarithm of a finished softmax: a probability of
    $e^{-1500}$ is already stored as 0.
    """


@question(
    id="softmax-cross-entropy",
    title="Cross-entropy from logits",
    asks="softmax_cross_entropy",
    points=2,
    section="sec-basics-softmax",
)
class SoftmaxCrossEntropy:
    def reference(logits, labels):
        return basics.softmax_cross_entropy(logits, labels)

    def cases(rng):
        yield case("four examples", rng.normal(size=(4, 3)), np.array([0, 2, 1, 2]))
        yield case("as many classes as examples", rng.normal(size=(5, 5)), rng.permutation(5))
        big = rng.normal(size=(3, 4))
        big[0, 2] += 2000.0
        yield case("sure and wrong", big, np.array([1, 0, 3]))
        m = int(rng.integers(20, 50))
        yield case(
            "many examples", rng.normal(size=(m, 10)), rng.integers(0, 10, size=m), shown=False
        )

    def with_a_loop(logits, labels):
        losses = []
        for z, k in zip(logits, labels, strict=True):
            top = z.max()
            losses.append(top + math.log(np.exp(z - top).sum()) - z[k])
        return sum(losses) / len(losses)

    def with_one_hot(logits, labels):
        hot = np.eye(logits.shape[1])[labels]
        return -(hot * basics.log_softmax(logits)).sum(axis=1).mean()

    def summed(logits, labels):
        return basics.softmax_cross_entropy(logits, labels) * len(labels)

    def log_of_mean(logits, labels):
        return -np.log(basics.softmax(logits)[np.arange(len(labels)), labels].mean())

    def every_pair(logits, labels):
        return -basics.log_softmax(logits)[:, labels].mean()

    def positive(logits, labels):
        return -basics.softmax_cross_entropy(logits, labels)

    def all_classes(logits, labels):
        return -basics.log_softmax(logits).mean()

    def overflow(logits, labels):
        e = np.exp(logits)
        p = e / e.sum(axis=1, keepdims=True)
        return -np.log(p[np.arange(len(labels)), labels]).mean()

    def no_normaliser(logits, labels):
        return -logits[np.arange(len(labels)), labels].mean()

    variants = [with_a_loop, with_one_hot]
    mistakes = {
        "The loss is the mean over the examples; you summed.": summed,
        "Average the logarithms of the probabilities, not the probabilities.": log_of_mean,
        "Indexing [:, labels] pairs every example with every label: use [arange(m), labels].": (
            every_pair
        ),
        "The minus sign is missing: a loss is larger when the label is less likely.": positive,
        "Only the class of the label counts; you averaged over all classes.": all_classes,
        "The softmax overflows or rounds to 0: work with the log-softmax.": overflow,
        "You averaged the logits alone; the log-sum-exp of each row is missing.": no_normaliser,
    }
    explain = r"""
    The likelihood of the label $y$ is the softmax entry $y$, so its negative logarithm is
    $\log\sum_je^{z_j}-z_y$: the log-sum-exp of the row minus the one logit that the label picks.
    Average that over the $m$ examples. With $K$ equal logits every label costs $\log K$, which is
    what an untrained classifier should start from.
    """


@question(
    id="log-likelihood-curve",
    title="Draw a log-likelihood",
    asks="plot_log_likelihood",
    points=2,
    section="sec-basics-likelihood",
)
class LogLikelihoodCurve:
    seconds = 5.0  # the first picture of a session imports Matplotlib

    def driver(answer, x, means):
        from coursekit.grading.drivers import AnswerError, axes_drawn_by

        ax = axes_drawn_by(answer, x, means)
        if ax is None:
            return None
        if not ax.lines:
            raise AnswerError("There is no line on the ax: draw the curve with ax.plot.")
        line = ax.lines[0]
        return {
            "horizontal": line.get_xdata() * 1.0,
            "vertical": line.get_ydata() * 1.0,
            "x axis has a label": bool(ax.get_xlabel()),
            "y axis has a label": bool(ax.get_ylabel()),
        }

    def reference(ax, x, means):
        values = [basics.gaussian_log_pdf(x, mean, 1.0).sum() for mean in means]
        ax.plot(means, values)
        ax.set(xlabel="mean", ylabel="log-likelihood")

    def cases(rng):
        yield case("six values", rng.normal(size=6), np.linspace(-2.0, 2.0, 9))
        yield case("one value", rng.normal(size=1), np.linspace(-1.0, 3.0, 5))
        x = rng.normal(1.0, 1.0, size=25)
        yield case("twenty-five values", x, np.linspace(0.0, 2.0, 21), shown=False)

    def broadcast(ax, x, means):
        squares = ((x - means[:, None]) ** 2).sum(axis=1)
        ax.plot(means, -squares / 2 - len(x) / 2 * np.log(2 * np.pi))
        ax.set_xlabel("mu")
        ax.set_ylabel("log p")

    def with_a_loop(ax, x, means):
        heights = []
        for mean in means:
            total = 0.0
            for value in x:
                total += math.log(math.exp(-((value - mean) ** 2) / 2) / math.sqrt(2 * math.pi))
            heights.append(total)
        ax.plot(list(means), heights, "o-")
        ax.set(xlabel="mean", ylabel="log-likelihood", title="Where is it largest?")

    def curve(change=lambda v, x: v, labels=True, swap=False):
        def draw(ax, x, means):
            values = np.array([basics.gaussian_log_pdf(x, mean, 1.0).sum() for mean in means])
            values = change(values, x)
            ax.plot(*((values, means) if swap else (means, values)))
            if labels:
                ax.set(xlabel="mean", ylabel="log-likelihood")

        return draw

    without_labels = curve(labels=False)
    swapped = curve(swap=True)
    likelihood = curve(lambda v, x: np.exp(v))
    averaged = curve(lambda v, x: v / len(x) if len(x) > 1 else v)
    negative = curve(lambda v, x: -v)
    no_constant = curve(lambda v, x: v + len(x) / 2 * np.log(2 * np.pi))
    del curve

    variants = [broadcast, with_a_loop]
    mistakes = {
        "The curve is right; label both axes so that a reader knows what it shows.": without_labels,
        "The axes are swapped: the means go along the horizontal axis.": swapped,
        "This is the likelihood, whose product vanishes for many values; draw its logarithm.": (
            likelihood
        ),
        "You averaged over the values; the log-likelihood is their sum.": averaged,
        "The sign is turned around: the best mean must be at the top of the curve.": negative,
        "The constant is missing: each value brings -log(2 pi) / 2.": no_constant,
    }
    explain = r"""
    For each candidate mean $\mu$ the height of the curve is the sum over the data of
    $-\frac12(x^{(i)}-\mu)^2-\frac12\log(2\pi)$. It is a parabola in $\mu$ whose top is at the mean
    of the data and whose curvature is $m$: more data, narrower top. The means go along the
    horizontal axis, and both axes say what they show.
    """


@question(
    id="running-moments",
    title="Mean and variance of a stream",
    asks="RunningMoments",
    points=3,
    section="sec-basics-risk",
)
class RunningMomentsQuestion:
    def driver(answer, values, others):
        first, second = answer(), answer()
        found = []
        for value, other in zip(values, others, strict=True):
            first.update(value)
            second.update(other)
            found.append((first.mean, first.variance))
        return [*found, (second.mean, second.variance)]

    class reference:  # noqa: N801 - the name that a question's right answer has
        def __init__(self):
            self.count, self.mean, self._squares = 0, 0.0, 0.0

        def update(self, value):
            self.count += 1
            step = value - self.mean
            self.mean += step / self.count
            self._squares += step * (value - self.mean)

        @property
        def variance(self):
            return self._squares / self.count

    def cases(rng):
        yield case("six losses", rng.exponential(size=6).tolist(), rng.normal(size=6).tolist())
        far = 1e9 + rng.normal(scale=2.0, size=5)
        yield case("values near a thousand million", far.tolist(), rng.normal(size=5).tolist())
        some = rng.normal(size=int(rng.integers(20, 40)))
        yield case("many values", some.tolist(), (some[::-1] * 3).tolist(), shown=False)

    class KeepsAll:
        def __init__(self):
            self.values = []

        def update(self, value):
            self.values.append(value)

        mean = property(lambda self: float(np.mean(self.values)))
        variance = property(lambda self: float(np.var(self.values)))

    class Attributes:
        def __init__(self):
            self.n, self.mean, self.variance = 0, 0.0, 0.0

        def update(self, value):
            n, old = self.n, self.mean
            self.n, self.mean = n + 1, old + (value - old) / (n + 1)
            self.variance = n / (n + 1) * (self.variance + (value - old) ** 2 / (n + 1))

    class Squares:
        def __init__(self):
            self.n = self.total = self.squares = 0

        def update(self, value):
            self.n, self.total = self.n + 1, self.total + value
            self.squares += value * value

        mean = property(lambda self: self.total / self.n)
        variance = property(lambda self: self.squares / self.n - self.mean**2)

    class Unbiased(KeepsAll):
        variance = property(
            lambda self: float(np.var(self.values, ddof=1)) if len(self.values) > 1 else 0.0
        )

    class Deviation(KeepsAll):
        variance = property(lambda self: float(np.std(self.values)))

    class Halfway(KeepsAll):
        def update(self, value):
            self.values.append(value)
            self.middle = value if len(self.values) == 1 else (self.middle + value) / 2

        mean = property(lambda self: self.middle)

    class OldMean:
        def __init__(self):
            self.n, self.mean, self.squares = 0, 0.0, 0.0

        def update(self, value):
            self.n += 1
            step = value - self.mean
            self.mean += step / self.n
            self.squares += step * step if self.n > 1 else 0.0

        variance = property(lambda self: self.squares / self.n)

    class NewMean(OldMean):
        def update(self, value):
            self.n += 1
            self.mean += (value - self.mean) / self.n
            self.squares += (value - self.mean) ** 2

    variants = [KeepsAll, Attributes]
    mistakes = {
        "The mean of squares minus the squared mean cancels for large values: use the update.": (
            Squares
        ),
        "Divide by the number of values so far, not by one less.": Unbiased,
        "This is the standard deviation; the variance is its square.": Deviation,
        "Halving the way weighs the last value most; move by 1/count of the way.": Halfway,
        "One factor uses the mean before the update, the other the mean after it.": OldMean,
        "You used the updated mean in both factors; one of them needs the mean before.": NewMean,
    }
    explain = r"""
    Keep the count $k$, the mean, and the sum $S$ of squared deviations. When $x$ arrives, let
    $d=x-\text{mean}$ with the old mean, move the mean by $d/k$, and add $d\,(x-\text{mean})$ with
    the new mean to $S$; the variance is $S/k$ (Welford, 1962). For 1 then 3: the mean goes from 1
    to 2, and $S$ grows by $2\cdot1=2$, so the variance is 1. The short formula, mean of squares
    minus squared mean, subtracts two numbers near $10^{18}$ when the values are near $10^9$, and
    float64 keeps only 16 digits of them.
    """


@question(
    id="sgd-epoch",
    title="One epoch of minibatch SGD",
    asks="sgd_epoch",
    points=3,
    section="sec-basics-descent",
)
class SgdEpoch:
    def reference(theta, X, y, order, batch_size, learning_rate):
        theta = theta.copy()
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            slope = 2 / len(rows) * X[rows].T @ (X[rows] @ theta - y[rows])
            theta -= learning_rate * slope
        return theta

    def cases(rng):
        for name, m, n, size, shown in (
            ("batches of two", 6, 2, 2, True),
            ("a smaller last batch", 7, 3, 3, True),
            ("one batch holds all", 5, 2, 5, True),
            ("batches of eight", 37, 4, 8, False),
        ):
            X, y = rng.normal(size=(m, n)), rng.normal(size=m)
            yield case(name, rng.normal(size=n), X, y, rng.permutation(m), size, 0.1, shown=shown)

    def with_loops(theta, X, y, order, batch_size, learning_rate):
        theta, rows = np.array(theta), list(order)
        while rows:
            batch, rows = rows[:batch_size], rows[batch_size:]
            slope = np.zeros(len(theta))
            for i in batch:
                slope += 2 * (X[i] @ theta - y[i]) * X[i]
            theta = theta - learning_rate * slope / len(batch)
        return theta

    def with_split(theta, X, y, order, batch_size, learning_rate):
        X, y = X[order], y[order]
        cuts = range(batch_size, len(y), batch_size)
        for A, b in zip(np.split(X, cuts), np.split(y, cuts), strict=True):
            theta = theta - learning_rate * 2 * np.mean((A @ theta - b)[:, None] * A, axis=0)
        return theta

    def full_batch(theta, X, y, order, batch_size, learning_rate):
        for _ in range(0, len(order), batch_size):
            theta = theta - learning_rate * 2 / len(y) * X.T @ (X @ theta - y)
        return theta

    def no_order(theta, X, y, order, batch_size, learning_rate):
        return sgd(theta, X, y, np.arange(len(y)), batch_size, learning_rate)

    def summed(theta, X, y, order, batch_size, learning_rate):
        return sgd(theta, X, y, order, batch_size, learning_rate, scale=lambda rows: 1)

    def fixed_size(theta, X, y, order, batch_size, learning_rate):
        return sgd(theta, X, y, order, batch_size, learning_rate, scale=lambda rows: batch_size)

    def dropped(theta, X, y, order, batch_size, learning_rate):
        whole = len(order) // batch_size * batch_size
        return sgd(theta, X, y, order[:whole], batch_size, learning_rate)

    def ascent(theta, X, y, order, batch_size, learning_rate):
        return sgd(theta, X, y, order, batch_size, -learning_rate)

    def no_two(theta, X, y, order, batch_size, learning_rate):
        return sgd(theta, X, y, order, batch_size, learning_rate / 2)

    def in_place(theta, X, y, order, batch_size, learning_rate):
        theta[:] = sgd(theta, X, y, order, batch_size, learning_rate)
        return theta

    variants = [with_loops, with_split]
    mistakes = {
        "Each step uses the gradient of its own batch; you used all examples every time.": (
            full_batch
        ),
        "Take the rows in the given order; you took them as they stand.": no_order,
        "The batch's gradient is a mean: divide by the number of its examples.": summed,
        "The last batch is smaller: divide by its own number of examples.": fixed_size,
        "The last, smaller batch must be used too: an epoch sees every example once.": dropped,
        "You walked uphill: subtract the gradient.": ascent,
        "The derivative of a square brings a factor 2.": no_two,
        "You changed the caller's theta in place: start from a copy.": in_place,
    }
    explain = r"""
    Cut the order into pieces of the batch size; the last may be shorter. For each piece $B$ compute
    the gradient of $\frac1{|B|}\sum_{i\in B}(\theta^Tx^{(i)}-y^{(i)})^2$ at the current $\theta$,
    which is $\frac2{|B|}\sum_{i\in B}(\theta^Tx^{(i)}-y^{(i)})\,x^{(i)}$, and subtract
    $\eta$ times it before going to the next piece. With one example $x=1$, $y=3$, $\theta=0$ and
    $\eta=0.1$ the gradient is $-6$ and the new $\theta$ is $0.6$.
    """


@question(
    id="ridge",
    title="Ridge regression with a free intercept",
    asks="ridge",
    points=3,
    section="sec-basics-regularisation",
)
class Ridge:
    def reference(X, y, gamma):
        return solve_ridge(X, y, len(y) * gamma)

    def cases(rng):
        for name, m, n, gamma, shown in (
            ("two features", 8, 2, 0.3, True),
            ("more features than examples", 4, 6, 0.1, True),
            ("strong regularisation", 12, 3, 20.0, True),
            ("many examples", 50, 5, 0.02, False),
        ):
            X = rng.normal(2.0, 1.0, size=(m, n))
            yield case(name, X, 4.0 + X @ rng.normal(size=n), gamma, shown=shown)

    def with_an_extra_column(X, y, gamma):
        m, n = X.shape
        A = np.column_stack([X, np.ones(m)])
        free = np.diag([1.0] * n + [0.0])
        theta = np.linalg.solve(A.T @ A / m + gamma * free, A.T @ y / m)
        return theta[:-1], theta[-1]

    def with_extra_rows(X, y, gamma):
        m, n = X.shape
        centre = X.mean(axis=0)
        A = np.vstack([X - centre, np.sqrt(m * gamma) * np.eye(n)])
        w = np.linalg.lstsq(A, np.concatenate([y - y.mean(), np.zeros(n)]), rcond=None)[0]
        return w, y.mean() - centre @ w

    def intercept_too(X, y, gamma):
        A = np.column_stack([X, np.ones(len(y))])
        theta = np.linalg.solve(A.T @ A + len(y) * gamma * np.eye(A.shape[1]), A.T @ y)
        return theta[:-1], theta[-1]

    def no_intercept(X, y, gamma):
        return np.linalg.solve(X.T @ X + len(y) * gamma * np.eye(X.shape[1]), X.T @ y), 0.0

    def mean_as_intercept(X, y, gamma):
        return solve_ridge(X, y, len(y) * gamma)[0], y.mean()

    variants = [with_an_extra_column, with_extra_rows]
    mistakes = {
        "The loss is a mean over m examples, so the diagonal grows by m gamma, not by gamma.": (
            lambda X, y, gamma: solve_ridge(X, y, gamma)
        ),
        "The intercept was shrunk too: centre X and y first, or leave its diagonal entry 0.": (
            intercept_too
        ),
        "There is no intercept: centre X and y, then bring the means back.": no_intercept,
        "The intercept is mean(y) - mean(X) @ w; you left the second part out.": mean_as_intercept,
        "You subtracted the regulariser: adding it to the diagonal is what shrinks the weights.": (
            lambda X, y, gamma: solve_ridge(X, y, -len(y) * gamma)
        ),
        "There is no 1/2 before this penalty, so the diagonal grows by m gamma, not half of it.": (
            lambda X, y, gamma: solve_ridge(X, y, len(y) * gamma / 2)
        ),
    }
    explain = r"""
    For fixed $w$ the best intercept is $b=\bar y-\bar x^Tw$, because it is not penalised. Put it
    in: what remains is the same problem for centred $X_c$ and $y_c$ without intercept. Its gradient
    $\frac2mX_c^T(X_cw-y_c)+2\gamma w$ vanishes where $(X_c^TX_c+m\gamma I)\,w=X_c^Ty_c$. With one
    feature $x=(-1,1)$, $y=(2,6)$ and $\gamma=1$: $X_c^TX_c=2$, $m\gamma=2$, $X_c^Ty_c=4$, so $w=1$
    (it would be 2 without the penalty) and $b=4$.
    """


@question(
    id="soft-threshold",
    title="Soft thresholding",
    asks="soft_threshold",
    points=1,
    section="sec-basics-regularisation",
)
class SoftThreshold:
    def reference(z, threshold):
        return basics.soft_threshold(z, threshold)

    def cases(rng):
        yield case("both signs", np.array([-3.0, -0.5, 0.0, 0.25, 2.0]), 1.0)
        yield case("random values", rng.normal(size=8), 0.6)
        yield case("a table", rng.normal(size=(3, 4)), 0.3)
        yield case("threshold zero", rng.normal(size=5), 0.0, shown=False)

    def with_where(z, threshold):
        return np.where(np.abs(z) <= threshold, 0.0, z - threshold * np.sign(z))

    def with_clip(z, threshold):
        return z - np.clip(z, -threshold, threshold)

    def in_place(z, threshold):
        z[...] = basics.soft_threshold(z, threshold)
        return z

    variants = [with_where, with_clip]
    mistakes = {
        "This is hard thresholding: what survives must move toward zero by the threshold.": (
            lambda z, t: np.where(np.abs(z) > t, z, 0.0)
        ),
        "The sign is lost: multiply by sign(z).": lambda z, t: np.maximum(np.abs(z) - t, 0.0),
        "Small values jump across zero; they must stop there.": lambda z, t: z - t * np.sign(z),
        "Negative values shrink toward zero too; yours are all cut off.": (
            lambda z, t: np.maximum(z - t, 0.0)
        ),
        "Clipping keeps what soft thresholding takes away: subtract the clipped part from z.": (
            lambda z, t: np.clip(z, -t, t)
        ),
        "You wrote into z itself; copy it first, because the caller still needs it.": in_place,
    }
    explain = r"""
    The minimiser of $\frac12(w-z)^2+t|w|$ has three branches. For $z>t$ the derivative
    $w-z+t$ vanishes at $w=z-t$; for $z<-t$ at $w=z+t$; in between neither side of zero wins and
    $w=0$. So with $t=1$: $3\mapsto2$, $-3\mapsto-2$, $0.5\mapsto0$.
    """


@question(
    id="lasso-sweep",
    title="One sweep of coordinate descent for the lasso",
    asks="lasso_sweep",
    points=3,
    section="sec-basics-regularisation",
)
class LassoSweep:
    def reference(X, y, w, gamma):
        m, w = len(y), w.copy()
        for j in range(len(w)):
            x = X[:, j]
            rest = y - X @ w + x * w[j]
            w[j] = basics.soft_threshold(x @ rest, m * gamma / 2) / (x @ x)
        return w

    def cases(rng):
        for name, m, n, gamma, zero, shown in (
            ("from zero", 8, 3, 0.2, True, True),
            ("from somewhere", 6, 4, 0.3, False, True),
            ("strong regularisation", 10, 3, 1.5, False, True),
            ("many features", 30, 9, 0.15, False, False),
        ):
            X = rng.normal(size=(m, n)) * rng.uniform(0.7, 1.6, size=n)
            y = X @ rng.normal(scale=2.0, size=n) + rng.normal(scale=0.3, size=m)
            w = np.zeros(n) if zero else rng.normal(size=n)
            yield case(name, X, y, w, gamma, shown=shown)

    def with_a_running_residual(X, y, w, gamma):
        w = np.array(w)
        residual = y - X @ w
        for j, x in enumerate(X.T):
            z = x @ x * w[j] + x @ residual
            new = np.sign(z) * max(abs(z) - len(y) * gamma / 2, 0) / (x @ x)
            residual -= x * (new - w[j])
            w[j] = new
        return w

    def with_means(X, y, w, gamma):
        w = list(w)
        for j in range(len(w)):
            others = sum(w[k] * X[:, k] for k in range(len(w)) if k != j)
            slope, size = 2 * np.mean(X[:, j] * (y - others)), 2 * np.mean(X[:, j] ** 2)
            w[j] = max(slope - gamma, 0) / size + min(slope + gamma, 0) / size
        return np.array(w)

    def at_once(X, y, w, gamma):
        size = (X**2).sum(axis=0)
        z = X.T @ (y - X @ w) + size * w
        return basics.soft_threshold(z, len(y) * gamma / 2) / size

    def no_half(X, y, w, gamma):
        return sweep(X, y, w, len(y) * gamma)

    def no_m(X, y, w, gamma):
        return sweep(X, y, w, gamma / 2)

    def not_added_back(X, y, w, gamma):
        w = w.copy()
        for j in range(len(w)):
            x = X[:, j]
            w[j] = basics.soft_threshold(x @ (y - X @ w), len(y) * gamma / 2) / (x @ x)
        return w

    def standardised(X, y, w, gamma):
        w = w.copy()
        for j in range(len(w)):
            x = X[:, j]
            z = x @ (y - X @ w + x * w[j])
            w[j] = basics.soft_threshold(z, len(y) * gamma / 2) / len(y)
        return w

    def in_place(X, y, w, gamma):
        w[:] = sweep(X, y, w, len(y) * gamma / 2)
        return w

    variants = [with_a_running_residual, with_means]
    mistakes = {
        "You updated all weights from the old ones; each must see the ones just changed.": at_once,
        "The derivative of the square brings a factor 2, so the threshold is m gamma / 2.": no_half,
        "The loss is a mean over m examples, so the threshold grows with m.": no_m,
        "Leave feature j out of the residual before you fit it: add x_j w_j back.": not_added_back,
        "Dividing by m is right for standardised columns; divide by the squared norm of x_j.": (
            standardised
        ),
        "You changed the caller's w in place: start from a copy.": in_place,
    }
    explain = r"""
    Fix all weights but $w_j$ and let $r$ be the residual without feature $j$. As a function of
    $w_j$ the objective is $\frac1m\|r-x_jw_j\|^2+\gamma|w_j|$, which is least at
    $w_j=S(x_j^Tr,\;m\gamma/2)\,/\,\|x_j\|^2$ with the soft threshold $S$. Do this for $j=1,\dots,n$
    in turn, always with the newest weights. With $x=(1,1)$, $y=(3,3)$ and $\gamma=1$: $x^Tr=6$, the
    threshold is 1, the squared norm 2, so $w=2.5$.
    """


@question(
    id="bias-variance",
    title="Bias and variance from a table of predictions",
    asks="bias_variance",
    points=2,
    section="sec-basics-bias-variance",
)
class BiasVariance:
    def reference(predictions, truth, noise_variance):
        bias_squared = np.mean((predictions.mean(axis=0) - truth) ** 2)
        variance = np.mean(predictions.var(axis=0))
        return bias_squared, variance, bias_squared + variance + noise_variance

    def cases(rng):
        for name, r, t, shown in (
            ("four data sets, three points", 4, 3, True),
            ("as many data sets as points", 5, 5, True),
            ("many data sets", 60, 8, True),
            ("one point", 12, 1, False),
        ):
            truth = rng.normal(size=t)
            predictions = truth + rng.normal(size=t) + rng.normal(scale=0.7, size=(r, t))
            yield case(name, predictions, truth, float(rng.uniform(0.1, 0.5)), shown=shown)

    def with_loops(predictions, truth, noise_variance):
        bias_squared = variance = 0.0
        for column, y in zip(predictions.T, truth, strict=True):
            centre = sum(column) / len(column)
            bias_squared += (centre - y) ** 2 / len(truth)
            variance += sum((value - centre) ** 2 for value in column) / predictions.size
        return bias_squared, variance, bias_squared + variance + noise_variance

    def from_the_error(predictions, truth, noise_variance):
        error = np.mean((predictions - truth) ** 2)
        variance = np.mean((predictions - predictions.mean(axis=0)) ** 2)
        return error - variance, variance, error + noise_variance

    def parts(bias, spread, noise=True):
        def answer(predictions, truth, noise_variance):
            b, v = bias(predictions, truth), spread(predictions)
            return b, v, b + v + (noise_variance if noise else 0.0)

        return answer

    def right_bias(predictions, truth):
        return np.mean((predictions.mean(axis=0) - truth) ** 2)

    def right_spread(predictions):
        return np.mean(predictions.var(axis=0))

    def rows(predictions):
        return np.mean(predictions.var(axis=1))

    no_noise = parts(right_bias, right_spread, noise=False)
    whole_error = parts(lambda p, f: np.mean((p - f) ** 2), right_spread)
    late_square = parts(lambda p, f: np.mean(p.mean(axis=0) - f) ** 2, right_spread)
    unbiased = parts(right_bias, lambda p: np.mean(p.var(axis=0, ddof=1)))
    overall = parts(right_bias, np.var)
    wrong_axis = parts(right_bias, rows)
    absolute = parts(lambda p, f: np.mean(np.abs(p.mean(axis=0) - f)), right_spread)
    del parts, right_bias, right_spread, rows

    variants = [with_loops, from_the_error]
    mistakes = {
        "The noise belongs to the error of a new observation: add noise_variance.": no_noise,
        "You took the error of every single prediction; the bias is that of their average.": (
            whole_error
        ),
        "Square the bias at each point and then average, so that signs do not cancel.": late_square,
        "Divide by the number of data sets; with one less the parts do not add up to the error.": (
            unbiased
        ),
        "The variance is over data sets at each point; yours mixes in the points' differences.": (
            overall
        ),
        "You measured the spread over the points; the data sets run along axis 0.": wrong_axis,
        "The bias enters squared; you took its absolute value.": absolute,
    }
    explain = r"""
    Look at one test point: the column of predictions has a mean $\bar g$ and a variance. The
    squared bias is $(\bar g-\text{truth})^2$, the variance the mean of $(g-\bar g)^2$ over the data
    sets. Average both over the points; a new observation adds its own noise variance to the error.
    With predictions 1 and 3, truth 5 and noise 0.5: the squared bias is 9, the variance 1, the
    error 10.5.
    """


@question(
    id="lda-posterior",
    title="From class densities to class probabilities",
    asks="lda_posterior",
    points=3,
    section="sec-basics-classifiers",
)
class LdaPosterior:
    def reference(X, means, covariance, priors):
        return np.exp(basics.log_softmax(joint(X, means, covariance, priors)))

    def cases(rng):
        for name, m, K, n, far, shown in (
            ("two classes", 4, 2, 2, 0.0, True),
            ("rare and common classes", 5, 3, 2, 0.0, True),
            ("points far away", 3, 3, 2, 120.0, True),
            ("five features", 20, 4, 5, 0.0, False),
        ):
            A = rng.normal(size=(n, n))
            priors = rng.dirichlet(np.ones(K)) if K != 3 else np.array([0.9, 0.09, 0.01])
            X, means = rng.normal(size=(m, n)) + far, rng.normal(size=(K, n))
            yield case(name, X, means, A @ A.T / n + 0.5 * np.eye(n), priors, shown=shown)

    def with_linear_scores(X, means, covariance, priors):
        W = np.linalg.solve(covariance, means.T)
        scores = X @ W - np.sum(means.T * W, axis=0) / 2 + np.log(priors)
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def with_loops(X, means, covariance, priors):
        inverse, rows = np.linalg.inv(covariance), []
        for x in X:
            s = [
                math.log(prior) - (x - mean) @ inverse @ (x - mean) / 2
                for mean, prior in zip(means, priors, strict=True)
            ]
            e = [math.exp(v - max(s)) for v in s]
            rows.append([v / sum(e) for v in e])
        return np.array(rows)

    def no_prior(X, means, covariance, priors):
        return np.exp(basics.log_softmax(joint(X, means, covariance, np.ones(len(priors)))))

    def not_inverted(X, means, covariance, priors):
        return np.exp(basics.log_softmax(joint(X, means, np.linalg.inv(covariance), priors)))

    def no_half(X, means, covariance, priors):
        return np.exp(basics.log_softmax(joint(X, means, covariance / 2, priors)))

    def no_covariance(X, means, covariance, priors):
        return np.exp(basics.log_softmax(joint(X, means, np.eye(X.shape[1]), priors)))

    def log_posterior(X, means, covariance, priors):
        return basics.log_softmax(joint(X, means, covariance, priors))

    def no_logarithms(X, means, covariance, priors):
        e = np.exp(joint(X, means, covariance, priors))
        return e / e.sum(axis=1, keepdims=True)

    def prior_added(X, means, covariance, priors):
        plain = joint(X, means, covariance, np.ones(len(priors)))
        return np.exp(basics.log_softmax(plain + priors))

    variants = [with_linear_scores, with_loops]
    mistakes = {
        "The class priors are missing: a rare class needs stronger evidence.": no_prior,
        "The distance needs the inverse of the covariance; you multiplied by the covariance.": (
            not_inverted
        ),
        "The exponent of a Gaussian has a factor 1/2.": no_half,
        "You measured plain distances: the covariance must enter them.": no_covariance,
        "These are logarithms of the probabilities; take the exponential at the end.": (
            log_posterior
        ),
        "Far from every mean all densities round to 0: subtract the largest score before exp.": (
            no_logarithms
        ),
        "Scores are logarithms, so add log(priors) and not the priors themselves.": prior_added,
    }
    explain = r"""
    Bayes' rule gives $p(y=k\mid x)\propto\pi_k\,p(x\mid k)$. In logarithms the score of class $k$
    is $\log\pi_k-\frac12(x-\mu_k)^T\Sigma^{-1}(x-\mu_k)$; the determinant and $2\pi$ are the same
    for all classes and cancel. A softmax over the scores, with the largest subtracted first, gives
    the probabilities. For a point half-way between two means the distances are equal, and the
    posterior is the prior.
    """


@question(
    id="standardise",
    title="Standardise without leaking",
    asks="standardise",
    points=2,
    section="sec-basics-splits",
)
class Standardise:
    def reference(train, test):
        mean, scale = train.mean(axis=0), train.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        return (train - mean) / scale, (test - mean) / scale

    def cases(rng):
        yield case("three features", rng.normal(5, 2, size=(6, 3)), rng.normal(5, 2, size=(4, 3)))
        train, test = rng.normal(-1, 3, size=(5, 2)), rng.normal(2, 1, size=(5, 2))
        train[:, 1] = test[:, 1] = 7.0
        yield case("a constant feature", train, test)
        yield case("one test example", rng.normal(size=(8, 4)), rng.normal(size=(1, 4)))
        yield case("many", rng.normal(size=(50, 6)), rng.normal(1, 1, size=(20, 6)), shown=False)

    def with_loops(train, test):
        a, b = np.zeros(train.shape), np.zeros(test.shape)
        for j in range(train.shape[1]):
            column = train[:, j]
            scale = math.sqrt(((column - column.mean()) ** 2).mean()) or 1.0
            a[:, j] = (column - column.mean()) / scale
            b[:, j] = (test[:, j] - column.mean()) / scale
        return a, b

    def with_one_table(train, test):
        both = np.vstack([train, test]) - np.mean(train, axis=0)
        scale = np.sqrt(np.mean(both[: len(train)] ** 2, axis=0))
        both = both / (scale + (scale == 0))
        return both[: len(train)], both[len(train) :]

    def together(train, test):
        mean, scale = centre(np.vstack([train, test]))
        return (train - mean) / scale, (test - mean) / scale

    def apart(train, test):
        return tuple((part - centre(part)[0]) / centre(part)[1] for part in (train, test))

    def unbiased(train, test):
        mean, scale = centre(train, ddof=1)
        return (train - mean) / scale, (test - mean) / scale

    def one_scale(train, test):
        return (train - train.mean()) / train.std(), (test - train.mean()) / train.std()

    def by_variance(train, test):
        mean, scale = centre(train)
        return (train - mean) / scale**2, (test - mean) / scale**2

    def nan_column(train, test):
        mean, scale = train.mean(axis=0), train.std(axis=0)
        return (train - mean) / scale, (test - mean) / scale

    def in_place(train, test):
        mean, scale = centre(train)
        train -= mean
        train /= scale
        return train, (test - mean) / scale

    variants = [with_loops, with_one_table]
    mistakes = {
        "The test set leaked into the mean and the scale: compute both from train alone.": together,
        "The test set must be moved and scaled by the training set's numbers, not its own.": apart,
        "Use the standard deviation with m below: NumPy's default, ddof=0.": unbiased,
        "Each feature has its own mean and scale: use axis=0.": one_scale,
        "Divide by the standard deviation, not by the variance.": by_variance,
        "A constant feature has standard deviation 0; divide by 1 there.": nan_column,
        "You changed train in place: build a new array.": in_place,
    }
    explain = r"""
    Whatever is fitted is fitted on the training set, and a mean is fitted. Compute the mean and the
    standard deviation of every training column, put 1 where the deviation is 0, and apply these
    same numbers to both sets. The training columns then have mean 0 and deviation 1; the test
    columns do not exactly, and should not. For training values 1 and 3 (mean 2, deviation 1) the
    test value 5 becomes 3.
    """


@question(
    id="find-the-flaw",
    title="Find the flaw",
    asks="flaw",
    points=4,
    section="sec-basics-splits",
    kind="manual",
)
class FindTheFlaw:
    rubric = [
        (1, "names the step at which the test set takes part in a choice"),
        (1, "explains why the best of many noisy scores is too high, with the size to expect"),
        (1, "mends the experiment so that the reported number is honest, and runs it"),
        (1, "reports the mended number with its standard error and says what it means"),
    ]


def sgd(theta, X, y, order, batch_size, learning_rate, scale=len):
    """Run an epoch whose batches are scaled by ``scale(rows)``."""
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        slope = X[rows].T @ (X[rows] @ theta - y[rows])
        theta = theta - learning_rate * 2 / scale(rows) * slope
    return theta


def solve_ridge(X, y, weight):
    """Centre, add ``weight`` to the diagonal, solve, and bring the means back."""
    centre, level = X.mean(axis=0), y.mean()
    A = X - centre
    w = np.linalg.solve(A.T @ A + weight * np.eye(X.shape[1]), A.T @ (y - level))
    return w, level - centre @ w


def sweep(X, y, w, threshold):
    """One sweep with the given threshold."""
    w = w.copy()
    for j in range(len(w)):
        x = X[:, j]
        w[j] = basics.soft_threshold(x @ (y - X @ w + x * w[j]), threshold) / (x @ x)
    return w


def joint(X, means, covariance, priors):
    """Log prior plus log density of each class, up to what all classes share: (m, K)."""
    d = X[:, None, :] - means
    return -np.einsum("mki,ij,mkj->mk", d, np.linalg.inv(covariance), d) / 2 + np.log(priors)


def centre(table, ddof=0):
    """Mean and scale of every column, 1 for the scale of a constant one."""
    scale = table.std(axis=0, ddof=ddof)
    return table.mean(axis=0), np.where(scale > 0, scale, 1.0)
