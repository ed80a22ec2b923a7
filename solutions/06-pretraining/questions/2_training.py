"""One step of training: the loss, the rate, the gradient, the update."""

import numpy as np

from coursekit.grading import case, question


def log_softmax(x):
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def next_token(logits, ids, *, log=log_softmax):
    log_p = log(logits[:-1])
    loss = -log_p[np.arange(len(ids) - 1), ids[1:]].mean()
    return loss, loss - np.log(logits.shape[1])


@question(
    id="next-token-loss",
    title="How much is learned?",
    asks="next_token_loss",
    points=2,
    section="sec-pretraining-loss",
)
class NextTokenLoss:
    def reference(logits, ids):
        return next_token(logits, ids)

    def cases(rng):
        for name, n, v, size, shown in (
            ("five tokens", 5, 4, 1.0, True),
            ("two tokens, one prediction", 2, 6, 2.0, True),
            ("a model that knows nothing", 4, 10, 0.0, True),
            ("logits in the thousands", 4, 3, 2000.0, True),
            ("a longer text", 12, 9, 3.0, False),
        ):
            yield case(
                name, size * rng.normal(size=(n, v)), rng.integers(0, v, size=n), shown=shown
            )

    def one_by_one(logits, ids):
        total = 0.0
        for row, token in zip(logits, ids[1:], strict=False):
            total += np.logaddexp.reduce(row) - row[token]
        loss = total / (len(ids) - 1)
        return loss, loss - np.log(len(logits[0]))

    def with_log_sum_exp(logits, ids):
        picked = np.take_along_axis(logits[:-1], ids[1:, None], axis=1)[:, 0]
        loss = np.mean(np.logaddexp.reduce(logits[:-1], axis=1) - picked)
        return loss, loss + np.log(1 / logits.shape[1])

    def not_shifted(logits, ids):
        loss = -log_softmax(logits)[np.arange(len(ids)), ids].mean()
        return loss, loss - np.log(logits.shape[1])

    def shifted_back(logits, ids):
        loss = -log_softmax(logits[1:])[np.arange(len(ids) - 1), ids[:-1]].mean()
        return loss, loss - np.log(logits.shape[1])

    def overflows(logits, ids):
        return next_token(logits, ids, log=lambda x: np.log(np.exp(x) / np.exp(x).sum(1)[:, None]))

    def summed(logits, ids):
        loss = next_token(logits, ids)[0] * (len(ids) - 1)
        return loss, loss - np.log(logits.shape[1])

    def against_the_length(logits, ids):
        loss = next_token(logits, ids)[0]
        return loss, loss - np.log(len(ids))

    def in_bits(logits, ids):
        loss = next_token(logits, ids)[0] / np.log(2)
        return loss, loss - np.log2(logits.shape[1])

    variants = [one_by_one, with_log_sum_exp]
    mistakes = {
        "Row t says what comes after token t; you compared it with token t itself.": not_shifted,
        "Row t predicts the token after it; yours is compared with the token before it.": (
            shifted_back
        ),
        "A large logit overflows in exp: subtract each row's largest first.": overflows,
        "The loss is the mean over the predictions; you summed.": summed,
        "Knowing nothing costs the logarithm of the vocabulary's size, not of the text's length.": (
            against_the_length
        ),
        "This is in bits; the natural logarithm gives nats.": in_bits,
    }
    explain = r"""
    Row $t$ of the logits was computed from the tokens up to $t$, so it is scored on token $t+1$:
    `logits[:-1]` against `ids[1:]`, $N-1$ predictions. Each costs
    $\mathrm{lse}(\text{row})-\text{row}[\text{token}]$. A model that knows nothing
    gives every token $1/V$ and loses $\ln V$; the difference is negative as soon as something is
    learned.
    """


def update(w, g, m, s, step, lr, b1, b2, eps, decay):
    m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2
    direction = m / (1 - b1**step) / (np.sqrt(s / (1 - b2**step)) + eps)
    return w - lr * direction - lr * decay * w, m, s


@question(
    id="adamw-step",
    title="One step of AdamW",
    asks="adamw_step",
    points=2,
    section="sec-pretraining-optimiser",
)
class AdamWStep:
    reference = update

    def cases(rng):
        for name, shape, step, lr, decay, eps, shown in (
            ("the first step", (3,), 1, 0.1, 0.1, 1e-8, True),
            ("a later step", (2, 2), 7, 0.05, 0.1, 1e-8, True),
            ("no decay", (3,), 2, 0.1, 0.0, 1e-8, True),
            ("a large eps", (3,), 3, 0.2, 0.3, 0.5, True),
            ("many weights", (4, 5), 40, 0.01, 0.2, 1e-6, False),
        ):
            w, g = 2 * rng.normal(size=shape), rng.normal(size=shape)
            m, s = 0.3 * rng.normal(size=shape), rng.uniform(0.1, 2.0, size=shape)
            if step == 1:
                m, s = 0 * m, 0 * s
            yield case(name, w, g, m, s, step, lr, 0.9, 0.95, eps, decay, shown=shown)

    def decay_first(w, g, m, s, step, lr, b1, b2, eps, decay):
        w = (1 - lr * decay) * w
        m = m + (1 - b1) * (g - m)
        s = s + (1 - b2) * (g * g - s)
        size = lr * np.sqrt(1 - b2**step) / (1 - b1**step)
        return w - size * m / (np.sqrt(s) + eps * np.sqrt(1 - b2**step)), m, s

    def entry_by_entry(w, g, m, s, step, lr, b1, b2, eps, decay):
        out = np.empty((3, *w.shape))
        for i in np.ndindex(w.shape):
            mean, square = b1 * m[i] + (1 - b1) * g[i], b2 * s[i] + (1 - b2) * g[i] ** 2
            root = (square / (1 - b2**step)) ** 0.5 + eps
            out[0][i] = w[i] - lr * (mean / (1 - b1**step) / root + decay * w[i])
            out[1][i], out[2][i] = mean, square
        return out[0], out[1], out[2]

    def penalty(w, g, m, s, step, lr, b1, b2, eps, decay):
        return update(w, g + decay * w, m, s, step, lr, b1, b2, eps, 0.0)

    def decay_without_lr(w, g, m, s, step, lr, b1, b2, eps, decay):
        new, m, s = update(w, g, m, s, step, lr, b1, b2, eps, 0.0)
        return new - decay * w, m, s

    def uncorrected(w, g, m, s, step, lr, b1, b2, eps, decay):
        m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2
        return w - lr * m / (np.sqrt(s) + eps) - lr * decay * w, m, s

    def corrected_state(w, g, m, s, step, lr, b1, b2, eps, decay):
        new, m, s = update(w, g, m, s, step, lr, b1, b2, eps, decay)
        return new, m / (1 - b1**step), s / (1 - b2**step)

    def eps_inside(w, g, m, s, step, lr, b1, b2, eps, decay):
        _, m, s = update(w, g, m, s, step, lr, b1, b2, eps, decay)
        direction = m / (1 - b1**step) / np.sqrt(s / (1 - b2**step) + eps)
        return w - lr * direction - lr * decay * w, m, s

    def off_by_one(w, g, m, s, step, lr, b1, b2, eps, decay):
        return update(w, g, m, s, step + 1, lr, b1, b2, eps, decay)

    variants = [decay_first, entry_by_entry]
    mistakes = {
        "The decay went into the gradient and is divided by the root too; AdamW keeps it out.": (
            penalty
        ),
        "The decay lacks the learning rate: each step shrinks w by lr times decay.": (
            decay_without_lr
        ),
        "Both means start at 0 and are too small at first; divide by 1 - b1**step, 1 - b2**step.": (
            uncorrected
        ),
        "Return m and s as they are kept; the correction is for the step alone.": corrected_state,
        "Add eps after the square root, not under it.": eps_inside,
        "Steps count from 1: at the first one the corrections are 1 - b1 and 1 - b2.": off_by_one,
    }
    explain = r"""
    $m\leftarrow\beta_1m+(1-\beta_1)g$ and $s\leftarrow\beta_2s+(1-\beta_2)g^2$. The step uses
    $\hat m=m/(1-\beta_1^k)$ and $\hat s=s/(1-\beta_2^k)$ and returns $m$ and $s$ themselves. Then
    $w\leftarrow w-\eta\,\hat m/(\sqrt{\hat s}+\epsilon)-\eta\lambda w$. At step 1
    $\hat m/\sqrt{\hat s}=g/|g|$: every weight moves by $\eta$, and shrinks by $\eta\lambda w$.
    """


def cosine(step, steps, warmup, lr, low):
    if step < warmup:
        return lr * (step + 1) / (warmup + 1)
    share = min(1.0, (step - warmup) / (steps - warmup))
    return low + (lr - low) * (1 + np.cos(np.pi * share)) / 2


@question(
    id="learning-rate",
    title="Up, and slowly down",
    asks="learning_rate",
    points=1,
    section="sec-pretraining-optimiser",
)
class LearningRate:
    reference = cosine

    def cases(rng):
        lr, low = float(rng.uniform(0.001, 0.01)), float(rng.uniform(0.0001, 0.0009))
        for name, step, shown in (
            ("the first step", 0, True),
            ("in the rise", 6, True),
            ("at the top", 10, True),
            ("in the fall", 40, True),
            ("the last step", 100, True),
            ("after the end", 130, True),
            ("elsewhere", int(rng.integers(50, 90)), False),
        ):
            yield case(name, step, 100, 10, lr, low, shown=shown)

    def between(step, steps, warmup, lr, low):
        rise = lr * (step + 1) / (warmup + 1)
        x = np.clip((step - warmup) / (steps - warmup), 0, 1)
        return float(np.where(step < warmup, rise, low + (lr - low) * np.cos(np.pi * x / 2) ** 2))

    def mixed(step, steps, warmup, lr, low):
        if step >= steps:
            return low
        if step >= warmup:
            top = (1 + np.cos(np.pi * (step - warmup) / (steps - warmup))) / 2
            return top * lr + (1 - top) * low
        return np.interp(step, [-1, warmup], [0.0, lr])

    def from_zero(step, steps, warmup, lr, low):
        return lr * step / warmup if step < warmup else cosine(step, steps, warmup, lr, low)

    def whole_run(step, steps, warmup, lr, low):
        return cosine(step, steps, warmup if step < warmup else 0, lr, low)

    def rises_again(step, steps, warmup, lr, low):
        share = (step - warmup) / (steps - warmup)
        fall = low + (lr - low) * (1 + np.cos(np.pi * share)) / 2
        return cosine(step, steps, warmup, lr, low) if step < warmup else fall

    def straight(step, steps, warmup, lr, low):
        share = min(1.0, (step - warmup) / (steps - warmup))
        fall = lr - (lr - low) * share
        return cosine(step, steps, warmup, lr, low) if step < warmup else fall

    variants = [between, mixed]
    mistakes = {
        "At the first step the rate is 0 and nothing moves; begin with lr / (warmup + 1).": (
            from_zero
        ),
        "The cosine begins where the rise ends: count its steps from there.": whole_run,
        "After the end the cosine comes up again; stay at the lowest rate.": rises_again,
        "The fall ends at the lowest rate that is given, not at 0.": (
            lambda step, steps, warmup, lr, low: cosine(step, steps, warmup, lr, 0.0)
        ),
        "The fall is half a cosine; yours is a straight line.": straight,
    }
    explain = r"""
    While `step < warmup` the rate is `lr * (step + 1) / (warmup + 1)`. After it the share
    $x=(k-k_w)/(K-k_w)$ of the fall runs from 0 to 1, and stays 1. The rate
    $\eta_{\min}+\frac12(\eta-\eta_{\min})(1+\cos\pi x)$ is $\eta$ at $x=0$, half way at $x=1/2$ and
    $\eta_{\min}$ at $x=1$.
    """


def weighted(gradients, tokens):
    return sum(n * g for n, g in zip(tokens, gradients, strict=True)) / sum(tokens)


def shortened(g, limit):
    norm = np.sqrt((g**2).sum())
    return g * min(1.0, limit / norm) if norm else g


@question(
    id="accumulate-and-clip",
    title="A large batch in small pieces",
    asks="accumulate",
    points=2,
    section="sec-pretraining-optimiser",
)
class Accumulate:
    def reference(gradients, tokens, limit):
        return shortened(weighted(gradients, tokens), limit)

    def cases(rng):
        for name, tokens, shape, limit, shown in (
            ("equal pieces", [8, 8], (3,), 100.0, True),
            ("a short last piece", [8, 8, 2], (3,), 100.0, True),
            ("clipped", [4, 12], (2, 2), 0.5, True),
            ("short enough already", [5, 5], (2,), 9.0, True),
            ("many pieces, clipped", [7, 1, 9, 3], (4, 3), 0.3, False),
        ):
            gradients = [2 * rng.normal(size=shape) for _ in tokens]
            yield case(name, gradients, tokens, limit, shown=shown)
        yield case("no gradient at all", [np.zeros(2), np.zeros(2)], [3, 4], 1.0)

    def with_average(gradients, tokens, limit):
        g = np.average(np.stack(gradients), axis=0, weights=tokens)
        return g / max(1.0, np.linalg.norm(g.ravel()) / limit)

    def running(gradients, tokens, limit):
        g, seen = np.zeros_like(gradients[0]), 0
        for piece, n in zip(gradients, tokens, strict=True):
            seen += n
            g = g + n / seen * (piece - g)
        length = float(np.sum(g * g)) ** 0.5
        return g if length <= limit else limit / length * g

    def clipped_before(gradients, tokens, limit):
        return weighted([shortened(g, limit) for g in gradients], tokens)

    def always(gradients, tokens, limit):
        g = weighted(gradients, tokens)
        return limit * g / max(np.sqrt((g**2).sum()), 1e-300)

    variants = [with_average, running]
    mistakes = {
        "A piece counts by its tokens; in the plain mean those of a short piece weigh more.": (
            lambda gradients, tokens, limit: shortened(np.mean(gradients, axis=0), limit)
        ),
        "Divide by the number of tokens: the large batch's gradient is a mean too.": (
            lambda gradients, tokens, limit: shortened(
                weighted(gradients, tokens) * sum(tokens), limit
            )
        ),
        "You clipped the pieces; clip once, when they are together.": clipped_before,
        "Each entry was cut on its own, which turns the gradient; shorten it as a whole.": (
            lambda gradients, tokens, limit: np.clip(weighted(gradients, tokens), -limit, limit)
        ),
        "A gradient that is short enough stays as it is; yours is always stretched to the limit.": (
            always
        ),
    }
    explain = r"""
    The large batch's loss is the mean over all tokens, so its gradient is
    $g=\sum_in_ig_i/\sum_in_i$ when piece $i$ has $n_i$ tokens and the mean gradient $g_i$. Then
    $g\cdot\min(1,c/\lVert g\rVert)$, with the norm over all entries together. The order matters: a
    clipped piece no longer weighs what its tokens do.
    """
