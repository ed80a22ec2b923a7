"""What a model is worth and what it costs: bits per byte, the best size, the days."""

import numpy as np

from coursekit.grading import case, question


@question(
    id="bits-per-byte",
    title="Fair to every tokenizer",
    asks="bits_per_byte",
    points=1,
    section="sec-pretraining-evaluation",
)
class BitsPerByte:
    def reference(log_probs, text):
        return -np.sum(log_probs) / np.log(2) / len(text.encode())

    def cases(rng):
        for text, n, shown in (
            ("To be, or not to be", 7, True),
            ("déjà vu", 4, True),
            ("naïve café, 5 €", 9, True),
            ("one token", 1, True),
            ("Überraschung für Zoë", 11, False),
        ):
            yield case(text, np.log(rng.uniform(0.02, 0.9, size=n)), text, shown=shown)

    def by_perplexity(log_probs, text):
        tokens = len(log_probs)
        perplexity = np.exp(-np.mean(log_probs))
        return np.log2(perplexity) * tokens / len(bytes(text, "utf-8"))

    def summed_in_bits(log_probs, text):
        return sum(-p / np.log(2) for p in log_probs.tolist()) / sum(len(c.encode()) for c in text)

    variants = [by_perplexity, summed_in_bits]
    mistakes = {
        "An é is one character and two bytes: count bytes, text.encode().": (
            lambda log_probs, text: -np.sum(log_probs) / np.log(2) / len(text)
        ),
        "The log-probabilities are in nats; divide by ln 2 for bits.": (
            lambda log_probs, text: -np.sum(log_probs) / len(text.encode())
        ),
        "This is bits per token; another tokenizer has other tokens, but the same bytes.": (
            lambda log_probs, text: -np.mean(log_probs) / np.log(2)
        ),
        "Bits are not negative: the sign is wrong.": (
            lambda log_probs, text: np.sum(log_probs) / np.log(2) / len(text.encode())
        ),
        "The bits are the sum over all tokens; you divided by their number as well.": (
            lambda log_probs, text: -np.mean(log_probs) / np.log(2) / len(text.encode())
        ),
    }
    explain = r"""
    The whole text costs $-\sum_t\ln p_t$ nats, which is $-\sum_t\ln p_t/\ln2$ bits, whatever it was
    cut into. Divide by the bytes of the text, `len(text.encode())`. A model with large tokens makes
    fewer predictions, each harder; per byte the two can be compared.
    """


def best_size(C, A, B, alpha, beta):
    N = (alpha * A / (beta * B) * (C / 6) ** beta) ** (1 / (alpha + beta))
    return N, C / (6 * N)


@question(
    id="compute-optimal",
    title="How large, and how long?",
    asks="compute_optimal",
    points=2,
    section="sec-pretraining-scaling",
)
class ComputeOptimal:
    reference = best_size

    def cases(rng):
        yield case("alike in both", 6e6, 10.0, 10.0, 0.5, 0.5)
        yield case("parameters pay less", 6e20, 400.0, 400.0, 0.3, 0.4)
        yield case("another law", 3e18, 150.0, 900.0, 0.34, 0.28)
        C, A, B = 10 ** rng.uniform(15, 24), rng.uniform(50, 900), rng.uniform(50, 900)
        alpha, beta = rng.uniform(0.25, 0.45, size=2)
        yield case("drawn", float(C), float(A), float(B), float(alpha), float(beta), shown=False)

    def in_logarithms(C, A, B, alpha, beta):
        log_n = (np.log(alpha * A) - np.log(beta * B) + beta * np.log(C / 6)) / (alpha + beta)
        return float(np.exp(log_n)), float(C / 6 / np.exp(log_n))

    def by_bisection(C, A, B, alpha, beta):
        low, high = 0.0, np.log(C / 6)
        for _ in range(200):  # the slope of the loss in log N changes sign once
            x = (low + high) / 2
            slope = -alpha * A * np.exp(-alpha * x) + beta * B * np.exp(beta * (x - np.log(C / 6)))
            low, high = (x, high) if slope < 0 else (low, x)
        return float(np.exp(x)), float(C / 6 / np.exp(x))

    def without_six(C, A, B, alpha, beta):
        N, _ = best_size(6 * C, A, B, alpha, beta)
        return N, C / N

    def evenly(C, A, B, alpha, beta):
        return (C / 6) ** 0.5, (C / 6) ** 0.5

    def swapped_power(C, A, B, alpha, beta):
        N = (alpha * A / (beta * B) * (C / 6) ** alpha) ** (1 / (alpha + beta))
        return N, C / 6 / N

    def no_slopes(C, A, B, alpha, beta):
        N = (A / B * (C / 6) ** beta) ** (1 / (alpha + beta))
        return N, C / 6 / N

    def upside_down(C, A, B, alpha, beta):
        N = (beta * B / (alpha * A) * (C / 6) ** beta) ** (1 / (alpha + beta))
        return N, C / 6 / N

    variants = [in_logarithms, by_bisection]
    mistakes = {
        "Each parameter costs six operations a token: N times D is C / 6.": without_six,
        "N and D are equal only if both parts of the loss are alike; differentiate.": evenly,
        "The power of C / 6 in N is beta / (alpha + beta): a slow fall in D asks for more data.": (
            swapped_power
        ),
        "Differentiating brings the powers down: alpha A and beta B, not A and B.": no_slopes,
        "The ratio is upside down: a larger A asks for more parameters.": upside_down,
        "These are D and N; return the parameters first.": (
            lambda C, A, B, alpha, beta: best_size(C, A, B, alpha, beta)[::-1]
        ),
    }
    explain = r"""
    Put $D=C/(6N)$ into $E+AN^{-\alpha}+BD^{-\beta}$ and set the derivative by $N$ to 0:
    $\alpha AN^{-\alpha}=\beta BD^{-\beta}$. So
    $N^{\alpha+\beta}=\frac{\alpha A}{\beta B}(C/6)^\beta$.
    With $\alpha=\beta$ and $A=B$ the two share the budget evenly: for $C=6\cdot10^6$ both are 1000.
    $E$ plays no part.
    """


@question(
    id="training-days",
    title="How long does it take?",
    asks="training_days",
    points=1,
    section="sec-pretraining-budget",
)
class TrainingDays:
    def reference(parameters, tokens, chips, peak, mfu):
        return 6 * parameters * tokens / (chips * peak * mfu) / 86_400

    def cases(rng):
        yield case("a small model on one chip", 1e8, 2e9, 1, 1e14, 0.5)
        yield case("more chips", 7e9, 1.4e11, 256, 3e14, 0.4)
        yield case("nothing wasted", 1e9, 1e10, 8, 1e14, 1.0)
        N, D, chips = 10 ** rng.uniform(9, 11), 10 ** rng.uniform(10, 12), rng.integers(8, 2000)
        mfu = float(rng.uniform(0.2, 0.6))
        yield case("drawn", float(N), float(D), int(chips), 9.9e14, mfu, shown=False)

    def by_speed(parameters, tokens, chips, peak, mfu):
        tokens_a_second = mfu * chips * peak / (6 * parameters)
        return tokens / tokens_a_second / 60 / 60 / 24

    def in_parts(parameters, tokens, chips, peak, mfu):
        forward, backward = 2 * parameters * tokens, 4 * parameters * tokens
        return (forward + backward) / chips / (peak * mfu) / (24 * 3600)

    variants = [by_speed, in_parts]
    mistakes = {
        "Training costs six operations for each parameter and token; two are the forward pass.": (
            lambda N, D, chips, peak, mfu: 2 * N * D / (chips * peak * mfu) / 86_400
        ),
        "No run reaches the peak: the speed is the peak times the utilisation.": (
            lambda N, D, chips, peak, mfu: 6 * N * D / (chips * peak) / 86_400
        ),
        "A low utilisation makes the run longer; you divided where you should multiply.": (
            lambda N, D, chips, peak, mfu: 6 * N * D * mfu / (chips * peak) / 86_400
        ),
        "The chips share the work: divide by their number.": (
            lambda N, D, chips, peak, mfu: 6 * N * D / (peak * mfu) / 86_400
        ),
        "This is in hours; a day has 86,400 seconds.": (
            lambda N, D, chips, peak, mfu: 6 * N * D / (chips * peak * mfu) / 3600
        ),
    }
    explain = r"""
    Training takes about $6ND$ operations: $2ND$ forward, twice that backward. All chips together do
    `chips * peak * mfu` of them a second. For $10^8$ parameters and $2\cdot10^9$ tokens on one chip
    of $10^{14}$ a second at half its peak: $1.2\cdot10^{18}/(5\cdot10^{13})=24\,000$
    seconds, 0.28 days.
    """
