"""Training: layers put together, real digits read, and runs that go wrong said so."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.backprop import (
    MLP,
    SGD,
    AdamW,
    BatchNorm,
    Componentwise,
    Dense,
    Dropout,
    Sequential,
    accuracy,
    batches,
    check_gradient,
    cosine,
    digits_cnn,
    digits_split,
    images,
    train,
)
from tests.tolerances import assert_rounds_to

RELATIVE = 1e-10
F = torch.nn.functional


def torch_cnn(parameters, X):
    """The network of `digits_cnn` in torch's operators."""
    K1, w1, K2, w2, W, w = parameters
    o = F.max_pool2d(torch.relu(F.conv2d(X, K1, w1, padding=1)), 2)
    o = F.max_pool2d(torch.relu(F.conv2d(o, K2, w2, padding=1)), 2)
    return F.linear(o.flatten(1), W, w)


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_the_cnn_has_torchs_loss_and_gradients(m, seed):
    rng = np.random.default_rng(seed)
    cnn, X, y = digits_cnn(rng, (3, 4)), rng.normal(size=(m, 1, 8, 8)), rng.integers(10, size=m)
    loss, gradients = cnn.loss_and_gradients(X, y)
    parameters = [torch.tensor(p, requires_grad=True) for p in cnn.parameters]
    expected = F.cross_entropy(torch_cnn(parameters, torch.tensor(X)), torch.tensor(y))
    expected.backward()
    terms = RELATIVE / (16 * np.finfo(float).eps)
    assert_rounds_to(loss, expected.item(), terms=terms)
    for mine, theirs in zip(gradients, parameters, strict=True):
        assert_rounds_to(mine, theirs.grad.numpy(), terms=terms)


def test_a_chain_with_batch_norm_passes_the_gradient_check():
    rng = np.random.default_rng(0)
    model = Sequential([Dense(4, 5, rng), BatchNorm(5), Componentwise("tanh"), Dense(5, 3, rng)])
    X, y = rng.normal(size=(6, 4)), rng.integers(3, size=6)

    def loss(parameters):
        for mine, given_ in zip(model.parameters, parameters, strict=True):
            mine[...] = given_
        return model.loss_and_gradients(X, y)[0]

    parameters = [p.copy() for p in model.parameters]
    assert check_gradient(loss, parameters, model.loss_and_gradients(X, y)[1])


def test_an_mlp_and_a_chain_of_the_same_weights_are_one_network():
    rng = np.random.default_rng(0)
    mlp = MLP([4, 6, 3], rng)
    chain = Sequential([Dense(4, 6, rng), Componentwise("relu"), Dense(6, 3, rng)])
    for a, b in zip(chain.parameters, mlp.parameters, strict=True):
        a[...] = b
    X, y = rng.normal(size=(5, 4)), rng.integers(3, size=5)
    pairs = zip(chain.loss_and_gradients(X, y)[1], mlp.loss_and_gradients(X, y)[1], strict=True)
    for a, b in pairs:
        assert_rounds_to(a, b, terms=50)


def fit(model, data, *, epochs, seed, lr=0.01, prepare=np.asarray):
    """Train with AdamW and a cosine, as the chapter does."""
    X, y = data
    steps = epochs * -(-len(X) // 32)
    return train(
        model,
        AdamW(model.parameters, weight_decay=0.5),
        prepare(X),
        y,
        epochs=epochs,
        batch_size=32,
        rng=np.random.default_rng(seed),
        schedule=cosine(lr, steps),
    )


@pytest.mark.timeout(15)
def test_the_network_written_from_the_formulas_reads_97_percent_of_unseen_digits():
    """Settings were chosen on the validation part; then both parts are learned from."""
    digits = digits_split()
    mlp = MLP([64, 128, 10], np.random.default_rng(0))
    history = fit(mlp, digits.train_and_validation, epochs=40, seed=100)
    assert accuracy(mlp, *digits.test) >= 0.97
    assert history.losses[-1] < history.losses[0] / 10


def test_a_small_cnn_learns_the_digits_in_a_few_epochs():
    digits = digits_split()
    cnn = digits_cnn(np.random.default_rng(0))
    fit(cnn, digits.train, epochs=4, seed=1, prepare=images)
    X, y = digits.validation
    assert accuracy(cnn, images(X), y) > 0.8  # ten classes: chance is 0.1


def test_the_parts_are_disjoint_stratified_and_the_courses_own():
    parts = digits_split()
    assert [len(y) for _, y in parts] == [1085, 357, 355]
    assert len(np.unique(np.concatenate([X for X, _ in parts]), axis=0)) == 1797
    for _, y in parts:
        assert np.abs(np.bincount(y) / len(y) - 0.1).max() < 0.01
    assert len(parts.train_and_validation[0]) == 1085 + 357


def small_run(**options):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), rng.integers(2, size=20)
    mlp = MLP([3, 4, 2], rng)
    sgd = SGD(mlp.parameters, options.pop("lr", 0.1))
    return train(mlp, sgd, X, y, epochs=3, batch_size=8, rng=rng, **options), mlp


def test_the_history_has_one_entry_a_step_and_one_an_epoch():
    history, _ = small_run(schedule=lambda k: 0.1 / (k + 1))
    assert len(history.losses) == len(history.gradient_norms) == 9
    assert history.learning_rates == pytest.approx([0.1 / (k + 1) for k in range(9)])
    assert len(history.train_accuracy) == 3
    assert history.validation_accuracy == []


def test_the_same_generator_gives_the_same_run():
    assert small_run()[0] == small_run()[0]


def test_clipping_bounds_the_first_step():
    _, free = small_run(clip=None)
    _, held = small_run(clip=1e-9)
    start = MLP([3, 4, 2], _generator_after_data())
    moved = [
        np.sqrt(
            sum(((a - b) ** 2).sum() for a, b in zip(m.parameters, start.parameters, strict=True))
        )
        for m in (free, held)
    ]
    assert moved[1] <= 9 * 0.1 * 1e-9 * 1.001
    assert moved[0] > 1e-3


def _generator_after_data():
    rng = np.random.default_rng(0)
    rng.normal(size=(20, 3))
    rng.integers(2, size=20)
    return rng


def test_batches_visit_every_example_once():
    rows = np.concatenate(list(batches(50, 8, np.random.default_rng(0))))
    assert sorted(rows.tolist()) == list(range(50))
    assert rows.tolist() != list(range(50))


def test_dropout_is_off_when_predicting():
    rng = np.random.default_rng(0)
    model = Sequential([Dense(3, 8, rng), Dropout(0.5, rng), Dense(8, 2, rng)])
    X = rng.normal(size=(4, 3))
    assert (model.forward(X) == model.forward(X)).all()
    assert (model.forward(X, training=True) != model.forward(X, training=True)).any()


@pytest.mark.parametrize("lr", [1e8, 1e160])
def test_a_learning_rate_that_diverges_names_the_step_and_the_rate(lr):
    rng = np.random.default_rng(0)
    X, y = digits_split().train
    mlp = MLP([64, 32, 10], rng)
    optimiser = SGD(mlp.parameters, lr, momentum=0.9)
    words = r"step \d+ with learning rate " + re.escape(f"{lr:g}") + ": .*ten times smaller"
    with pytest.raises(FloatingPointError, match=words):
        train(mlp, optimiser, X, y, epochs=20, batch_size=64, rng=rng)


def test_nan_in_the_data_is_not_blamed_on_the_learning_rate():
    rng = np.random.default_rng(0)
    mlp, X = MLP([2, 2], rng), np.array([[np.nan, 1.0]])
    with pytest.raises(FloatingPointError, match=r"step 1: .*NaN in the data"):
        train(mlp, SGD(mlp.parameters, 0.1), X, np.array([0]), epochs=1, batch_size=1, rng=rng)


def test_unequal_lengths_and_large_batches_are_named():
    rng = np.random.default_rng(0)
    mlp = MLP([2, 2], rng)
    sgd = SGD(mlp.parameters, 0.1)
    with pytest.raises(ValueError, match="X has 3 examples and y has 2"):
        train(mlp, sgd, np.ones((3, 2)), np.array([0, 1]), epochs=1, batch_size=1, rng=rng)
    with pytest.raises(ValueError, match="at most 3"):
        train(mlp, sgd, np.ones((3, 2)), np.zeros(3), epochs=1, batch_size=4, rng=rng)
    with pytest.raises(ValueError, match="rows of features"):
        Dense(2, 2, rng).forward(np.ones((3, 4)), training=True)
