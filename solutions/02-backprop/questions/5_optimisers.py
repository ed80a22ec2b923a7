"""What to do with a gradient: momentum, Adam, and a learning rate that changes."""

import math

import numpy as np

from coursekit import backprop
from coursekit.grading import case, question


def momentum(
    keep=lambda v, g, lr, mu: mu * v + g, ahead=lambda v, g, mu: g + mu * v, sign=-1, old=False
):
    """A step with momentum whose parts a mistake replaces."""

    def step(theta, velocity, gradient, learning_rate, mu, nesterov):
        new = keep(velocity, gradient, learning_rate, mu)
        used = velocity if old else new
        way = ahead(used, gradient, mu) if nesterov else used
        return theta + sign * learning_rate * way, new

    return step


@question(
    id="momentum-step",
    title="A step with momentum",
    asks="momentum_step",
    points=2,
    section="sec-backprop-momentum",
)
class MomentumStep:
    reference = momentum()

    def cases(rng):
        for name, n, mu, nesterov, still, shown in (
            ("heavy ball", 3, 0.9, False, False, True),
            ("Nesterov", 3, 0.8, True, False, True),
            ("the first step, with velocity 0", 2, 0.9, True, True, True),
            ("many parameters", 20, 0.95, True, False, False),
        ):
            velocity = np.zeros(n) if still else rng.normal(size=n)
            theta, gradient = rng.normal(size=n), rng.normal(size=n)
            rate = float(rng.uniform(0.1, 0.4))
            yield case(name, theta, velocity, gradient, rate, mu, nesterov, shown=shown)

    def with_the_library(theta, velocity, gradient, learning_rate, mu, nesterov):
        theta = theta.copy()
        sgd = backprop.SGD([theta], learning_rate, momentum=mu, nesterov=nesterov)
        sgd.v[0] = velocity.copy()
        sgd.step([gradient])
        return theta, sgd.v[0]

    def entry_by_entry(theta, velocity, gradient, learning_rate, mu, nesterov):
        new, moved = [], []
        for t, v, g in zip(theta, velocity, gradient, strict=True):
            new.append(g + v * mu)
            step = g + g * mu + v * mu * mu if nesterov else new[-1]
            moved.append(t - step * learning_rate)
        return np.array(moved), np.array(new)

    def in_place(theta, velocity, gradient, learning_rate, mu, nesterov):
        velocity *= mu
        velocity += gradient
        theta -= learning_rate * (gradient + mu * velocity if nesterov else velocity)
        return theta, velocity

    rate_inside = momentum(lambda v, g, lr, mu: mu * v + lr * g)
    average = momentum(lambda v, g, lr, mu: mu * v + (1 - mu) * g)
    never_ahead = momentum(ahead=lambda v, g, mu: v)
    half_ahead = momentum(ahead=lambda v, g, mu: mu * v)
    uphill = momentum(sign=1)
    old_velocity = momentum(old=True)

    variants = [with_the_library, entry_by_entry]
    mistakes = {
        "The learning rate belongs to the step alone; you put it into the velocity too.": (
            rate_inside
        ),
        "This velocity adds the whole gradient; the factor 1 - mu belongs to an average.": average,
        "With nesterov=True the step goes along g + mu v, with the new velocity v.": never_ahead,
        "Nesterov's step is the gradient plus mu times the velocity; the gradient is missing.": (
            half_ahead
        ),
        "You walked uphill: the step is subtracted.": uphill,
        "Update the velocity first and step with the new one.": old_velocity,
        "You changed the caller's arrays in place: return new ones.": in_place,
    }
    explain = r"""
    First the velocity, $v\leftarrow\mu v+g$, then the parameters, $\theta\leftarrow\theta-\eta v$.
    Nesterov's form looks ahead along the new velocity and steps by $\eta\,(g+\mu v)$. With $v=1$,
    $g=2$, $\mu=0.5$ and $\eta=0.1$ the new velocity is $2.5$; the heavy ball moves by $-0.25$,
    Nesterov by $-0.1\,(2+1.25)=-0.325$. A gradient that stays the same is added up to
    $g/(1-\mu)$ in the long run.
    """


def adam(
    first=lambda m, k, b: m / (1 - b**k),
    second=lambda s, k, b: s / (1 - b**k),
    scale=lambda s, eps: np.sqrt(s) + eps,
    square=lambda g: g**2,
    start=0,
    swap=False,
    sign=-1,
):
    """An Adam class whose parts a mistake replaces."""

    class Adam:
        def __init__(self, learning_rate, beta1, beta2, epsilon):
            self.lr, self.eps, self.k = learning_rate, epsilon, start
            self.b1, self.b2 = (beta2, beta1) if swap else (beta1, beta2)
            self.m = self.s = 0.0

        def step(self, theta, gradient):
            self.k += 1
            self.m = self.b1 * self.m + (1 - self.b1) * gradient
            self.s = self.b2 * self.s + (1 - self.b2) * square(gradient)
            m, s = first(self.m, self.k, self.b1), second(self.s, self.k, self.b2)
            return theta + sign * self.lr * m / scale(s, self.eps)

    return Adam


@question(
    id="adam",
    title="Adam",
    asks="Adam",
    points=3,
    section="sec-backprop-adam",
)
class AdamQuestion:
    def driver(answer, theta, gradients, learning_rate, beta1, beta2, epsilon):
        first, second = (answer(learning_rate, beta1, beta2, epsilon) for _ in range(2))
        path, other = [theta], theta
        for gradient in gradients:
            path.append(first.step(path[-1], gradient))
            other = second.step(other, -2 * gradient)
        return [*path[1:], other]

    reference = adam()

    def cases(rng):
        for name, n, steps, epsilon, shown in (
            ("one step", 3, 1, 1e-8, True),
            ("four steps", 2, 4, 1e-8, True),
            ("small gradients, where epsilon counts", 3, 3, 0.01, True),
            ("thirty steps", 4, 30, 1e-6, False),
        ):
            gradients = [rng.normal(size=n) * (0.1 if epsilon > 1e-3 else 1) for _ in range(steps)]
            yield case(name, rng.normal(size=n), gradients, 0.1, 0.8, 0.9, epsilon, shown=shown)

    class FromTheLibrary:
        def __init__(self, learning_rate, beta1, beta2, epsilon):
            self.settings = {"lr": learning_rate, "betas": (beta1, beta2), "eps": epsilon}
            self.gradients = []

        def step(self, theta, gradient):
            self.theta = theta.copy()
            if not self.gradients:
                self.optimiser = backprop.Adam([self.theta], **self.settings)
            self.optimiser.parameters = [self.theta]
            self.gradients.append(gradient)
            self.optimiser.step([gradient])
            return self.theta

    class FromAllGradients:
        def __init__(self, learning_rate, beta1, beta2, epsilon):
            self.settings, self.seen = (learning_rate, beta1, beta2, epsilon), []

        def step(self, theta, gradient):
            self.seen.append(gradient)
            rate, b1, b2, eps = self.settings
            ages = np.arange(len(self.seen))[::-1]
            m = np.average(self.seen, axis=0, weights=b1**ages)
            s = np.average(np.square(self.seen), axis=0, weights=b2**ages)
            return theta - rate * m / (np.sqrt(s) + eps)

    class Shared:
        state = {"k": 0, "m": 0.0, "s": 0.0}

        def __init__(self, learning_rate, beta1, beta2, epsilon):
            self.rate, self.betas, self.eps = learning_rate, (beta1, beta2), epsilon
            self.state.update(k=0, m=0.0, s=0.0)

        def step(self, theta, gradient):
            (b1, b2), now = self.betas, self.state
            now["k"] += 1
            now["m"] = b1 * now["m"] + (1 - b1) * gradient
            now["s"] = b2 * now["s"] + (1 - b2) * gradient**2
            m, s = now["m"] / (1 - b1 ** now["k"]), now["s"] / (1 - b2 ** now["k"])
            return theta - self.rate * m / (np.sqrt(s) + self.eps)

    uncorrected = adam(lambda m, k, b: m, lambda s, k, b: s)
    half_corrected = adam(second=lambda s, k, b: s)
    from_zero = adam(start=-1)
    inside = adam(scale=lambda s, eps: np.sqrt(s + eps))
    no_root = adam(scale=lambda s, eps: s + eps)
    not_squared = adam(square=np.abs)
    swapped = adam(swap=True)
    uphill = adam(sign=1)

    variants = [FromTheLibrary, FromAllGradients]
    mistakes = {
        "Both averages start at 0 and are too small at first: divide by 1 - beta^k.": uncorrected,
        "You corrected the first average; the second one starts at 0 as well.": half_corrected,
        "Count the steps from 1: with k = 0 the correction divides by 0.": from_zero,
        "Epsilon is added to the root, not under it.": inside,
        "Divide by the root of the second average.": no_root,
        "The second average is one of squared gradients.": not_squared,
        "The two betas changed places: beta1 belongs to the gradients' average.": swapped,
        "You walked uphill: the step is subtracted.": uphill,
        "Two optimisers shared their averages: keep them on self, not on the class.": Shared,
    }
    explain = r"""
    Keep three things on `self`: the step's number $k$ and the two averages, all 0 at first. At each
    step $k$ grows by 1, $m\leftarrow\beta_1m+(1-\beta_1)g$, $s\leftarrow\beta_2s+(1-\beta_2)g^2$,
    and with $\hat m=m/(1-\beta_1^k)$, $\hat s=s/(1-\beta_2^k)$ the parameters move by
    $-\eta\,\hat m/(\sqrt{\hat s}+\epsilon)$. At the first step $\hat m=g$ and $\hat s=g^2$: every
    parameter moves by almost exactly $\eta$, whether its gradient is 100 or 0.01.
    """


def schedule(rise=lambda k, w: (k + 1) / (w + 1), share=lambda k, s, w: (k - w) / (s - w)):
    """Warm-up and half a cosine; a mistake replaces one of them."""

    def rate(k, highest, steps, warmup):
        if k < warmup:
            return highest * rise(k, warmup)
        return highest * (1 + math.cos(math.pi * min(share(k, steps, warmup), 1.0))) / 2

    return rate


@question(
    id="cosine-schedule",
    title="Warm up, then follow a cosine",
    asks="cosine_schedule",
    points=2,
    section="sec-backprop-adam",
)
class CosineSchedule:
    def driver(answer, highest, steps, warmup):
        return [answer(k, highest, steps, warmup) for k in range(steps + 4)]

    reference = schedule()

    def cases(rng):
        for name, steps, warmup, shown in (
            ("four steps of warm-up", 12, 4, True),
            ("no warm-up", 6, 0, True),
            ("one step of warm-up", 9, 1, True),
            ("a longer run", 40, 7, False),
        ):
            yield case(name, float(rng.uniform(0.05, 0.5)), steps, warmup, shown=shown)

    def with_the_library(k, highest, steps, warmup):
        return backprop.cosine(highest, steps, warmup=warmup)(k)

    def with_interpolation(k, highest, steps, warmup):
        if k >= warmup:
            angle = np.interp(k, [warmup, steps], [0, np.pi / 2])
            return highest * np.cos(angle) ** 2
        return np.interp(k, [-1, warmup], [0, highest])

    def no_end(k, highest, steps, warmup):
        if k < warmup:
            return highest * (k + 1) / (warmup + 1)
        return highest * (1 + math.cos(math.pi * (k - warmup) / (steps - warmup))) / 2

    def straight(k, highest, steps, warmup):
        if k < warmup:
            return highest * (k + 1) / (warmup + 1)
        return highest * max(1 - (k - warmup) / (steps - warmup), 0.0)

    def whole(k, highest, steps, warmup):
        if k < warmup:
            return highest * (k + 1) / (warmup + 1)
        return highest * max(math.cos(math.pi * min((k - warmup) / (steps - warmup), 1)), 0.0)

    from_zero = schedule(rise=lambda k, w: k / w)
    too_soon = schedule(rise=lambda k, w: (k + 1) / w)
    from_the_start = schedule(share=lambda k, s, w: k / s)
    too_long = schedule(share=lambda k, s, w: (k - w) / s)

    variants = [with_the_library, with_interpolation]
    mistakes = {
        "Step 0 would not move at all: the warm-up begins with one part of warmup + 1.": from_zero,
        "The top is reached at step warmup, not one before it.": too_soon,
        "The cosine begins where the warm-up ends, at its top; yours began at step 0.": (
            from_the_start
        ),
        "The cosine has steps - warmup steps for its way down.": too_long,
        "After the last step the rate stays 0; your cosine rises again.": no_end,
        "The way down is half a cosine wave, flat at both ends; yours is a straight line.": (
            straight
        ),
        "Half a cosine from 1 to 0 is (1 + cos) / 2; yours is at 0 half-way.": whole,
    }
    explain = r"""
    Below `warmup` the rate is the share $(k+1)/(\text{warmup}+1)$ of the highest. From there on let
    $t=(k-\text{warmup})/(\text{steps}-\text{warmup})$, at most 1, and take
    $\frac12(1+\cos\pi t)$. With a highest rate of 1, 12 steps and 2 of warm-up: $\frac13$,
    $\frac23$, 1 at step 2, $\frac12$ at step 7, 0 from step 12.
    """
