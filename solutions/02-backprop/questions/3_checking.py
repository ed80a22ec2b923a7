"""Slopes from function values, and a wrong gradient that they find."""

import math

import numpy as np

from coursekit import backprop
from coursekit.grading import Close, case, question


@question(
    id="central-difference",
    title="A gradient without a derivation",
    asks="central_difference",
    points=2,
    section="sec-backprop-check",
)
class CentralDifference:
    def driver(answer, weights, x, step):
        import numpy as np

        def f(v):
            v = np.asarray(v)
            return float(np.sum(weights * np.exp(np.sin(v))) + np.prod(np.cos(v)))

        return answer(f, x, step)

    def reference(f, x, step):
        return backprop.central_difference(f, x, step)

    def cases(rng):
        for name, shape, step, shown in (
            ("three numbers", (3,), 0.1, True),
            ("a table", (2, 3), 0.2, True),
            ("one number", (1,), 0.5, True),
            ("three axes", (2, 2, 3), 0.05, False),
        ):
            yield case(name, rng.normal(size=shape), rng.normal(size=shape), step, shown=shown)

    def on_a_copy(f, x, step):
        found, moved = np.zeros(x.shape), x.copy()
        for i in np.ndindex(x.shape):
            moved[i] = x[i] + step
            above = f(moved)
            moved[i] = x[i] - step
            found[i] = (above - f(moved)) / (2 * step)
            moved[i] = x[i]
        return found

    def with_unit_vectors(f, x, step):
        units = step * np.eye(x.size).reshape(x.size, *x.shape)
        return np.array([(f(x + e) - f(x - e)) / step / 2 for e in units]).reshape(x.shape)

    def slopes(slope):
        def answer(f, x, step):
            units = np.eye(x.size).reshape(x.size, *x.shape)
            return np.array([slope(f, x, step, e) for e in units]).reshape(x.shape)

        return answer

    one_sided = slopes(lambda f, x, h, e: (f(x + h * e) - f(x)) / h)
    half_a_step = slopes(lambda f, x, h, e: (f(x + h * e / 2) - f(x - h * e / 2)) / h)
    no_two = slopes(lambda f, x, h, e: (f(x + h * e) - f(x - h * e)) / h)
    negative = slopes(lambda f, x, h, e: (f(x - h * e) - f(x + h * e)) / (2 * h))
    everywhere = slopes(lambda f, x, h, e: (f(x + h) - f(x - h)) / (2 * h))
    del slopes

    def not_put_back(f, x, step):
        found = np.zeros(x.shape)
        for i in np.ndindex(x.shape):
            x[i] += step
            above = f(x)
            x[i] -= 2 * step
            found[i] = (above - f(x)) / (2 * step)
        return found

    variants = [on_a_copy, with_unit_vectors]
    mistakes = {
        "You compared with f(x) itself; go one step to both sides.": one_sided,
        "You went half a step to each side; the formula goes a whole one.": half_a_step,
        "The two places are 2 h apart: divide by that.": no_two,
        "The sign is turned around: the value above minus the value below.": negative,
        "Move one entry at a time; you moved them all together.": everywhere,
        "An entry stayed moved when you went to the next: put it back, or work on a copy.": (
            not_put_back
        ),
    }
    explain = r"""
    For every entry $i$, of an array of any shape: evaluate $f$ at $x+he_i$ and at $x-he_i$, take
    the difference and divide by $2h$. `np.ndindex(x.shape)` walks over the entries. For $f(x)=x^3$
    at 1 with $h=0.1$ this is $(1.331-0.729)/0.2=3.01$; the derivative is 3, and the error $h^2$.
    One side alone gives 3.31, with an error of the order of $h$.
    """


@question(
    id="step-size-curve",
    title="Draw how good a difference is",
    asks="plot_errors",
    points=2,
    section="sec-backprop-check",
)
class StepSizeCurve:
    seconds = 5.0  # the first picture of a session imports Matplotlib
    compare = Close(rtol=1e-3, atol=1e-12)  # an error of 1e-7 is known to fewer digits

    def driver(answer, x, steps):
        from coursekit.grading.drivers import axes_drawn_by

        ax = axes_drawn_by(answer, x, steps)
        if ax is None:
            return None
        return {
            "horizontal": [line.get_xdata() * 1.0 for line in ax.lines],
            "vertical": [line.get_ydata() * 1.0 for line in ax.lines],
            "scales": [ax.get_xscale(), ax.get_yscale()],
            "labels of the axes": bool(ax.get_xlabel() and ax.get_ylabel()),
        }

    def reference(ax, x, steps):
        one_sided = (np.exp(x + steps) - np.exp(x)) / steps
        central = (np.exp(x + steps) - np.exp(x - steps)) / (2 * steps)
        ax.loglog(steps, abs(one_sided - np.exp(x)))
        ax.loglog(steps, abs(central - np.exp(x)))
        ax.set(xlabel="h", ylabel="error")

    def cases(rng):
        yield case("at one place", float(rng.uniform(0.5, 1.5)), np.geomspace(2e-3, 0.5, 7))
        yield case("left of zero", float(rng.uniform(-1.5, -0.5)), np.geomspace(0.01, 1.0, 5))
        yield case("another", float(rng.uniform(1.5, 2.5)), np.geomspace(5e-3, 0.3, 9), shown=False)

    def with_a_loop(ax, x, steps):
        first, second, right = [], [], math.exp(x)
        for h in steps:
            first.append(abs((math.exp(x + h) - right) / h - right))
            second.append(abs((math.exp(x + h) - math.exp(x - h)) / h / 2 - right))
        ax.plot(steps, first, "o-")
        ax.plot(steps, second, "s--")
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlabel("step")
        ax.set_ylabel("distance from the derivative")

    def with_hyperbolic_functions(ax, x, steps):
        errors = np.stack([np.expm1(steps) / steps, np.sinh(steps) / steps]) - 1
        ax.loglog(steps, errors.T * np.exp(x))
        ax.set(xlabel="h", ylabel="error", title="Two differences")

    def curves(*, change=lambda e, x: abs(e), order=(0, 1), scale="log", labels=True, two=2):
        def draw(ax, x, steps):
            one_sided = (np.exp(x + steps) - np.exp(x)) / steps - np.exp(x)
            central = (np.exp(x + steps) - np.exp(x - steps)) / (two * steps) - np.exp(x)
            for i in order:
                ax.plot(steps, change((one_sided, central)[i], x))
            ax.set(xscale=scale, yscale=scale)
            if labels:
                ax.set(xlabel="h", ylabel="error")

        return draw

    linear = curves(scale="linear")
    swapped = curves(order=(1, 0))
    only_one = curves(order=(1,))
    relative = curves(change=lambda e, x: abs(e) / np.exp(x))
    squared = curves(change=lambda e, x: e**2)
    no_labels = curves(labels=False)
    no_two = curves(two=1)
    del curves

    variants = [with_a_loop, with_hyperbolic_functions]
    mistakes = {
        "On linear axes small errors lie flat on the floor: make both axes logarithmic.": linear,
        "The lines are in the other order: first one-sided, then central.": swapped,
        "One line is missing: draw the one-sided difference and the central one.": only_one,
        "This is the relative error; draw the distance itself.": relative,
        "You squared the errors, which doubles the slopes; take the absolute value.": squared,
        "Say what the axes show: both need a label.": no_labels,
        "The central difference divides by 2 h; yours does not come near the derivative.": no_two,
    }
    explain = r"""
    Both quotients are arrays over the steps; subtract $e^x$, the derivative of $\exp$, and take the
    absolute value. Taylor's formula says what to expect: the one-sided error is near $e^xh/2$, a
    line of slope 1 on logarithmic axes, and the central one near $e^xh^2/6$, of slope 2. At $x=0$
    and $h=0.1$ they are 0.0517 and 0.00167. Below $h\approx10^{-5}$ rounding takes over and the
    central error rises again.
    """


@question(
    id="wrong-gradient",
    title="A wrong gradient that still learns",
    asks="flaws",
    points=4,
    section="sec-backprop-check",
    kind="manual",
)
class WrongGradient:
    rubric = [
        (1, "finds both wrong lines, by checking each array's gradient against differences"),
        (1, "derives the right line for each and shows that the check passes then"),
        (1, "explains for each why the loss falls all the same"),
        (1, "measures what the mistakes cost, over several seeds, and says how sure that is"),
    ]
