"""From a number: policy gradients, advantages, small steps."""

import numpy as np

from coursekit.grading import case, question


def estimate(p, actions, rewards, baseline, *, score=lambda hot, p: hot - p):
    hot = np.eye(len(p))[actions]
    return ((rewards - baseline)[:, None] * score(hot, p)).mean(axis=0)


@question(
    id="reinforce",
    title="The gradient of a reward",
    asks="reinforce",
    points=2,
    section="sec-posttraining-policy-gradient",
)
class Reinforce:
    def reference(p, actions, rewards, baseline):
        return estimate(p, actions, rewards, baseline)

    def cases(rng):
        yield case("one draw", np.array([0.5, 0.5]), np.array([0]), np.array([1.0]), 0.0)
        for name, k, n, baseline, shown in (
            ("a few draws", 3, 4, 0.5, True),
            ("an action never drawn", 5, 2, 0.0, True),
            ("all as expected", 2, 6, 2.0, True),
            ("many draws", 4, 30, -1.0, False),
        ):
            p = rng.dirichlet(np.ones(k))
            rewards = np.full(n, 2.0) if name == "all as expected" else rng.normal(size=n)
            yield case(name, p, rng.integers(0, k, size=n), rewards, baseline, shown=shown)

    def draw_by_draw(p, actions, rewards, baseline):
        total = np.zeros(len(p))
        for a, r in zip(actions, rewards, strict=True):
            total -= (r - baseline) * p
            total[a] += r - baseline
        return total / len(actions)

    def with_bincount(p, actions, rewards, baseline):
        advantage = rewards - baseline
        pushed = np.bincount(actions, weights=advantage, minlength=len(p))
        return (pushed - advantage.sum() * p) / len(actions)

    def no_baseline(p, actions, rewards, baseline):
        return estimate(p, actions, rewards, 0.0)

    def pushes_only(p, actions, rewards, baseline):
        return estimate(p, actions, rewards, baseline, score=lambda hot, p: hot)

    def over_p(p, actions, rewards, baseline):
        return estimate(p, actions, rewards, baseline, score=lambda hot, p: hot / p)

    def summed(p, actions, rewards, baseline):
        return estimate(p, actions, rewards, baseline) * len(actions)

    def downhill(p, actions, rewards, baseline):
        return -estimate(p, actions, rewards, baseline)

    variants = [draw_by_draw, with_bincount]
    mistakes = {
        "The baseline is taken from every reward first.": no_baseline,
        "Pushing one action up pushes all down by their probability: one-hot minus p.": pushes_only,
        "This is the gradient in p; the logits of a softmax give one-hot minus p.": over_p,
        "You summed; the estimate is the mean over the draws.": summed,
        "The reward is to grow: this is the gradient of the expected reward, not of a loss.": (
            downhill
        ),
    }
    explain = r"""
    For a softmax, $\nabla_z\log\pi(a)=e_a-\pi$. Weigh each draw's with its reward minus the
    baseline, and take the mean. With `np.eye(K)[actions]` all the one-hot rows are there at once.
    Where all rewards equal the baseline, the estimate is exactly zero.
    """


def gae(r, v, gamma, lam, *, last=0.0):
    out, ahead, following = np.zeros(len(r)), 0.0, last
    for t in reversed(range(len(r))):
        ahead = r[t] + gamma * following - v[t] + gamma * lam * ahead
        out[t], following = ahead, v[t]
    return out


@question(
    id="advantages",
    title="Better than expected",
    asks="advantages",
    points=2,
    section="sec-posttraining-ppo",
)
class GeneralisedAdvantages:
    def reference(rewards, values, gamma, lam):
        return gae(rewards, values, gamma, lam)

    def cases(rng):
        yield case(
            "a reward at the end", np.array([0, 0, 1.0]), np.array([0.2, 0.4, 0.9]), 1.0, 0.5
        )
        for name, n, gamma, lam, shown in (
            ("values alone", 4, 0.9, 0.0, True),
            ("rewards alone", 4, 0.9, 1.0, True),
            ("one token", 1, 0.5, 0.7, True),
            ("a long answer", 12, 0.95, 0.8, False),
        ):
            yield case(name, rng.normal(size=n), rng.normal(size=n), gamma, lam, shown=shown)

    def as_a_double_sum(rewards, values, gamma, lam):
        delta = rewards + gamma * np.append(values[1:], 0.0) - values
        n = len(delta)
        return np.array(
            [sum((gamma * lam) ** (s - t) * delta[s] for s in range(t, n)) for t in range(n)]
        )

    def as_a_matrix(rewards, values, gamma, lam):
        n = len(rewards)
        ahead = np.arange(n)[None, :] - np.arange(n)[:, None]
        weights = np.where(ahead >= 0, (gamma * lam) ** np.maximum(ahead, 0), 0.0)
        return weights @ (rewards + gamma * np.r_[values[1:], 0.0] - values)

    def one_step(rewards, values, gamma, lam):
        return rewards + gamma * np.append(values[1:], 0.0) - values

    def without_gamma(rewards, values, gamma, lam):
        return gae(rewards, values, 1.0, lam)

    def forwards(rewards, values, gamma, lam):
        return gae(rewards[::-1], values[::-1], gamma, lam)[::-1]

    def goes_on_after_the_end(rewards, values, gamma, lam):
        return gae(rewards, values, gamma, lam, last=values[-1])

    def returns(rewards, values, gamma, lam):
        return gae(rewards, values, gamma, lam) + values

    variants = [as_a_double_sum, as_a_matrix]
    mistakes = {
        "These are the single differences; each advantage also adds later ones, by gamma lam.": (
            one_step
        ),
        "The next value, and what is ahead, are discounted by gamma.": without_gamma,
        "Go from the last token back: what came before a token does not count for it.": forwards,
        "After the last token there is no value: the next one is 0 there.": goes_on_after_the_end,
        "These are the returns; the advantages are them minus the values.": returns,
    }
    explain = r"""
    $\delta_t=r_t+\gamma V_{t+1}-V_t$ with 0 after the end, and
    $A_t=\delta_t+\gamma\lambda A_{t+1}$. Going backwards needs one running number. With lam = 0
    only $\delta_t$ is left; with lam = 1 the values in between cancel, and what remains is the
    discounted reward to come minus $V_t$.
    """


def objective(now, old, advantages, clip):
    ratio = np.exp(now - old)
    return np.minimum(ratio * advantages, np.clip(ratio, 1 - clip, 1 + clip) * advantages).mean()


@question(
    id="clipped",
    title="Not too far at once",
    asks="clipped_objective",
    points=2,
    section="sec-posttraining-ppo",
)
class Clipped:
    def reference(now, old, advantages, clip):
        return objective(now, old, advantages, clip)

    def cases(rng):
        half, double = np.log([0.1]), np.log([0.2])
        yield case("moved up, and good", double, half, np.array([1.0]), 0.2)
        yield case("moved up, and bad", double, half, np.array([-1.0]), 0.2)
        yield case("moved down, and bad", half, double, np.array([-1.0]), 0.2)
        yield case("moved down, and good", half, double, np.array([2.0]), 0.2)
        for name, n, shown in (("several tokens", 6, True), ("many tokens", 40, False)):
            old = -rng.exponential(1.0, size=n)
            yield case(
                name, old + 0.4 * rng.normal(size=n), old, rng.normal(size=n), 0.1, shown=shown
            )

    def token_by_token(now, old, advantages, clip):
        total = 0.0
        for a, b, A in zip(now, old, advantages, strict=True):
            ratio = np.exp(a - b)
            total += min(ratio, 1 + clip) * A if A > 0 else max(ratio, 1 - clip) * A
        return total / len(now)

    def with_where(now, old, advantages, clip):
        ratio = np.exp(now) / np.exp(old)
        held = np.where(advantages >= 0, np.minimum(ratio, 1 + clip), np.maximum(ratio, 1 - clip))
        return np.dot(held, advantages) / len(now)

    def clipped_only(now, old, advantages, clip):
        return (np.clip(np.exp(now - old), 1 - clip, 1 + clip) * advantages).mean()

    def not_clipped(now, old, advantages, clip):
        return (np.exp(now - old) * advantages).mean()

    def the_greater(now, old, advantages, clip):
        ratio = np.exp(now - old)
        held = np.clip(ratio, 1 - clip, 1 + clip)
        return np.maximum(ratio * advantages, held * advantages).mean()

    def difference(now, old, advantages, clip):
        ratio = 1 + now - old
        held = np.clip(ratio, 1 - clip, 1 + clip)
        return np.minimum(ratio * advantages, held * advantages).mean()

    def upside_down(now, old, advantages, clip):
        return objective(old, now, advantages, clip)

    variants = [token_by_token, with_where]
    mistakes = {
        "A token that went the wrong way must still be pulled back: take the smaller of both.": (
            clipped_only
        ),
        "The ratio is not held within 1 ± clip anywhere.": not_clipped,
        "You take the greater of the two; the objective is the smaller, the pessimistic one.": (
            the_greater
        ),
        "The ratio of two probabilities is exp of the difference of their logarithms.": difference,
        "The ratio is the new probability over the old one.": upside_down,
    }
    explain = r"""
    $\rho=e^{\text{now}-\text{old}}$, then $\min(\rho A,\mathrm{clip}(\rho)A)$, and the mean. For a
    good token, $A>0$, gains stop at $1+\epsilon$; for a bad one they stop at $1-\epsilon$. A token
    that moved the wrong way is not clipped, which is what the minimum is for.
    """


@question(
    id="group-advantages",
    title="Graded on a curve",
    asks="group_advantages",
    points=2,
    section="sec-posttraining-grpo",
)
class GroupAdvantages:
    def reference(rewards):
        centred = rewards - rewards.mean(axis=1, keepdims=True)
        spread = rewards.std(axis=1, keepdims=True)
        return np.where(spread > 0, centred / np.where(spread > 0, spread, 1.0), 0.0)

    def cases(rng):
        yield case("one of four right", np.array([[1.0, 0, 0, 0]]))
        yield case("two prompts", np.array([[1.0, 0], [3.0, 5.0]]))
        yield case("nobody right", np.array([[0.0, 0, 0], [0, 1, 1]]))
        yield case("everybody right", np.array([[1.0, 1, 1, 1], [0, 0, 0, 1]]))
        yield case("any numbers", rng.normal(size=(3, 5)))
        yield case("many", rng.integers(0, 2, size=(8, 6)).astype(float), shown=False)

    def prompt_by_prompt(rewards):
        out = np.zeros_like(rewards)
        for i, group in enumerate(rewards):
            spread = np.sqrt(np.mean(group**2) - np.mean(group) ** 2)
            if len(set(group.tolist())) > 1:
                out[i] = (group - np.mean(group)) / spread
        return out

    def divided_where_it_may_be(rewards):
        centred = rewards - rewards.mean(1)[:, None]
        spread = np.broadcast_to(rewards.std(1)[:, None], rewards.shape)
        return np.divide(centred, spread, out=np.zeros_like(rewards), where=spread > 0)

    def over_everything(rewards):
        return (rewards - rewards.mean()) / rewards.std()

    def down_the_columns(rewards):
        centred, spread = rewards - rewards.mean(axis=0), rewards.std(axis=0)
        return np.where(spread > 0, centred / np.where(spread > 0, spread, 1.0), 0.0)

    def of_a_sample(rewards):
        centred = rewards - rewards.mean(axis=1, keepdims=True)
        spread = rewards.std(axis=1, keepdims=True, ddof=1)
        return np.where(spread > 0, centred / np.where(spread > 0, spread, 1.0), 0.0)

    def not_scaled(rewards):
        return rewards - rewards.mean(axis=1, keepdims=True)

    def divides_by_nothing(rewards):
        with np.errstate(invalid="ignore"):
            return (rewards - rewards.mean(1, keepdims=True)) / rewards.std(1, keepdims=True)

    variants = [prompt_by_prompt, divided_where_it_may_be]
    mistakes = {
        "Mean and deviation belong to each prompt's own group, not to all answers.": (
            over_everything
        ),
        "A row holds the answers to one prompt; you compared answers of different prompts.": (
            down_the_columns
        ),
        "The deviation here divides by the number of answers, not by one less.": of_a_sample,
        "The differences are divided by the group's standard deviation.": not_scaled,
        "A group in which all rewards are equal has deviation 0; its advantages are 0.": (
            divides_by_nothing
        ),
    }
    explain = r"""
    Row by row: subtract the mean and divide by `std(axis=1)`. Where a whole group earned the same,
    there is nothing to learn from it and the advantages are 0, not 0/0. With one right answer of
    four, it gets $\sqrt3$ and each wrong one $-1/\sqrt3$.
    """


@question(
    id="kl-from-samples",
    title="How far has it moved?",
    asks="kl_estimates",
    points=2,
    section="sec-posttraining-kl",
)
class KLFromSamples:
    def reference(policy, reference):
        log_r = reference - policy
        return -log_r.mean(), (np.expm1(log_r) - log_r).mean()

    def cases(rng):
        yield case("nothing has moved", np.log([0.5, 0.2]), np.log([0.5, 0.2]))
        yield case("one token", np.log([0.6]), np.log([0.3]))
        yield case("a token that has become rarer", np.log([0.2]), np.log([0.8]))
        for name, n, shown in (("several tokens", 5, True), ("many tokens", 50, False)):
            policy = -rng.exponential(1.0, size=n)
            yield case(name, policy, policy + 0.3 * rng.normal(size=n), shown=shown)

    def with_ratios(policy, reference):
        r = np.exp(reference) / np.exp(policy)
        return np.mean(policy - reference), np.mean(r - 1 - np.log(r))

    def token_by_token(policy, reference):
        k1 = k3 = 0.0
        for p, q in zip(policy, reference, strict=True):
            k1, k3 = k1 + p - q, k3 + np.exp(q - p) - 1 - (q - p)
        return k1 / len(policy), k3 / len(policy)

    def the_other_way(policy, reference):
        log_r = policy - reference
        return -log_r.mean(), (np.expm1(log_r) - log_r).mean()

    def weighted_again(policy, reference):
        log_r, p = reference - policy, np.exp(policy)
        return -(p * log_r).sum(), (p * (np.expm1(log_r) - log_r)).sum()

    def forgot_the_one(policy, reference):
        log_r = reference - policy
        return -log_r.mean(), (np.exp(log_r) - log_r).mean()

    def summed(policy, reference):
        log_r = reference - policy
        return -log_r.sum(), (np.expm1(log_r) - log_r).sum()

    def squared(policy, reference):
        log_r = reference - policy
        return -log_r.mean(), (log_r**2 / 2).mean()

    variants = [with_ratios, token_by_token]
    mistakes = {
        "The ratio r is the reference's probability over that of the policy that drew.": (
            the_other_way
        ),
        "The tokens were drawn from the policy: their mean weighs them already.": weighted_again,
        "The estimate k3 is r - 1 - log r; at r = 1 it must be 0.": forgot_the_one,
        "You summed; both are means over the tokens.": summed,
        "That is k2, half the square; k3 is r - 1 - log r.": squared,
    }
    explain = r"""
    $\log r$ is the difference of the two log-probabilities, reference minus policy. $k_1=-\log r$;
    $k_3=r-1-\log r$, in which `np.expm1` keeps the digits when r is close to 1. Take the means:
    samples from the policy need no further weights.
    """
