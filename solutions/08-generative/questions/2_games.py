"""Two players: what the best critic knows, and which slope the forger gets."""

import numpy as np
import torch
from scipy.special import expit, xlogy
from scipy.stats import entropy

from coursekit.grading import case, question


@question(
    id="optimal-discriminator",
    title="The best discriminator",
    asks="best_game",
    points=2,
    section="sec-generative-gan",
)
class OptimalDiscriminator:
    def reference(p, q):
        D = p / (p + q)
        return D, float(np.sum(xlogy(p, D) + xlogy(q, 1 - D)))

    def cases(rng):
        yield case("three outcomes", rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(3)))
        p = rng.dirichlet(np.ones(4))
        yield case("a perfect forger", p, p.copy())
        first, second = rng.dirichlet(np.ones(2)), rng.dirichlet(np.ones(2))
        zero = np.zeros(2)
        yield case("worlds apart", np.concatenate([first, zero]), np.concatenate([zero, second]))
        yield case("many", rng.dirichlet(np.ones(9)), rng.dirichlet(np.ones(9)), shown=False)

    def outcome_by_outcome(p, q):
        D = np.zeros_like(p)
        value = 0.0
        for i, (a, b) in enumerate(zip(p, q, strict=True)):
            D[i] = a / (a + b)
            value += (a * np.log(D[i]) if a else 0.0) + (b * np.log(1 - D[i]) if b else 0.0)
        return D, value

    def by_jensen_and_shannon(p, q):
        middle = (p + q) / 2
        shannon = (entropy(p, middle) + entropy(q, middle)) / 2
        return p / (p + q), 2 * shannon - np.log(4)

    def of_the_forgeries(p, q):
        D = q / (p + q)
        return D, float(np.sum(xlogy(p, D) + xlogy(q, 1 - D)))

    def undecided(p, q):
        D = np.full_like(p, 0.5)
        return D, float(np.sum(xlogy(p, D) + xlogy(q, 1 - D)))

    def only_real(p, q):
        D = p / (p + q)
        return D, float(np.sum(xlogy(p, D)))

    def with_zeros(p, q):
        D = p / (p + q)
        with np.errstate(divide="ignore", invalid="ignore"):
            return D, float(np.sum(p * np.log(D) + q * np.log(1 - D)))

    def halved(p, q):
        D = p / (p + q)
        return D, float(np.sum(xlogy(p, D) + xlogy(q, 1 - D))) / 2

    variants = [outcome_by_outcome, by_jensen_and_shannon]
    mistakes = {
        "D is the probability that x is real: p over p + q.": of_the_forgeries,
        "One half everywhere is the value against a perfect forger only.": undecided,
        "The second term, over the forgeries, is missing.": only_real,
        "Where p is 0 its term is 0, and 0 times the logarithm of 0 is not a number: treat it "
        "apart.": with_zeros,
        "The value is the sum of both terms; you took their mean.": halved,
    }
    explain = r"""
    For each $x$ the term $p\log D+q\log(1-D)$ has slope $p/D-q/(1-D)$, which is 0 at
    $D=p/(p+q)$. Put in, the value is $2\,\mathrm{JS}(p,q)-\log4$: $-\log4$ for a perfect forger,
    0 where real and forged never overlap. `scipy.special.xlogy` knows that $0\log0=0$.
    """


@question(
    id="generator-slopes",
    title="Which slope the forger gets",
    asks="generator_slopes",
    points=1,
    section="sec-generative-gan",
)
class GeneratorSlopes:
    def reference(a):
        return -expit(a), -expit(-a)

    def cases(rng):
        yield case("three logits", np.array([-2.0, 0.0, 2.0]))
        yield case("caught at once", np.array([-30.0, -800.0]))
        yield case("fooled", np.array([5.0, 900.0]))
        yield case("any", 3 * rng.normal(size=6), shown=False)

    def by_tanh(a):
        D = 0.5 + 0.5 * np.tanh(a / 2)
        return -D, -(0.5 - 0.5 * np.tanh(a / 2))

    def by_torch(a):
        found = []
        for loss in (
            lambda t: torch.nn.functional.logsigmoid(-t),
            lambda t: -torch.nn.functional.logsigmoid(t),
        ):
            t = torch.tensor(a, requires_grad=True)
            loss(t).sum().backward()
            found.append(t.grad.numpy())
        return tuple(found)

    def swapped(a):
        return -expit(-a), -expit(a)

    def uphill(a):
        return expit(a), expit(-a)

    def in_d(a):
        with np.errstate(divide="ignore", over="ignore"):
            D = expit(a)
            return -1 / np.maximum(1 - D, 1e-300), -1 / np.maximum(D, 1e-300)

    def same_twice(a):
        return -expit(a), -expit(a)

    def of_the_square(a):
        return -expit(a), -expit(a) * expit(-a)

    variants = [by_tanh, by_torch]
    mistakes = {
        "The first slope belongs to log(1 - D), the second to -log D; you swapped them.": swapped,
        "Both losses fall as the logit rises: the slopes are negative.": uphill,
        "This is the slope in D; go on to the logit, by D' = D (1 - D).": in_d,
        "The second loss is -log D, and has another slope than the first.": same_twice,
        "This is the slope of -D; the second loss is -log D.": of_the_square,
    }
    explain = r"""
    With $D=\sigma(a)$ and $D'=D(1-D)$: $\tfrac{d}{da}\log(1-D)=-D$ and
    $\tfrac{d}{da}(-\log D)=-(1-D)$. Where the discriminator is sure of a forgery, $a\to-\infty$,
    the first slope vanishes just where the forger needs it; the second is $-1$.
    """


def penalty(draw=None, squared=True, target=1.0, over=None, at=None):
    """Answers for the gradient penalty that differ in one place."""

    def answer(critic, real, fake, share):
        x = (at or (lambda r, f, s: s[:, None] * r + (1 - s[:, None]) * f))(real, fake, share)
        x = x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        length = slope.norm(dim=1) if over is None else over(slope)
        gap = (length - target) ** 2 if squared else (length - target).abs()
        return gap.mean()

    return answer


@question(
    id="gradient-penalty",
    title="A critic with a slope of one",
    asks="gradient_penalty",
    points=2,
    section="sec-generative-wasserstein",
)
class GradientPenalty:
    def driver(answer, W, v, real, fake, share):
        import torch

        weight = W.clone().requires_grad_()
        found = answer(lambda x: torch.tanh(x @ weight.T) @ v, real, fake, share)
        if found is None or found is ...:
            return None
        if not torch.is_tensor(found) or not found.requires_grad:
            return {"penalty": found, "slope in the critic's weights": None}
        (slope,) = torch.autograd.grad(found, weight)
        return {"penalty": found.detach(), "slope in the critic's weights": slope}

    reference = penalty()

    def cases(rng):
        def draw(*shape):
            return torch.tensor(rng.normal(size=shape), dtype=torch.float64)

        for name, m, n, H, shown in (
            ("two examples", 2, 2, 3, True),
            ("one example", 1, 3, 2, True),
            ("a batch", 5, 4, 6, True),
            ("more", 7, 3, 4, False),
        ):
            share = torch.tensor(rng.uniform(0.1, 0.9, size=m))
            yield case(name, draw(H, n), draw(H), draw(m, n), draw(m, n) + 1.0, share, shown=shown)

    def example_by_example(critic, real, fake, share):
        total = 0.0
        for r, f, s in zip(real, fake, share, strict=True):
            x = (s * r + (1 - s) * f).clone().requires_grad_()
            slope = torch.autograd.grad(critic(x[None])[0], x, create_graph=True)[0]
            total = total + (slope.square().sum().sqrt() - 1) ** 2
        return total / len(real)

    def by_lerp(critic, real, fake, share):
        x = torch.lerp(fake, real, share[:, None]).requires_grad_()
        values = critic(x)
        slope = torch.autograd.grad(values, x, torch.ones_like(values), create_graph=True)[0]
        return torch.nn.functional.mse_loss(slope.norm(dim=1), torch.ones_like(values))

    def detached(critic, real, fake, share):
        return penalty()(critic, real, fake, share).detach()

    to_zero = penalty(target=0.0)
    absolute = penalty(squared=False)
    whole_batch = penalty(over=lambda slope: slope.norm()[None])
    at_the_real = penalty(at=lambda r, f, s: r)
    squared_length = penalty(over=lambda slope: slope.square().sum(1))

    variants = [example_by_example, by_lerp]
    mistakes = {
        "The critic learns from the penalty: keep the graph, with create_graph=True.": detached,
        "The length of the slope should be near 1, not near 0.": to_zero,
        "Square the gap between the length and 1.": absolute,
        "Each example has a slope of its own; you took the length over the whole batch.": (
            whole_batch
        ),
        "The penalty is taken between the real and the forged example, not at the real one.": (
            at_the_real
        ),
        "This is the squared length; take the root before you subtract 1.": squared_length,
    }
    explain = r"""
    $\hat x=s\,x+(1-s)\,\tilde x$ lies between a real and a forged example. `torch.autograd.grad` of
    the summed critic gives the slope at each $\hat x$, because an example's value depends on that
    example alone; `create_graph=True` lets the penalty $(\lVert\nabla\rVert-1)^2$ be differentiated
    again, by the critic's weights.
    """
