"""To noise and back: the closed form, two samplers, guidance, an ODE."""

import itertools

import numpy as np

from coursekit.grading import case, question


def noised(level=None, signal=np.sqrt, noise=None):
    """Answers for the closed form that differ in one place."""

    def answer(x0, betas, t, eps):
        share = np.prod(1 - betas[:t]) if level is None else level(betas, t)
        rest = np.sqrt(1 - share) if noise is None else noise(share)
        return signal(share) * x0 + rest * eps

    return answer


@question(
    id="jump-into-noise",
    title="Many steps in one",
    asks="noised",
    points=1,
    section="sec-generative-diffusion",
)
class JumpIntoNoise:
    reference = noised()

    def cases(rng):
        for name, n, T, t, shown in (
            ("three steps of five", 3, 5, 3, True),
            ("the first step", 2, 4, 1, True),
            ("all steps", 4, 6, 6, True),
            ("half way", 5, 20, 10, False),
        ):
            betas = rng.uniform(0.05, 0.4, size=T)
            yield case(name, rng.normal(size=n), betas, t, rng.normal(size=n), shown=shown)

    def by_logarithms(x0, betas, t, eps):
        share = np.exp(np.sum(np.log1p(-betas[:t])))
        return np.sqrt(share) * x0 + np.sqrt(1 - share) * eps

    def by_its_moments(x0, betas, t, eps):
        mean, variance = x0.copy(), 0.0
        for beta in betas[:t]:
            mean = np.sqrt(1 - beta) * mean
            variance = (1 - beta) * variance + beta
        return mean + np.sqrt(variance) * eps

    one_short = noised(level=lambda b, t: np.prod(1 - b[: t - 1]))
    one_alpha = noised(level=lambda b, t: 1 - b[t - 1])
    added_up = noised(level=lambda b, t: np.exp(-np.sum(b[:t])))
    no_root = noised(signal=lambda share: share)
    noise_not_rooted = noised(noise=lambda share: 1 - share)
    not_kept = noised(noise=lambda share: 1 - np.sqrt(share))

    variants = [by_logarithms, by_its_moments]
    mistakes = {
        "Step t counts too: take the first t of the betas.": one_short,
        "This is a single step: multiply 1 - beta over all steps up to t.": one_alpha,
        "The shares 1 - beta are multiplied; adding up the betas is near it only for small ones.": (
            added_up
        ),
        "The signal is scaled by the root of alpha-bar.": no_root,
        "The noise is scaled by the root of 1 - alpha-bar.": noise_not_rooted,
        "The squares of both factors add up to 1, not the factors themselves.": not_kept,
    }
    explain = r"""
    Each step keeps $\sqrt{1-\beta_s}$ of what is there and adds noise of variance $\beta_s$. After
    $t$ steps the signal's factor is $\sqrt{\bar\alpha_t}$ with
    $\bar\alpha_t=\prod_{s\le t}(1-\beta_s)$, and the noise, a sum of Gaussians, has variance
    $1-\bar\alpha_t$.
    """


def stepped(mean_noise=None, variance=None, scale=True):
    """Answers for the ancestral step that differ in one place."""

    def answer(x, eps, bar, bar_before):
        beta = 1 - bar / bar_before
        share = beta / np.sqrt(1 - bar) if mean_noise is None else mean_noise(beta, bar)
        mean = (x - share * eps) / (np.sqrt(1 - beta) if scale else 1.0)
        if variance is not None:
            return mean, variance(beta, bar, bar_before)
        return mean, (1 - bar_before) / (1 - bar) * beta

    return answer


@question(
    id="one-step-back",
    title="One step back",
    asks="step_back",
    points=2,
    section="sec-generative-diffusion",
)
class OneStepBack:
    reference = stepped()

    def cases(rng):
        def shares():
            before = float(rng.uniform(0.3, 0.9))
            return before * float(rng.uniform(0.5, 0.9)), before

        yield case("two pixels", rng.normal(size=2), rng.normal(size=2), *shares())
        yield case("the last step", rng.normal(size=3), rng.normal(size=3), 0.8, 1.0)
        yield case("deep in the noise", rng.normal(size=2), rng.normal(size=2), 0.01, 0.02)
        yield case("a picture", rng.normal(size=16), rng.normal(size=16), *shares(), shown=False)

    def by_the_clean_picture(x, eps, bar, bar_before):
        beta = 1 - bar / bar_before
        clean = (x - np.sqrt(1 - bar) * eps) / np.sqrt(bar)
        of_clean = np.sqrt(bar_before) * beta / (1 - bar)
        of_x = np.sqrt(1 - beta) * (1 - bar_before) / (1 - bar)
        return of_clean * clean + of_x * x, (1 - bar_before) / (1 - bar) * beta

    def by_bayes_rule(x, eps, bar, bar_before):
        alpha = bar / bar_before
        clean = (x - np.sqrt(1 - bar) * eps) / np.sqrt(bar)
        if bar_before == 1.0:
            return clean, 0.0
        # two looks at the picture before: from the clean one, and from the noisier one
        precision = 1 / (1 - bar_before) + alpha / (1 - alpha)
        looks = np.sqrt(bar_before) * clean / (1 - bar_before) + np.sqrt(alpha) * x / (1 - alpha)
        return looks / precision, 1 / precision

    all_the_noise = stepped(mean_noise=lambda beta, bar: np.sqrt(1 - bar))
    root_of_beta = stepped(mean_noise=lambda beta, bar: np.sqrt(beta))
    not_scaled = stepped(scale=False)
    plain_beta = stepped(variance=lambda beta, bar, before: beta)
    a_deviation = stepped(
        variance=lambda beta, bar, before: np.sqrt((1 - before) / (1 - bar) * beta)
    )

    variants = [by_the_clean_picture, by_bayes_rule]
    mistakes = {
        "You took out all the noise at once; a step takes out beta / sqrt(1 - alpha-bar) of it.": (
            all_the_noise
        ),
        "The noise is taken out by beta over the root of 1 - alpha-bar, not by the root of beta.": (
            root_of_beta
        ),
        "The step forward shrank the picture: divide by the root of 1 - beta.": not_scaled,
        "The variance of the step forward is beta; the way back, which also knows the clean "
        "picture, has less.": plain_beta,
        "The second value is the variance, not its root.": a_deviation,
    }
    explain = r"""
    With $\beta=1-\bar\alpha_t/\bar\alpha_{t-1}$ the step back from $x_t$, once the clean picture is
    replaced by its estimate from $\varepsilon$, is a Gaussian with mean
    $\bigl(x_t-\tfrac{\beta}{\sqrt{1-\bar\alpha_t}}\varepsilon\bigr)/\sqrt{1-\beta}$ and variance
    $\tfrac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\beta$, which is 0 in the last step.
    """


def implicit(clean_scale=np.sqrt, sigma=None, direction=None, noise_kept=None):
    """Answers for the implicit step that differ in one place."""

    def answer(x, eps, bar, bar_next, eta, z):
        clean = (x - np.sqrt(1 - bar) * eps) / clean_scale(bar)
        full = np.sqrt((1 - bar_next) / (1 - bar) * (1 - bar / bar_next))
        s = eta * full if sigma is None else sigma(eta, full)
        rest = 1 - bar_next - s**2 if direction is None else direction(bar_next, s)
        way = eps if noise_kept is None else noise_kept(eps, x)
        return np.sqrt(bar_next) * clean + np.sqrt(np.maximum(rest, 0.0)) * way + s * z

    return answer


@question(
    id="implicit-step",
    title="As much chance as you like",
    asks="ddim_step",
    points=2,
    section="sec-generative-ddim",
)
class ImplicitStep:
    reference = implicit()

    def cases(rng):
        for name, n, eta, shown in (
            ("no chance", 2, 0.0, True),
            ("all of it", 3, 1.0, True),
            ("half", 2, 0.5, True),
            ("a picture", 16, 0.7, False),
        ):
            following = float(rng.uniform(0.4, 0.9))
            bar = following * float(rng.uniform(0.2, 0.7))
            yield case(
                name,
                rng.normal(size=n),
                rng.normal(size=n),
                bar,
                following,
                eta,
                rng.normal(size=n),
                shown=shown,
            )

    def in_angles(x, eps, bar, bar_next, eta, z):
        here, there = np.arccos(np.sqrt(bar)), np.arccos(np.sqrt(bar_next))
        clean = (x - np.sin(here) * eps) / np.cos(here)
        s = eta * np.sin(there) / np.sin(here) * np.sqrt(1 - (np.cos(here) / np.cos(there)) ** 2)
        return np.cos(there) * clean + np.sqrt(np.sin(there) ** 2 - s**2) * eps + s * z

    def collected(x, eps, bar, bar_next, eta, z):
        variance = eta**2 * (1 - bar_next) / (1 - bar) * (bar_next - bar) / bar_next
        ratio = np.sqrt(bar_next / bar)
        of_eps = np.sqrt(1 - bar_next - variance) - ratio * np.sqrt(1 - bar)
        return ratio * x + of_eps * eps + np.sqrt(variance) * z

    no_root = implicit(clean_scale=lambda bar: bar)
    chance_on_top = implicit(direction=lambda following, s: 1 - following)
    always_full = implicit(sigma=lambda eta, full: full)
    never = implicit(sigma=lambda eta, full: 0.0)
    eta_in_the_variance = implicit(sigma=lambda eta, full: np.sqrt(eta) * full)
    along_x = implicit(noise_kept=lambda eps, x: x)

    variants = [in_angles, collected]
    mistakes = {
        "The clean picture is divided by the root of alpha-bar.": no_root,
        "New noise takes the place of old: subtract sigma squared from 1 - alpha-bar.": (
            chance_on_top
        ),
        "You left eta out: it says how much of sigma is used.": always_full,
        "No new noise came in: add sigma times z.": never,
        "What eta multiplies is sigma, not its square.": eta_in_the_variance,
        "The direction back to the noise is eps, not x.": along_x,
    }
    explain = r"""
    First the clean picture, $\hat x_0=(x-\sqrt{1-\bar\alpha}\,\varepsilon)/\sqrt{\bar\alpha}$. Then
    go to the next level: $\sqrt{\bar\alpha'}\hat x_0+\sqrt{1-\bar\alpha'-\sigma^2}\,\varepsilon
    +\sigma z$ with $\sigma=\eta\sqrt{\tfrac{1-\bar\alpha'}{1-\bar\alpha}
    (1-\bar\alpha/\bar\alpha')}$. The squares of the two noises add up to $1-\bar\alpha'$ for every
    $\eta$, so that the level is right.
    """


@question(
    id="guided-noise",
    title="Ask more strongly",
    asks="guided",
    points=1,
    section="sec-generative-guidance",
)
class GuidedNoise:
    def reference(with_label, without, w):
        return without + w * (with_label - without)

    def cases(rng):
        for name, n, w, shown in (
            ("strength three", 3, 3.0, True),
            ("the class as it is", 2, 1.0, True),
            ("no class", 2, 0.0, True),
            ("half a class", 5, 0.5, False),
        ):
            yield case(name, rng.normal(size=n), rng.normal(size=n), w, shown=shown)

    def weighted(with_label, without, w):
        return w * with_label + (1 - w) * without

    def number_by_number(with_label, without, w):
        return np.array([b + w * (a - b) for a, b in zip(with_label, without, strict=True)])

    def counted_from_one(with_label, without, w):
        return (1 + w) * with_label - w * without

    def backwards(with_label, without, w):
        return without + w * (without - with_label)

    def from_the_class(with_label, without, w):
        return with_label + w * without

    def scaled(with_label, without, w):
        return w * with_label

    def a_mean(with_label, without, w):
        return (w * with_label + without) / (1 + w)

    variants = [weighted, number_by_number]
    mistakes = {
        "Here strength 1 is the class as it is; you count from 0.": counted_from_one,
        "You moved away from the class: the difference is with the label minus without.": backwards,
        "Subtract the unconditional noise; you added it.": from_the_class,
        "Strength 0 should give the unconditional noise, not nothing.": scaled,
        "This is a mean, which never goes beyond the class; guidance extrapolates.": a_mean,
    }
    explain = r"""
    $\tilde\varepsilon=\varepsilon_\varnothing+w(\varepsilon_y-\varepsilon_\varnothing)$: start at
    the unconditional noise and walk $w$ times the way to the conditional one. 0 stays, 1 arrives,
    3 goes three times as far.
    """


def solved(slope, count=0):
    """Answers for the ODE solver that differ in one place."""

    def answer(velocity, x, n):
        h = 1 / (n + count)
        for k in range(n):
            x = x + h * slope(velocity, x, k * h, h)
        return x

    return answer


def heun_slope(v, x, t, h):
    first = v(x, t)
    return (first + v(x + h * first, t + h)) / 2


@question(
    id="heun",
    title="Look ahead, then go",
    asks="heun",
    points=2,
    section="sec-generative-flow",
)
class Heun:
    def driver(answer, A, b, x, n):
        import numpy as np

        found = answer(lambda x, t: np.tanh(A @ x) + np.cos(3 * t) * b, x.copy(), n)
        return None if found is ... else found

    reference = solved(heun_slope)

    def cases(rng):
        for name, d, n, shown in (
            ("one step", 2, 1, True),
            ("four steps", 2, 4, True),
            ("one number", 1, 3, True),
            ("finer", 4, 10, False),
        ):
            A = 1.5 * rng.normal(size=(d, d))
            yield case(name, A, rng.normal(size=d), rng.normal(size=d), n, shown=shown)

    def with_a_list_of_times(velocity, x, n):
        times = np.linspace(0, 1, n + 1)
        for t, then in itertools.pairwise(times):
            h = then - t
            guess = x + h * velocity(x, t)
            x = x + h * (velocity(x, t) + velocity(guess, then)) / 2
        return x

    def corrected(velocity, x, n):
        h, t = 1 / n, 0.0
        for _ in range(n):
            slope = velocity(x, t)
            guess = x + h * slope
            x = guess + h * (velocity(guess, t + h) - slope) / 2
            t += h
        return x

    euler = solved(lambda v, x, t, h: v(x, t))
    midpoint = solved(lambda v, x, t, h: v(x + h / 2 * v(x, t), t + h / 2))
    time_stands = solved(lambda v, x, t, h: (v(x, t) + v(x + h * v(x, t), t)) / 2)
    place_stands = solved(lambda v, x, t, h: (v(x, t) + v(x, t + h)) / 2)
    not_halved = solved(lambda v, x, t, h: v(x, t) + v(x + h * v(x, t), t + h))
    too_short = solved(heun_slope, count=1)

    variants = [with_a_list_of_times, corrected]
    mistakes = {
        "This is Euler's step: look at the end of it, and take the mean of both slopes.": euler,
        "This is the midpoint rule; Heun looks at the whole step's end.": midpoint,
        "The second look is at time t + h.": time_stands,
        "The second look is at the place where Euler's step ends.": place_stands,
        "Take the mean of both slopes, not their sum.": not_halved,
        "The n steps of length 1 / n lead from 0 to 1; yours end before.": too_short,
    }
    explain = r"""
    With $h=1/n$: $k_1=v(x,t)$, $k_2=v(x+hk_1,t+h)$, and $x$ moves by $\tfrac h2(k_1+k_2)$. It calls
    the velocity twice a step, and its error falls with $h^2$, where Euler's falls with $h$.
    """
