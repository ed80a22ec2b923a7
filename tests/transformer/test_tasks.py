"""Masked tokens and induction: the tasks' own statistics and closed forms."""

import math

import pytest
import torch

from coursekit.transformer import (
    induction_score,
    mask_tokens,
    masked_lm_loss,
    previous_token_score,
    repeated_sequences,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def hidden_of(ids, **options):
    options = {"mask_id": 3, "vocab_size": 1000, "special": (0, 1, 2)} | options
    return mask_tokens(ids, generator=generator(), **options)


def five_errors(p, n):
    return 5 * math.sqrt(p * (1 - p) / n)


@pytest.mark.equation("eq-transformer-masked-lm")
def test_the_shares_of_hidden_tokens_are_berts():
    ids = torch.randint(4, 1000, (400, 500), generator=generator(1))
    hidden, targets = hidden_of(ids)
    chosen = targets != -100
    n = int(chosen.sum())
    assert abs(chosen.float().mean() - 0.15) < five_errors(0.15, ids.numel())
    assert torch.equal(targets[chosen], ids[chosen])
    assert torch.equal(hidden[~chosen], ids[~chosen])
    masked = (hidden[chosen] == 3).float().mean()
    kept = (hidden[chosen] == ids[chosen]).float().mean()
    assert abs(masked - 0.8) < five_errors(0.8, n)
    assert abs(kept - 0.1 - 0.1 / 996) < five_errors(0.1, n)  # a random token may be the true one


def test_special_tokens_are_never_chosen_nor_drawn():
    ids = torch.tensor([[0, 1, 2, 3, 7, 7, 7, 7]]).expand(2000, 8)
    hidden, targets = hidden_of(ids, rate=1.0, vocab_size=8)
    assert (targets[:, :4] == -100).all()
    assert torch.equal(hidden[:, :4], ids[:, :4])
    assert set(hidden[:, 4:].unique().tolist()) == {3, 4, 5, 6, 7}


@pytest.mark.equation("eq-transformer-masked-lm")
def test_the_loss_is_the_mean_surprise_at_the_hidden_places():
    logits = torch.randn(2, 4, 5, generator=generator(2), dtype=torch.float64)
    targets = torch.tensor([[-100, 2, -100, -100], [4, -100, -100, 0]])
    p = logits.exp() / logits.exp().sum(-1, keepdim=True)
    by_hand = -(p[0, 1, 2].log() + p[1, 0, 4].log() + p[1, 3, 0].log()) / 3
    assert abs(float(masked_lm_loss(logits, targets) - by_hand)) < 1e-14


def test_a_batch_with_nothing_hidden_is_refused_and_gives_no_nan():
    with pytest.raises(ValueError, match="no token is hidden"):
        masked_lm_loss(torch.zeros(1, 2, 5), torch.full((1, 2), -100))


@pytest.mark.equation("eq-transformer-induction-score")
@pytest.mark.parametrize("period", [1, 3, 5])
def test_a_perfect_induction_head_scores_one_and_an_even_one_little(period):
    N = 12
    perfect = torch.zeros(2, N, N)
    for i in range(N):
        perfect[:, i, max(i - period + 1, 0)] = 1.0
    assert induction_score(perfect, period).tolist() == [1.0, 1.0]
    even = torch.ones(N, N).tril() / torch.arange(1, N + 1)[:, None]
    expected = sum(1 / (i + 1) for i in range(period, N)) / (N - period)
    assert abs(float(induction_score(even, period)) - expected) < 1e-6


@pytest.mark.equation("eq-transformer-induction-score")
def test_the_score_looks_at_the_token_that_followed_last_time():
    period, N = 4, 11
    tokens = repeated_sequences(1, period=period, length=N, vocab_size=1000, generator=generator())
    for i in range(period, N):
        one = torch.zeros(N, N)
        one[i, i - period + 1] = 1.0
        assert float(induction_score(one, period)) == pytest.approx(1 / (N - period))
        assert tokens[0, i - period] == tokens[0, i]  # the same token stood just before it
        if i + 1 < N:
            assert tokens[0, i - period + 1] == tokens[0, i + 1]  # and it is what comes next


def test_previous_token_heads_are_seen():
    shift = torch.diag(torch.ones(6), -1)
    assert float(previous_token_score(shift)) == 1.0
    assert float(previous_token_score(torch.eye(7))) == 0.0


def test_nothing_can_be_foretold_before_the_first_repeat():
    tokens = repeated_sequences(20_000, period=3, length=6, vocab_size=5, generator=generator(3))
    assert torch.equal(tokens[:, :3], tokens[:, 3:])
    joint = torch.bincount(tokens[:, 0] * 5 + tokens[:, 1], minlength=25) / 20_000
    assert (joint - 1 / 25).abs().max() < five_errors(1 / 25, 20_000)


@pytest.mark.parametrize("period", [0, 5, 6])
def test_a_period_that_does_not_fit_is_refused(period):
    with pytest.raises(ValueError, match=f"period is {period}"):
        induction_score(torch.eye(5), period)


def test_a_period_of_nothing_cannot_repeat():
    with pytest.raises(ValueError, match="at least 1"):
        repeated_sequences(1, period=0, length=3, vocab_size=5, generator=generator())
