"""Maps of what decided: closed forms, completeness, and the test that one of them fails."""

import pytest
import torch
from torch import nn

from coursekit.landscape import (
    VisionTransformer,
    completeness_gap,
    edges,
    gradient_saliency,
    integrated_gradients,
    randomised,
    rank_correlation,
)
from coursekit.seq2seq import fit
from tests.landscape.near import digits


class Product(nn.Module):
    """Two classes: x0 x1, and x0 cubed."""

    def forward(self, x):
        return torch.stack([x[:, 0] * x[:, 1], x[:, 0] ** 3], dim=1)


@pytest.mark.equation("eq-landscape-saliency")
def test_saliency_is_the_size_of_the_gradient():
    x = torch.tensor([[2.0, -3.0], [2.0, -3.0]])
    found = gradient_saliency(Product(), x, torch.tensor([0, 1]))
    torch.testing.assert_close(found, torch.tensor([[3.0, 2.0], [12.0, 0.0]]))


@pytest.mark.equation("eq-landscape-integrated-gradients")
def test_integrated_gradients_have_the_values_of_the_integral():
    x = torch.tensor([[2.0, -3.0], [2.0, -3.0]])
    found = integrated_gradients(Product(), x, torch.tensor([0, 1]), steps=400)
    # of x0 x1 from 0: x0 * integral of a x1 = x0 x1 / 2 for each; of x0 cubed: all to x0
    wanted = torch.tensor([[-3.0, -3.0], [8.0, 0.0]])
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)  # midpoint rule, 1/400^2


def test_a_linear_model_is_explained_with_one_step_and_from_any_baseline():
    model = nn.Linear(3, 2)
    x, start = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[0.5, -1.0, 2.0]])
    target = torch.tensor([1])
    found = integrated_gradients(model, x, target, start, steps=1)
    torch.testing.assert_close(found, (x - start) * model.weight[1].detach())
    with pytest.raises(ValueError, match=r"baseline has shape \(1, 2\)"):
        integrated_gradients(model, x, target, start[:, :2])


@pytest.fixture(scope="module")
def classifier():
    X, y = digits("train")
    g = torch.Generator().manual_seed(0)
    model = VisionTransformer((8, 8), 10, generator=g)

    def batches():
        while True:
            rows = torch.randint(len(X), (64,), generator=g)
            yield X[rows], y[rows]

    def loss(model, x, target):
        return nn.functional.cross_entropy(model(x), target)

    fit(model, loss, batches(), steps=150, lr=5e-3, warmup=20)
    return model


@pytest.fixture(scope="module")
def shown():
    X, y = digits("test")
    return X[:25], y[:25]


def test_the_shares_sum_to_the_change_the_better_the_more_steps(classifier, shown):
    """The midpoint rule's error falls with the square of the steps."""
    gaps = [
        float(
            completeness_gap(classifier, *shown, integrated_gradients(classifier, *shown, steps=n))
            .abs()
            .max()
        )
        for n in (8, 32, 128)
    ]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 1e-2
    gradient = gradient_saliency(classifier, *shown)
    assert completeness_gap(classifier, *shown, gradient).abs().max() > 1


def test_a_map_should_change_with_the_model_and_one_hardly_does(classifier, shown):
    """Adebayo et al. (2018); three seeds gave 0.0 for gradients and 0.9 for integrated ones."""
    layers = ["head", "blocks", "embed", "places"]
    other = randomised(classifier, layers, torch.Generator().manual_seed(1))

    def kept(explain):
        return rank_correlation(explain(classifier, *shown), explain(other, *shown))

    assert abs(kept(gradient_saliency)) < 0.3
    assert kept(integrated_gradients) > 0.7
    assert kept(edges) == pytest.approx(1)


def test_shuffling_keeps_the_weights_and_leaves_the_rest_alone(classifier):
    other = randomised(classifier, ["head"], torch.Generator().manual_seed(0))
    pairs = zip(classifier.named_parameters(), other.named_parameters(), strict=True)
    for (name, p), (_, q) in pairs:
        if name.startswith("head"):
            assert not torch.equal(p, q)
            assert torch.equal(p.flatten().sort().values, q.flatten().sort().values)
        else:
            assert torch.equal(p, q)
    with pytest.raises(ValueError, match="no parameter begins with 'tail'"):
        randomised(classifier, ["tail"], torch.Generator())


def test_maps_of_other_shapes_cannot_be_compared():
    with pytest.raises(ValueError, match="maps have shapes"):
        rank_correlation(torch.ones(1, 2), torch.ones(1, 3))
