"""Maps between two domains, with and without the wish to come back."""

import pytest
import torch

from coursekit.generative import GaussianMixture, cycle_loss, train_cycle
from tests.generative.near import assert_same, gen

RING = GaussianMixture.ring(4, radius=2.0, variance=0.02)
MOVED = GaussianMixture(RING.weights, RING.means + 3, RING.variances)


@pytest.mark.equation("eq-generative-cycle")
def test_the_cycle_loss_is_how_far_the_round_trip_misses():
    x, y = torch.randn(50, 2, generator=gen()), torch.randn(50, 2, generator=gen(1))
    gaps = [
        abs(a - b)
        for r, s in zip(x.tolist(), y.tolist(), strict=True)
        for a, b in zip(r, s, strict=True)
    ]
    assert_same(cycle_loss(x, y), torch.tensor(sum(gaps) / 100), terms=100)
    assert float(cycle_loss(x, x)) == 0
    with pytest.raises(ValueError, match="equal ones wanted"):
        cycle_loss(x, y[:5])


def test_only_with_the_cycle_loss_do_points_come_back():
    free, bound = (
        train_cycle(RING, MOVED, weight=w, steps=300, generator=gen()) for w in (0.0, 5.0)
    )
    x = RING.sample(400, gen(9))
    misses = [float(cycle_loss(x, t.round_trip(x)).detach()) for t in (free, bound)]
    assert misses[1] < 0.3
    assert misses[1] < 0.4 * misses[0]
    there = bound.forth(x).detach()
    nearest = torch.cdist(there, MOVED.means).min(1).values
    assert float(nearest.median()) < 0.8  # in the other domain, whose blobs are 2.8 apart
    with pytest.raises(ValueError, match="0 or more wanted"):
        train_cycle(RING, MOVED, weight=-1.0, steps=1, generator=gen())
