"""The game xy: what its gradients do."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.generative import play, rotation
from tests.tolerances import assert_rounds_to

STEP = st.floats(0.01, 0.9)


def by_gradients(start, lr, steps, rule):
    """The same play with torch's gradients of xy, no matrix."""

    def slopes(x, y):
        a, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (x, y))
        (a * b).backward()
        return a.grad.item(), b.grad.item()

    x, y = start
    for _ in range(steps):
        dx, dy = slopes(x, y)
        if rule == "extragradient":
            dx, dy = slopes(x - lr * dx, y + lr * dy)
        if rule == "alternating":
            dy = slopes(x - lr * dx, y)[1]
        x, y = x - lr * dx, y + lr * dy
    return [x, y]


@given(lr=STEP, rule=st.sampled_from(["simultaneous", "alternating", "extragradient"]))
def test_the_matrix_is_what_the_gradients_do(lr, rule):
    path = play((0.7, -1.2), lr, 7, rule)
    assert path.shape == (8, 2)
    assert_rounds_to(path[-1], by_gradients((0.7, -1.2), lr, 7, rule), terms=100)


@pytest.mark.equation("eq-generative-rotation")
@given(lr=STEP)
def test_steps_at_once_lead_outwards_and_a_step_back_inwards(lr):
    out = np.linalg.norm(play((1.0, 0.0), lr, 20), axis=1)
    assert_rounds_to(out, (1 + lr**2) ** (np.arange(21) / 2), terms=100)
    inwards = np.linalg.norm(play((1.0, 0.0), lr, 20, "extragradient"), axis=1)
    assert_rounds_to(inwards, (1 - lr**2 + lr**4) ** (np.arange(21) / 2), terms=100)


@given(lr=STEP)
def test_turns_by_turns_go_round_an_ellipse(lr):
    """x² + y² - lr x y is kept: neither nearer nor farther, for ever."""
    x, y = play((1.0, 0.5), lr, 200, "alternating").T
    kept = x**2 + y**2 - lr * x * y
    assert_rounds_to(kept, np.full(201, kept[0]), terms=1000)
    assert_rounds_to(np.linalg.det(rotation(lr, "alternating")), 1.0, terms=4)


def test_unknown_rules_and_steps_are_refused():
    with pytest.raises(ValueError, match="'simultaneous', 'alternating' or 'extragradient'"):
        rotation(0.1, "optimistic")
    with pytest.raises(ValueError, match="more than 0 wanted"):
        play((1.0, 0.0), 0.0, 5)
