"""Optimisers and schedules against torch's, step for step, and momentum against its theory."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.backprop import (
    SGD,
    Adam,
    AdamW,
    RMSProp,
    clip_by_global_norm,
    constant,
    cosine,
    gradient_descent_rate,
    heavy_ball_rate,
    one_cycle,
    step_decay,
)
from tests.tolerances import assert_rounds_to

STEPS = 60
RELATIVE = 1e-12  # sixty steps of a few operations, each rounding in another order than torch's
CASES = {
    "sgd": (SGD, torch.optim.SGD, {"lr": 0.1}, {}),
    "momentum": (SGD, torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}, {}),
    "nesterov": (SGD, torch.optim.SGD, {"lr": 0.05, "momentum": 0.8, "nesterov": True}, {}),
    "sgd-decay": (SGD, torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}, {}),
    "rmsprop": (RMSProp, torch.optim.RMSprop, {"lr": 0.02}, {"decay": "alpha"}),
    "rmsprop-decay": (
        RMSProp,
        torch.optim.RMSprop,
        {"lr": 0.02, "decay": 0.9, "eps": 1e-6, "weight_decay": 0.1},
        {"decay": "alpha"},
    ),
    "adam": (Adam, torch.optim.Adam, {"lr": 0.03}, {}),
    "adam-decay": (
        Adam,
        torch.optim.Adam,
        {"lr": 0.03, "betas": (0.7, 0.9), "weight_decay": 0.1},
        {},
    ),
    "adamw": (AdamW, torch.optim.AdamW, {"lr": 0.03, "weight_decay": 0.1}, {}),
    "adamw-settings": (
        AdamW,
        torch.optim.AdamW,
        {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.5},
        {},
    ),
}


def bowl(parameters, k):
    """Gradients of a crooked bowl whose minimum moves, so that averages matter."""
    return [p**3 + 0.5 * p - np.sin(k + i) for i, p in enumerate(parameters)]


@pytest.mark.equation("eq-backprop-sgd")
@pytest.mark.equation("eq-backprop-momentum")
@pytest.mark.equation("eq-backprop-adam")
@pytest.mark.equation("eq-backprop-adamw")
@pytest.mark.parametrize("name", CASES)
def test_every_step_is_torchs(name):
    mine, theirs, settings_, renamed = CASES[name]
    rng = np.random.default_rng(0)
    parameters = [rng.normal(size=s) for s in ((3, 4), (5,), ())]
    twins = [torch.tensor(p.copy(), dtype=torch.float64) for p in parameters]
    a = mine(parameters, **settings_)
    b = theirs(twins, **{renamed.get(k, k): v for k, v in settings_.items()})
    for k in range(STEPS):
        a.step(bowl(parameters, k))
        for twin, g in zip(twins, bowl([t.numpy() for t in twins], k), strict=True):
            twin.grad = torch.tensor(g)
        b.step()
        for p, twin in zip(parameters, twins, strict=True):
            assert_rounds_to(p, twin.numpy(), terms=RELATIVE / (16 * np.finfo(float).eps))


@pytest.mark.equation("eq-backprop-sgd")
def test_sgd_moves_the_parameters_against_the_gradient():
    """E088: the step is in θ, not in f(θ)."""
    theta = np.array([1.0, -2.0])
    SGD([theta], lr=0.5).step([[2.0, 4.0]])
    assert theta.tolist() == [0.0, -4.0]


@pytest.mark.equation("eq-backprop-adam")
def test_adams_first_step_is_the_learning_rate_whatever_the_gradient():
    theta = np.zeros(4)
    Adam([theta], lr=0.1, eps=1e-12).step([[1e-6, -1.0, 300.0, 0.0]])
    np.testing.assert_allclose(theta, [-0.1, 0.1, -0.1, 0.0], rtol=2e-6)  # eps is 1e-6 of 1e-6


@pytest.mark.equation("eq-backprop-adamw")
def test_adamw_shrinks_all_weights_alike_and_adam_does_not():
    rates = {}
    for kind in (Adam, AdamW):
        theta = np.ones(2)
        optimiser = kind([theta], lr=0.01, weight_decay=0.1)
        for k in range(50):  # noise of mean zero, weak on one weight and strong on the other
            optimiser.step([(-1) ** k * np.array([0.01, 100.0])])
        rates[kind] = 1 - theta
    assert rates[AdamW][0] == pytest.approx(rates[AdamW][1], rel=1e-3)
    assert rates[Adam][0] > 3 * rates[Adam][1]


def measured_rate(settings_, eigenvalues, steps):
    """Ratio of successive errors, averaged over the second half of the way."""
    theta = np.ones(len(eigenvalues))
    sgd, norms = SGD([theta], settings_.lr, momentum=settings_.momentum), []
    for _ in range(steps):
        sgd.step([eigenvalues * theta])
        norms.append(np.linalg.norm(theta))
    return (norms[-1] / norms[steps // 2]) ** (1 / (steps - 1 - steps // 2))


@pytest.mark.equation("eq-backprop-momentum-rate")
@pytest.mark.parametrize("kappa", [4.0, 25.0, 400.0])
def test_the_heavy_ball_goes_at_the_rate_of_theory(kappa):
    eigenvalues = np.linspace(1.0, kappa, 7)
    root = np.sqrt(kappa)
    theory = (root - 1) / (root + 1)
    found = heavy_ball_rate(1.0, kappa)
    assert found.rate == pytest.approx(theory, rel=1e-12)
    # The two ends are double roots: the error falls like k·rate^k, and the mean over the second
    # half of n steps exceeds the rate by about ln(2)/(n/2).
    steps = int(40 * root)
    assert measured_rate(found, eigenvalues, steps) == pytest.approx(
        theory, rel=2 * np.log(2) / (steps / 2)
    )
    assert found.rate < gradient_descent_rate(1.0, kappa).rate


@pytest.mark.equation("eq-backprop-momentum-rate")
@given(st.floats(0.1, 10), st.floats(1.5, 1000))
@settings(max_examples=30, deadline=None)
def test_the_heavy_balls_settings_put_all_eigenvalues_on_one_circle(low, kappa):
    lr, momentum, rate = heavy_ball_rate(low, low * kappa)
    for eigenvalue in np.linspace(low, low * kappa, 5):
        step = np.array([[1 + momentum - lr * eigenvalue, -momentum], [1.0, 0.0]])
        # a double root splits by the square root of rounding
        assert abs(np.abs(np.linalg.eigvals(step)).max() - rate) < 1e-6


@pytest.mark.parametrize("kappa", [4.0, 50.0])
def test_gradient_descent_goes_at_its_rate(kappa):
    found = gradient_descent_rate(1.0, kappa)
    assert found.rate == pytest.approx((kappa - 1) / (kappa + 1), rel=1e-12)
    assert measured_rate(found, np.array([1.0, kappa]), 60) == pytest.approx(found.rate, rel=1e-9)


def torch_rates(make, lr, steps):
    optimiser = torch.optim.SGD([torch.zeros(1)], lr=lr)
    scheduler, rates = make(optimiser), []
    for _ in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return rates


def test_schedules_are_torchs():
    S, steps = torch.optim.lr_scheduler, 50
    pairs = [
        (step_decay(0.3, 7, 0.5), lambda o: S.StepLR(o, 7, 0.5)),
        (cosine(0.3, steps, final=0.01), lambda o: S.CosineAnnealingLR(o, steps, 0.01)),
        (one_cycle(0.3, steps), lambda o: S.OneCycleLR(o, 0.3, total_steps=steps)),
        (one_cycle(0.3, steps, rise=0.1, divide=5), lambda o: S.OneCycleLR(
            o, 0.3, total_steps=steps, pct_start=0.1, div_factor=5)),
    ]  # fmt: skip
    for schedule, make in pairs:
        mine = [schedule(k) for k in range(steps)]
        np.testing.assert_allclose(mine, torch_rates(make, 0.3, steps), rtol=1e-10)


def test_warm_up_rises_in_equal_steps_to_the_top_and_the_end_is_final():
    rate = cosine(1.0, 20, warmup=4, final=0.1)
    assert np.diff([rate(k) for k in range(5)]) == pytest.approx(0.2)
    assert rate(4) == 1.0
    assert rate(20) == rate(100) == pytest.approx(0.1)
    assert constant(0.3)(5) == 0.3


@given(st.floats(0.01, 10), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_clipping_is_torchs(limit, seed):
    rng = np.random.default_rng(seed)
    gradients = [rng.normal(size=s) for s in ((2, 3), (4,))]
    twins = [torch.zeros(g.shape, dtype=torch.float64) for g in gradients]
    for twin, g in zip(twins, gradients, strict=True):
        twin.grad = torch.tensor(g)
    expected = torch.nn.utils.clip_grad_norm_(twins, limit).item()
    clipped, norm = clip_by_global_norm(gradients, limit)
    assert norm == pytest.approx(expected, rel=1e-12)
    for mine, twin in zip(clipped, twins, strict=True):
        np.testing.assert_allclose(
            mine, twin.grad.numpy(), rtol=1e-5
        )  # torch adds 1e-6 to the norm


def test_parameters_are_changed_in_place_and_gradients_are_not():
    theta, g = np.ones(3), np.ones(3)
    for kind in (SGD, RMSProp, Adam, AdamW):
        kind([theta], lr=0.1).step([g])
    assert (theta < 1).all()
    assert g.tolist() == [1, 1, 1]


P = [np.ones(2)]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: SGD(P, lr=0.0), ValueError, "lr is 0; more than 0"),
        (lambda: SGD(P, lr=0.1, momentum=1.0), ValueError, "below 1"),
        (lambda: SGD(P, lr=0.1, nesterov=True), ValueError, "momentum, which is 0"),
        (lambda: Adam(P, betas=(0.9, 1.5)), ValueError, "betas is 1.5"),
        (lambda: SGD([np.ones(2, dtype=int)], lr=0.1), TypeError, "float64 array wanted"),
        (lambda: SGD([[1.0]], lr=0.1), TypeError, "list"),
        (lambda: SGD(P, lr=0.1).step([]), ValueError, "0 gradients for 1"),
        (lambda: SGD(P, lr=0.1).step([np.ones(3)]), ValueError, r"gradients\[0\] has shape"),
        (lambda: cosine(0.1, 10, warmup=10), ValueError, "fewer than 10"),
        (lambda: one_cycle(0.1, 10, rise=1.0), ValueError, "between 0 and 1"),
        (lambda: clip_by_global_norm(P, 0.0), ValueError, "limit is 0"),
        (lambda: heavy_ball_rate(2.0, 1.0), ValueError, "other way round"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
