"""The training loop against torch's own, its batches, its loss, and what it refuses."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from coursekit.seq2seq import BOS, EOS, PAD, Translator, Vocabulary, sentences, vocabularies
from coursekit.seq2seq.training import (
    batches_of_pairs,
    encode_pairs,
    fit,
    next_token_loss,
    train_translator,
)


def squared(model, x, y):
    return (model(x) - y).square().mean()


def data(n=16):
    x = torch.linspace(-1, 1, n)[:, None]
    return x, 2 * x + 1


def test_it_takes_adams_steps_down_half_a_cosine():
    mine = nn.Linear(1, 1)
    theirs = copy.deepcopy(mine)
    steps, warmup, lr = 20, 4, 0.05
    fit(mine, squared, itertools.repeat(data()), steps=steps, lr=lr, warmup=warmup, clip=0.5)
    adam = torch.optim.Adam(theirs.parameters(), lr=1.0, betas=(0.9, 0.98))
    up = torch.optim.lr_scheduler.LambdaLR(adam, lambda s: lr * share(s, steps, warmup))
    for _ in range(steps):
        adam.zero_grad()
        squared(theirs, *data()).backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        adam.step()
        up.step()
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(p, q, atol=1e-6)


def share(step, steps, warmup):
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


def test_the_record_has_an_entry_a_step():
    history = fit(nn.Linear(1, 1), squared, itertools.repeat(data()), steps=7)
    assert len(history.losses) == len(history.gradient_norms) == 7
    assert history.cpu_seconds > 0


def test_what_cannot_be_trained_is_said_so():
    x, y = data()
    with pytest.raises(FloatingPointError, match="step 1: the loss is nan"):
        fit(nn.Linear(1, 1), squared, itertools.repeat((x, y * torch.nan)), steps=3)
    with pytest.raises(ValueError, match="ended after 2 of 3"):
        fit(nn.Linear(1, 1), squared, iter([data()] * 2), steps=3)
    with pytest.raises(ValueError, match="steps is 0"):
        fit(nn.Linear(1, 1), squared, itertools.repeat(data()), steps=0)


def test_the_loss_counts_real_targets_only():
    logits = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[4, 5, 2], [6, PAD, PAD]])
    p = logits.softmax(-1)
    chosen = [p[0, 0, 4], p[0, 1, 5], p[0, 2, 2], p[1, 0, 6]]
    expected = -sum(math.log(x) for x in chosen) / 4
    assert next_token_loss(logits, targets).item() == pytest.approx(expected, rel=1e-6)
    with pytest.raises(ValueError, match="all targets are padding"):
        next_token_loss(logits, torch.zeros(2, 3).long())
    with pytest.raises(ValueError, match="wanted"):
        next_token_loss(logits, targets[:, :2])


def test_pairs_are_framed_and_padded():
    pairs = sentences(9, np.random.default_rng(0))
    source, target = vocabularies(pairs)
    sources, targets = encode_pairs(pairs, source, target)
    for pair, s, t in zip(pairs, sources.tolist(), targets.tolist(), strict=True):
        n = len(pair.source)
        assert source.decode(s) == list(pair.source)
        assert target.decode(t) == list(pair.target)
        assert s[n] == EOS
        assert set(s[n + 1 :]) <= {PAD}
        assert t[0] == BOS
        assert t[len(pair.target) + 1] == EOS


def test_an_epoch_shows_every_sentence_once_and_batches_are_of_like_lengths():
    pairs = sentences(64, np.random.default_rng(0))
    source, target = vocabularies(pairs)
    batches = batches_of_pairs(pairs, source, target, np.random.default_rng(1), batch_size=8)
    for _ in range(2):
        epoch = list(itertools.islice(batches, 8))
        rows = [tuple(source.decode(r)) for s, _ in epoch for r in s.tolist()]
        assert sorted(rows) == sorted(p.source for p in pairs)
        spread = np.mean([(s != PAD).sum(1).max() - (s != PAD).sum(1).min() for s, _ in epoch])
        assert spread < np.ptp([len(p.source) for p in pairs]) / 3
    with pytest.raises(ValueError, match="batch_size is 65 and there are 64"):
        next(batches_of_pairs(pairs, source, target, np.random.default_rng(1), batch_size=65))


def test_the_same_seeds_give_the_same_model():
    pairs = sentences(32, np.random.default_rng(0))
    words = vocabularies(pairs)
    models = []
    for _ in range(2):
        model = Translator(*map(len, words), 8, generator=torch.Generator().manual_seed(1))
        rng = np.random.default_rng(2)
        train_translator(model, pairs, *words, rng=rng, steps=3, batch_size=8)
        models.append(model)
    a, b = (m.state_dict() for m in models)
    assert all(torch.equal(a[k], b[k]) for k in a)


class Embeds(nn.Module):
    """A model that is no recurrent network: it looks at the word before only."""

    def __init__(self, size):
        super().__init__()
        self.table = nn.Embedding(size, size)

    def forward(self, source, target_in):
        return self.table(target_in)


def test_any_model_with_source_and_target_in_can_be_trained():
    pairs = sentences(64, np.random.default_rng(0))
    words: tuple[Vocabulary, Vocabulary] = vocabularies(pairs)
    model = Embeds(len(words[1]))
    rng = np.random.default_rng(0)
    history = train_translator(model, pairs, *words, rng=rng, steps=60, batch_size=16, lr=0.1)
    assert np.mean(history.losses[-10:]) < 0.7 * history.losses[0]
