"""Perplexity, bits per byte, and how documents longer than the context are read."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from coursekit.pretraining import (
    bits_per_byte,
    corpus_nats,
    gpt2_config,
    mean_loss,
    perplexity,
    token_nats,
)
from coursekit.transformer import GPT


def small(**options):
    config = gpt2_config(20, d_model=8, n_layers=1, n_heads=2, max_len=16, **options)
    return GPT(config, generator=torch.Generator().manual_seed(0))


class Uniform(nn.Module):
    """Finds all tokens equally likely, and remembers what it was asked."""

    def __init__(self, vocab_size):
        super().__init__()
        self.vocab_size, self.asked = vocab_size, []
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, ids):
        self.asked.append(ids[0].tolist())
        return torch.zeros(*ids.shape, self.vocab_size)


@pytest.mark.equation("eq-pretraining-perplexity")
def test_perplexity_of_equally_likely_tokens_is_their_number():
    nats = token_nats(Uniform(50), range(30), context=8).sum().item()
    assert perplexity(nats, 29) == pytest.approx(50, rel=1e-5)


@pytest.mark.equation("eq-pretraining-bits-per-byte")
def test_bits_per_byte_do_not_depend_on_how_a_text_is_cut():
    """Coin throws: eight bits, as eight tokens of a byte or four tokens of two bytes."""
    single = 8 * math.log(2)
    double = 4 * math.log(4)
    assert bits_per_byte(single, 8) == bits_per_byte(double, 8) == pytest.approx(1.0)


@pytest.mark.parametrize("length", [1, 2, 8, 9, 10, 25, 40])
@pytest.mark.parametrize("stride", [1, 3, 8])
def test_every_token_is_counted_once_and_with_what_came_before(length, stride):
    model = Uniform(50)
    found = token_nats(model, range(length), context=8, stride=stride)
    assert len(found) == length - 1
    assert all(len(window) <= 8 for window in model.asked)
    assert all(np.diff(window).tolist() == [1] * (len(window) - 1) for window in model.asked)


def test_windows_give_what_one_pass_gives_where_the_document_fits():
    model, ids = small(), list(range(12))
    whole = nn.functional.cross_entropy(
        model(torch.tensor([ids[:-1]]))[0], torch.tensor(ids[1:]), reduction="none"
    )
    torch.testing.assert_close(token_nats(model, ids, context=16), whole.detach())


def test_later_windows_see_the_tokens_before_theirs():
    """Against a loop that asks for each token with the window that counts it."""
    model, ids = small(), (torch.arange(40) * 7 % 20).tolist()
    found = token_nats(model, ids, context=8, stride=4)
    starts = [0] * 8 + [4 * (1 + (i - 8) // 4) for i in range(8, 39)]
    with torch.no_grad():
        for i, start in enumerate(starts):
            log_p = model(torch.tensor([ids[start : i + 1]]))[0, -1].log_softmax(-1)
            assert found[i].item() == pytest.approx(-log_p[ids[i + 1]].item(), abs=1e-5)


def test_documents_add_up_without_dropout_and_leave_the_mode_as_it_was():
    model = small(dropout=0.5).train()
    documents = [[1, 2, 3], [4, 5, 6, 7]]
    first, second = (corpus_nats(model, documents, context=8) for _ in range(2))
    assert first == second
    assert model.training
    alone = sum(corpus_nats(model, [d], context=8) for d in documents)
    assert first == pytest.approx(alone)


def test_the_quick_loss_is_the_mean_over_windows():
    model, tokens = small(), np.arange(33, dtype=np.uint16) % 20
    slow = torch.stack(
        [token_nats(model, tokens[s : s + 9].tolist(), context=8).mean() for s in (0, 8, 16, 24)]
    ).mean()
    assert mean_loss(model, tokens, context=8, batch_size=3) == pytest.approx(slow.item(), abs=1e-5)


def test_too_short_a_validation_text_is_refused():
    with pytest.raises(ValueError, match="8 tokens to validate on; at least context"):
        mean_loss(small(), range(8), context=8)


def test_a_stride_that_skips_tokens_is_refused():
    with pytest.raises(ValueError, match="stride is 9; from 1 to the context of 8"):
        token_nats(small(), range(30), context=8, stride=9)
