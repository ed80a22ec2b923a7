"""Each loss equals a float64 reference written as its formula reads, and so does its gradient.

The references are loops over NumPy numbers that share no code with the library; gradients are
compared with central differences of the references, whose error is about 1e-10.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_expit

from coursekit.posttraining import (
    AdaptiveKL,
    bradley_terry_loss,
    dpo_loss,
    fit_bradley_terry,
    generalised_advantages,
    group_advantages,
    grpo_loss,
    implicit_reward,
    kl_divergence,
    kl_estimate,
    masked_mean,
    penalised_rewards,
    policy_gradient_loss,
    ppo_loss,
    response_mask,
    value_loss,
    whiten,
)
from tests.tolerances import assert_rounds_to, central_difference

SLOPE = 1e-8  # of central differences with step 1e-5 in float64: 1e-10 times second derivatives
seeds = st.integers(0, 2**32 - 1)


def tensor(x, *, grad=False):
    return torch.tensor(np.asarray(x, float), dtype=torch.float64, requires_grad=grad)


def check(loss, reference, *inputs):
    """Assert that `loss` of tensors equals `reference` of arrays, with all gradients."""
    tensors = [tensor(x, grad=True) for x in inputs]
    value = loss(*tensors)
    assert_rounds_to(value.item(), reference(*inputs), terms=100)
    value.backward()
    for i, x in enumerate(inputs):
        slope = central_difference(
            lambda y, i=i: reference(*inputs[:i], y, *inputs[i + 1 :]), np.asarray(x, float)
        )
        found = np.zeros_like(slope) if tensors[i].grad is None else tensors[i].grad.numpy()
        np.testing.assert_allclose(found, slope, atol=SLOPE)


def responses(rng, B=4, T=6):
    """Masks of B contiguous responses, and log-probabilities now and before."""
    mask = np.zeros((B, T))
    for row in mask:
        start = rng.integers(0, T - 1)
        row[start : rng.integers(start + 1, T + 1)] = 1
    now = -rng.exponential(1.0, (B, T))
    return mask, now, now + 0.3 * rng.standard_normal((B, T))


# --- preferences ----------------------------------------------------------------------------------


@pytest.mark.equation("eq-posttraining-bradley-terry")
@given(seeds)
@settings(max_examples=20, deadline=None)
def test_bradley_terry_is_the_log_probability_of_the_choices(seed):
    won, lost = np.random.default_rng(seed).standard_normal((2, 5)) * 3
    check(
        bradley_terry_loss,
        lambda w, v: np.mean([-np.log(expit(a - b)) for a, b in zip(w, v, strict=True)]),
        won,
        lost,
    )


def test_a_huge_margin_costs_itself_and_never_infinity():
    assert bradley_terry_loss(tensor([-1e4]), tensor([0.0])).item() == 1e4
    assert bradley_terry_loss(tensor([1e4]), tensor([0.0])).item() == 0


def test_strengths_are_found_again_from_their_own_expected_wins():
    strength = np.array([1.5, 0.2, -0.4, -1.3])
    wins = 100 * expit(strength[:, None] - strength)
    np.testing.assert_allclose(fit_bradley_terry(wins), strength, atol=1e-9)


def test_strengths_make_the_slope_of_the_likelihood_zero():
    wins = np.random.default_rng(3).integers(1, 20, (5, 5)).astype(float)
    np.fill_diagonal(wins, 0)

    def likelihood(r):
        return (wins * log_expit(r[:, None] - r)).sum()

    np.testing.assert_allclose(
        central_difference(likelihood, fit_bradley_terry(wins)), 0, atol=1e-5
    )


def test_what_never_lost_has_no_finite_strength():
    with pytest.raises(ValueError, match="never preferred"):
        fit_bradley_terry([[0, 3], [0, 0]])


# --- DPO ------------------------------------------------------------------------------------------


def dpo_reference(c, r, rc, rr, beta=0.3, smoothing=0.0, lengths=None):
    total = 0.0
    for i in range(len(c)):
        a, b = beta * (c[i] - rc[i]), beta * (r[i] - rr[i])
        if lengths is not None:
            a, b = a / lengths[0][i], b / lengths[1][i]
        total -= (1 - smoothing) * np.log(expit(a - b)) + smoothing * np.log(expit(b - a))
    return total / len(c)


@pytest.mark.equation("eq-posttraining-dpo")
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("lengths", [None, ([3, 5, 2, 9], [4, 4, 8, 1])])
def test_dpo_and_its_variants_equal_their_formulas(smoothing, lengths):
    inputs = np.random.default_rng(5).normal(-8, 3, (4, 4))
    given_lengths = None if lengths is None else tuple(torch.tensor(n) for n in lengths)
    check(
        lambda *x: dpo_loss(*x, beta=0.3, label_smoothing=smoothing, lengths=given_lengths),
        lambda *x: dpo_reference(*x, smoothing=smoothing, lengths=lengths),
        *inputs,
    )


@given(seeds, st.floats(0.01, 5))
@settings(max_examples=30, deadline=None)
def test_dpo_at_the_reference_is_log_two_whatever_beta(seed, beta):
    chosen, rejected = (tensor(x) for x in np.random.default_rng(seed).normal(-9, 4, (2, 3)))
    loss = dpo_loss(chosen, rejected, chosen, rejected, beta=beta)
    assert_rounds_to(loss.item(), np.log(2))


@pytest.mark.equation("eq-posttraining-dpo-reward")
def test_the_policy_that_is_optimal_for_a_reward_gives_the_reward_back():
    """pi = ref exp(r / beta) / Z: the implicit reward is r, up to the prompt's beta log Z."""
    rng, beta = np.random.default_rng(0), 0.7
    reference, reward = rng.dirichlet(np.ones(6)), rng.standard_normal(6)
    tilted = reference * np.exp(reward / beta)
    policy = tilted / tilted.sum()
    found = implicit_reward(tensor(np.log(policy)), tensor(np.log(reference)), beta).numpy()
    constant = -beta * np.log(tilted.sum())
    assert_rounds_to(found, reward + constant, terms=10)


# --- KL -------------------------------------------------------------------------------------------


@pytest.mark.equation("eq-posttraining-kl")
def test_kl_is_torchs_and_never_negative():
    p, q = torch.randn(2, 50, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    exact = torch.nn.functional.kl_div(
        q.log_softmax(-1), p.log_softmax(-1), log_target=True, reduction="none"
    ).sum(-1)
    assert_rounds_to(kl_divergence(p, q), exact, terms=10)
    assert (kl_divergence(p, q) > 0).all()


def test_two_estimators_of_the_kl_are_unbiased_and_one_is_not():
    """Their expectations, summed over the whole vocabulary instead of drawn."""
    p, q = (tensor(x) for x in np.random.default_rng(1).dirichlet(np.ones(5), 2))
    exact = (p * (p / q).log()).sum().item()
    mean = {k: (p * kl_estimate(p.log(), q.log(), k)).sum().item() for k in ("k1", "k2", "k3")}
    assert_rounds_to(mean["k1"], exact)
    assert_rounds_to(mean["k3"], exact)
    assert abs(mean["k2"] - exact) > 0.01 * exact
    assert (kl_estimate(p.log(), q.log(), "k3") >= 0).all()


@pytest.mark.equation("eq-posttraining-reward")
def test_the_penalised_rewards_sum_to_the_score_less_the_price_of_the_kl():
    rng = np.random.default_rng(2)
    mask, kl, _ = responses(rng)
    scores = rng.standard_normal(4)
    found = penalised_rewards(tensor(scores), tensor(kl), tensor(mask), beta=0.2).numpy()
    assert_rounds_to(found.sum(1), scores - 0.2 * (kl * mask).sum(1), terms=6)
    assert (found[mask == 0] == 0).all()


def test_the_price_of_kl_rises_with_too_much_of_it_and_its_steps_are_bounded():
    control = AdaptiveKL(beta=1.0, target=2.0, horizon=10.0)
    control.update(1e9, responses=10)
    assert control.beta == pytest.approx(1.2)  # 20 % at most
    control.update(0.0, responses=10)
    assert control.beta == pytest.approx(1.2 * 0.8)


# --- PPO ------------------------------------------------------------------------------------------


@pytest.mark.equation("eq-posttraining-gae")
@given(seeds, st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_advantages_are_discounted_sums_of_temporal_differences(seed, gamma, lam):
    rng = np.random.default_rng(seed)
    mask, r, v = responses(rng)
    found = generalised_advantages(tensor(r), tensor(v), tensor(mask), gamma=gamma, lam=lam)
    wanted = np.zeros_like(r)
    for b in range(len(mask)):
        places = np.flatnonzero(mask[b])
        for i, t in enumerate(places):
            for j, s in enumerate(places[i:]):
                after = v[b, s + 1] if s + 1 <= places[-1] else 0.0
                wanted[b, t] += (gamma * lam) ** j * (r[b, s] + gamma * after - v[b, s])
    np.testing.assert_allclose(found.advantages.numpy(), wanted, atol=1e-12)
    np.testing.assert_allclose(found.returns.numpy(), (wanted + v) * mask, atol=1e-12)


def ppo_reference(now, old, A, mask, clip=0.2):
    total = 0.0
    for b, t in zip(*np.nonzero(mask), strict=True):
        ratio = np.exp(now[b, t] - old[b, t])
        total += min(ratio * A[b, t], min(max(ratio, 1 - clip), 1 + clip) * A[b, t])
    return -total / mask.sum()


@pytest.mark.equation("eq-posttraining-ppo")
@pytest.mark.parametrize("seed", range(5))
def test_ppo_equals_its_formula(seed):
    rng = np.random.default_rng(seed)
    mask, now, old = responses(rng)
    A = rng.standard_normal(now.shape)
    check(
        lambda now: ppo_loss(now, tensor(old), tensor(A), tensor(mask)),
        lambda now: ppo_reference(now, old, A, mask),
        now,
    )


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_ppos_gradient_where_nothing_has_moved_is_the_policy_gradient(seed):
    rng = np.random.default_rng(seed)
    mask, now, _ = responses(rng)
    A = tensor(rng.standard_normal(now.shape))
    one, two = tensor(now, grad=True), tensor(now, grad=True)
    ppo_loss(one, tensor(now), A, tensor(mask)).backward()
    marked = tensor(mask).bool()
    policy_gradient_loss(two[marked], A[marked]).backward()
    assert_rounds_to(one.grad, two.grad)


def test_a_ratio_beyond_the_clip_earns_nothing_only_on_the_side_that_was_rewarded():
    old = tensor([[0.0, 0.0]])
    now = tensor([[np.log(1.5), np.log(1.5)]], grad=True)
    ppo_loss(now, old, tensor([[1.0, -1.0]]), torch.ones(1, 2)).backward()
    assert now.grad[0, 0] == 0
    assert now.grad[0, 1] > 0.7


def test_the_value_loss_takes_the_worse_of_two_errors():
    rng = np.random.default_rng(4)
    mask, v, old = responses(rng)
    returns = rng.standard_normal(v.shape)

    def reference(v):
        each = [
            max(
                (v[i] - returns[i]) ** 2,
                (old[i] + np.clip(v[i] - old[i], -0.2, 0.2) - returns[i]) ** 2,
            )
            for i in zip(*np.nonzero(mask), strict=True)
        ]
        return np.mean(each) / 2

    check(lambda v: value_loss(v, tensor(old), tensor(returns), tensor(mask)), reference, v)


def test_whitened_advantages_have_mean_zero_and_variance_one():
    mask, x, _ = responses(np.random.default_rng(6))
    white = whiten(tensor(x), tensor(mask)).numpy()
    kept = white[mask == 1]
    np.testing.assert_allclose([kept.mean(), kept.std()], [0, 1], atol=1e-6)  # eps 1e-8
    assert (white[mask == 0] == 0).all()


# --- GRPO -----------------------------------------------------------------------------------------


@pytest.mark.equation("eq-posttraining-grpo-advantage")
@given(seeds, st.floats(-1e3, 1e3))
@settings(max_examples=30, deadline=None)
def test_a_constant_of_the_prompt_changes_no_advantage(seed, constant):
    rewards = np.random.default_rng(seed).standard_normal((3, 5))
    shifted = rewards + np.array([[constant], [0.0], [-constant]])
    found = [group_advantages(tensor(r)).numpy() for r in (rewards, shifted)]
    np.testing.assert_allclose(*found, atol=1e-9)  # 1e3 of rounding in differences of order 1
    each = (rewards - rewards.mean(1, keepdims=True)) / rewards.std(1, keepdims=True)
    np.testing.assert_allclose(found[0], each, rtol=1e-4)  # eps of 1e-6 beside deviations of 0.2 up


def test_a_group_that_agrees_teaches_nothing():
    """0.1 is no binary fraction: the mean of three differs from each by rounding."""
    agreed = torch.full((1, 3), 0.1)
    assert (group_advantages(agreed) == 0).all()


def grpo_reference(now, old, ref, A, mask, low, high, beta, over):
    rows = []
    for b in range(len(now)):
        row = []
        for t in np.flatnonzero(mask[b]):
            ratio = np.exp(now[b, t] - old[b, t])
            gain = min(ratio * A[b], np.clip(ratio, 1 - low, 1 + high) * A[b])
            r = np.exp(ref[b, t] - now[b, t])
            row.append(gain - beta * (r - np.log(r) - 1))
        rows.append(row)
    if over == "rows":
        return -np.mean([np.mean(row) for row in rows])
    return -np.mean([x for row in rows for x in row])


@pytest.mark.equation("eq-posttraining-grpo")
@pytest.mark.parametrize("over", ["rows", "tokens"])
@pytest.mark.parametrize("clip", [0.2, (0.2, 0.28)])
def test_grpo_equals_its_formula(over, clip):
    rng = np.random.default_rng(9)
    mask, now, old = responses(rng)
    ref, A = now + 0.2 * rng.standard_normal(now.shape), rng.standard_normal(4)
    low, high = (clip, clip) if isinstance(clip, float) else clip
    check(
        lambda now: grpo_loss(
            now, tensor(old), tensor(ref), tensor(A), tensor(mask), clip=clip, beta=0.1, over=over
        ),
        lambda now: grpo_reference(now, old, ref, A, mask, low, high, 0.1, over),
        now,
    )


def test_padding_of_any_length_changes_no_loss():
    rng = np.random.default_rng(12)
    mask, now, old = responses(rng)
    A = rng.standard_normal(4)

    def loss(extra):
        wide = [np.pad(x, ((0, 0), (0, extra))) for x in (now, old, mask)]
        return grpo_loss(*map(tensor, wide[:2]), None, tensor(A), tensor(wide[2])).item()

    assert loss(0) == pytest.approx(loss(7), abs=1e-14)


# --- bad input ------------------------------------------------------------------------------------


def test_an_empty_response_is_refused_by_every_loss():
    mask = torch.tensor([[1, 1], [0, 0]])
    x = torch.zeros(2, 2)
    for loss in (
        lambda: ppo_loss(x, x, x, mask),
        lambda: grpo_loss(x, x, None, x[:, 0], mask),
        lambda: generalised_advantages(x, x, mask),
        lambda: penalised_rewards(x[:, 0], x, mask, 0.1),
        lambda: masked_mean(x, mask),
        lambda: response_mask(mask),
    ):
        with pytest.raises(ValueError, match=r"row 1 .* empty or all padding"):
            loss()


def test_a_reward_that_is_nan_is_refused_and_its_place_said():
    bad = torch.tensor([[1.0, float("nan")]])
    with pytest.raises(ValueError, match=r"rewards has nan at place \(0, 1\)"):
        group_advantages(bad)
    with pytest.raises(ValueError, match="chosen has nan"):
        bradley_terry_loss(bad[0], bad[0])
    with pytest.raises(ValueError, match="rewards has nan"):
        policy_gradient_loss(torch.zeros(1, 2), bad)


def test_a_reference_of_another_vocabulary_is_refused():
    with pytest.raises(ValueError, match="policy has 5 tokens and the reference 6"):
        kl_divergence(torch.zeros(5), torch.zeros(6))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: group_advantages(x[:, :1]), "nothing to be compared"),
        (lambda x: group_advantages(x[0]), "nothing to be compared"),
        (lambda x: grpo_loss(x, x, None, x[0], torch.ones(2, 3)), "one for each of the 2"),
        (lambda x: ppo_loss(x, x, x, torch.ones(2, 3), clip=1.0), "0 < low < 1"),
        (lambda x: dpo_loss(*[x[0]] * 4, label_smoothing=0.5), "label_smoothing is 0.5"),
        (lambda x: dpo_loss(*[x[0]] * 4, beta=0), "beta is 0"),
        (lambda x: dpo_loss(*[x[0]] * 4, lengths=(x[0], x[0])), "has 0 tokens"),
        (lambda x: kl_estimate(x, x, "k4"), "one of k1, k2, k3"),
        (lambda x: masked_mean(x, x + 1, over="all"), "'tokens' or 'rows'"),
        (lambda x: generalised_advantages(x, x, torch.tensor([[1, 0, 1]] * 2)), "has a gap"),
        (lambda x: AdaptiveKL(0.1, -1, 1), "target is -1"),
    ],
)
def test_what_cannot_be_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.zeros(2, 3))
