"""The game's loop and the batches: what is fed, what moves, what is recorded."""

import math

import pytest
import torch

from coursekit.generative import (
    DigitCritic,
    DigitGenerator,
    GameRules,
    dequantise,
    digit_batches,
    digit_levels,
    new_network,
    play_game,
    to_levels,
    train,
    watched,
)
from tests.generative.near import gen

SMALL = (16,)


def test_batches_hold_training_digits_with_their_labels_only():
    levels, labels = digit_levels("train")
    known = {tuple(row): int(label) for row, label in zip(levels.tolist(), labels, strict=True)}
    batches = digit_batches(lambda levels, labels, g: (dequantise(levels, g), labels), gen())
    for _ in range(3):
        x, told = next(batches)
        for row, label in zip(to_levels(x).tolist(), told.tolist(), strict=True):
            assert known[tuple(row)] == label


def test_what_is_watched_is_measured_before_its_batch():
    curve, seen = [], []
    for batch in watched(iter(range(5)), lambda: len(seen), 2, curve):
        seen.append(batch)
    assert curve == [[0, 0], [2, 2], [4, 4]]


@pytest.mark.parametrize(
    ("loss", "labelled"),
    [
        ("non-saturating", False),
        ("non-saturating", True),
        ("original", False),
        ("wasserstein", False),
    ],
)
def test_both_players_move_and_the_same_seed_plays_the_same_game(loss, labelled):
    def game():
        g = gen(1)
        maker = DigitGenerator(4, SMALL, labelled, g)
        judge = DigitCritic(SMALL, labelled, g)
        before = [p.clone() for p in (*maker.parameters(), *judge.parameters())]
        rules = GameRules(loss, rounds=2, smoothing=0.3, batch_size=16)
        history = play_game(
            maker, judge, rules, n_latent=4, steps=3, generator=g, labelled=labelled
        )
        after = [*maker.parameters(), *judge.parameters()]
        return history, before, after

    history, before, after = game()
    assert all(not torch.equal(a, b) for a, b in zip(before[:-1], after[:-1], strict=True))
    again, _, _ = game()
    assert history.generator == again.generator
    assert len(history.discriminator) == len(history.generator) == 3
    if loss == "non-saturating":
        assert history.discriminator[0] == pytest.approx(math.log(4), abs=0.2)
    if loss == "wasserstein":  # an untrained critic is flat, and its penalty's weight is 10
        assert 5 < history.discriminator[0] < 12


def test_a_hundred_steps_bring_the_mean_image_nearer():
    training = train("gan", 0, steps=100, measure=lambda network: 0.0)
    real = dequantise(digit_levels("train")[0], gen()).mean(0)
    gaps = []
    for network in (new_network("gan", gen(0)), training.network):
        with torch.no_grad():
            x = network(torch.randn(200, 16, generator=gen()))
        gaps.append(float((x.mean(0) - real).abs().mean()))
    assert gaps[1] < 0.7 * gaps[0]
    assert training.curve[-1] == [100, 0.0]


def test_bad_rules_and_a_divergence_are_told():
    with pytest.raises(ValueError, match="'non-saturating', 'original' or 'wasserstein' wanted"):
        GameRules("hinge")
    maker, judge = DigitGenerator(4, SMALL, False, gen()), DigitCritic(SMALL, False, gen())
    maker.layers[0].weight.data.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="a loss is not finite"):
        play_game(maker, judge, GameRules(), n_latent=4, steps=1, generator=gen())
    with pytest.raises(KeyError, match="no recipe 'boltzmann'; there are classifier"):
        train("boltzmann", 0)
