"""From comparisons: Bradley and Terry, and the policy as its own reward model."""

import numpy as np

from coursekit.grading import case, question


def log_sigmoid(x):
    return -np.logaddexp(0.0, -x)


@question(
    id="bradley-terry",
    title="Which one was preferred?",
    asks="comparison_loss",
    points=2,
    section="sec-posttraining-bradley-terry",
)
class BradleyTerry:
    def reference(chosen, rejected):
        return -log_sigmoid(chosen - rejected).mean()

    def cases(rng):
        yield case("equal rewards", np.array([1.0, -3.0]), np.array([1.0, -3.0]))
        yield case("one comparison", np.array([2.0]), np.array([0.0]))
        yield case("sure, and wrong by far", np.array([-900.0]), np.array([900.0]))
        yield case("several", rng.normal(size=5), rng.normal(size=5))
        yield case("many", 3 * rng.normal(size=30), rng.normal(size=30), shown=False)

    def with_logaddexp(chosen, rejected):
        return np.mean(np.logaddexp(chosen, rejected) - chosen)

    def case_by_case(chosen, rejected):
        costs = []
        for d in (chosen - rejected).tolist():
            costs.append(np.log1p(np.exp(-d)) if d > 0 else np.log1p(np.exp(d)) - d)
        return sum(costs) / len(costs)

    def other_way(chosen, rejected):
        return -log_sigmoid(rejected - chosen).mean()

    def overflows(chosen, rejected):
        with np.errstate(over="ignore", divide="ignore"):
            return -np.log(1 / (1 + np.exp(-(chosen - rejected)))).mean()

    def of_the_mean(chosen, rejected):
        return -log_sigmoid((chosen - rejected).mean())

    def summed(chosen, rejected):
        return -log_sigmoid(chosen - rejected).sum()

    def no_logarithm(chosen, rejected):
        return -np.exp(log_sigmoid(chosen - rejected)).mean()

    variants = [with_logaddexp, case_by_case]
    mistakes = {
        "The chosen one's reward comes first: its lead makes the loss small.": other_way,
        "This overflows where the model is sure and wrong; logaddexp gives log(1 + exp(x)).": (
            overflows
        ),
        "Take the loss of every comparison first, then the mean.": of_the_mean,
        "You summed; the loss is the mean over comparisons.": summed,
        "The loss is minus the logarithm of the probability.": no_logarithm,
    }
    explain = r"""
    $-\log\sigma(d)=\log(1+e^{-d})$ with $d$ the chosen one's lead: `np.logaddexp(0, -d)`, which is
    exact for any $d$. At $d=0$ it is $\log2$, a guess; for $d$ far below zero it is about $-d$.
    """


def margin(c, r, rc, rr, beta):
    return beta * ((c - rc) - (r - rr))


@question(
    id="dpo-loss",
    title="A policy that is its own reward",
    asks="dpo_loss",
    points=2,
    section="sec-posttraining-dpo",
)
class DPOLoss:
    def reference(chosen, rejected, reference_chosen, reference_rejected, beta):
        m = margin(chosen, rejected, reference_chosen, reference_rejected, beta)
        return -log_sigmoid(m).mean(), (m > 0).mean()

    def cases(rng):
        for name, n, beta, moved, shown in (
            ("near the reference", 3, 0.1, 1e-3, True),
            ("one pair", 1, 0.5, 2.0, True),
            ("several pairs", 5, 0.1, 4.0, True),
            ("a high price of moving", 4, 2.0, 1.0, True),
            ("many pairs", 25, 0.3, 3.0, False),
        ):
            rc, rr = -5 * rng.exponential(size=(2, n))
            c, r = rc + moved * rng.normal(size=n), rr + moved * rng.normal(size=n)
            yield case(name, c, r, rc, rr, beta, shown=shown)

    def with_two_rewards(chosen, rejected, reference_chosen, reference_rejected, beta):
        good, bad = beta * (chosen - reference_chosen), beta * (rejected - reference_rejected)
        return np.mean(np.logaddexp(good, bad) - good), np.mean(good > bad)

    def pair_by_pair(chosen, rejected, reference_chosen, reference_rejected, beta):
        rows = zip(chosen, rejected, reference_chosen, reference_rejected, strict=True)
        m = [beta * (c - r) - beta * (rc - rr) for c, r, rc, rr in rows]
        return sum(np.log1p(np.exp(-x)) for x in m) / len(m), sum(x > 0 for x in m) / len(m)

    def no_reference(chosen, rejected, reference_chosen, reference_rejected, beta):
        m = beta * (chosen - rejected)
        return -log_sigmoid(m).mean(), (m > 0).mean()

    def beta_outside(chosen, rejected, reference_chosen, reference_rejected, beta):
        m = margin(chosen, rejected, reference_chosen, reference_rejected, 1.0)
        return -beta * log_sigmoid(m).mean(), (m > 0).mean()

    def other_way(chosen, rejected, reference_chosen, reference_rejected, beta):
        m = -margin(chosen, rejected, reference_chosen, reference_rejected, beta)
        return -log_sigmoid(m).mean(), (m > 0).mean()

    def reference_added(chosen, rejected, reference_chosen, reference_rejected, beta):
        m = margin(chosen, rejected, -reference_chosen, -reference_rejected, beta)
        return -log_sigmoid(m).mean(), (m > 0).mean()

    def divided_by_beta(chosen, rejected, reference_chosen, reference_rejected, beta):
        m = margin(chosen, rejected, reference_chosen, reference_rejected, 1 / beta)
        return -log_sigmoid(m).mean(), (m > 0).mean()

    variants = [with_two_rewards, pair_by_pair]
    mistakes = {
        "What counts is how far both have moved from the reference model.": no_reference,
        "The factor beta multiplies the margin, inside the sigmoid.": beta_outside,
        "The chosen response is to gain on the rejected one; yours is the other way round.": (
            other_way
        ),
        "The reference's log-probabilities are subtracted.": reference_added,
        "The margin is multiplied by beta, not divided.": divided_by_beta,
    }
    explain = r"""
    The implicit reward of a response is $\beta(\log\pi-\log\pi_{\text{ref}})$. The margin is the
    chosen one's minus the rejected one's, and the loss is Bradley and Terry's of that margin. At
    the reference every margin is 0 and the loss $\log2$, whatever the model thinks of the answers.
    """
