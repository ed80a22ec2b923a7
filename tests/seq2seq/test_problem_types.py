"""One to many, many to one, many to many: the tasks are what they say and can be learned."""

import numpy as np
import pytest
import torch

from coursekit.seq2seq import (
    BOS,
    EOS,
    ManyToMany,
    ManyToOne,
    OneToMany,
    Vocabulary,
    agreement,
    digits,
    fit,
    greedy,
    next_token_loss,
    pad_batch,
    roles,
    spelled_numbers,
)
from coursekit.seq2seq.problem_types import ROLES, flip_verb

cross_entropy = torch.nn.functional.cross_entropy


def endless(tensors, batch_size, seed):
    g = torch.Generator().manual_seed(seed)
    while True:
        rows = torch.randperm(len(tensors[0]), generator=g)[:batch_size]
        yield tuple(t[rows] for t in tensors)


def test_flipping_the_verb_twice_changes_nothing_and_once_one_word():
    for tokens, _ in agreement(200, np.random.default_rng(0)):
        flipped = flip_verb(tokens)
        assert sum(a != b for a, b in zip(tokens, flipped, strict=True)) == 1
        assert flip_verb(flipped) == tokens
    with pytest.raises(ValueError, match="no verb"):
        flip_verb(("the", "cat"))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("the cat sees me", "the cat see me"),
        ("the boys ' cat looks for me", "the boys ' cat look for me"),
        ("these boys do not sleep", "these boys does not sleep"),
        ("she is not old", "she are not old"),
    ],
)
def test_the_number_of_the_verb_is_what_is_flipped(right, wrong):
    assert " ".join(flip_verb(right.split())) == wrong
    assert " ".join(flip_verb(wrong.split())) == right


def test_half_of_the_sentences_agree():
    labels = [label for _, label in agreement(2000, np.random.default_rng(1))]
    assert abs(np.mean(labels) - 0.5) < 5 * 0.5 / np.sqrt(2000)


def test_every_clause_has_one_verb_and_a_subject_before_it():
    for tokens, label in roles(300, np.random.default_rng(2)):
        assert len(tokens) == len(label)
        clauses = "".join(str(i) for i in label).split("3")
        assert all(c.startswith("0") and c.count("1") == 1 for c in clauses)
        assert all(list(c) == sorted(c) for c in clauses)
    assert len(ROLES) == 4


def test_no_word_tells_its_role_alone():
    seen = {}
    for tokens, label in roles(500, np.random.default_rng(3)):
        for token, role in zip(tokens, label, strict=True):
            seen.setdefault(token, set()).add(role)
    assert seen["the"] == {ROLES.index("subject"), ROLES.index("rest")}
    assert sum(len(s) > 1 for s in seen.values()) > 50


def test_one_to_many_spells_numbers_that_it_never_saw():
    numbers = spelled_numbers()
    words = Vocabulary.from_sentences(s for _, s in numbers)
    held = [27, 35, 48, 63, 76, 84, 92]
    kept = [(n, s) for n, s in numbers if n not in held]
    x = digits([n for n, _ in kept])
    y = pad_batch([[BOS, *words.encode(s), EOS] for _, s in kept])[0]
    model = OneToMany(20, len(words), 32, generator=torch.Generator().manual_seed(0))

    def loss(model, x, y):
        return next_token_loss(model(x, y[:, :-1]), y[:, 1:])

    fit(model, loss, endless((x, y), 32, 0), steps=300, lr=0.02)
    written = [words.decode(ids) for ids in greedy(model, x, 8)]
    assert np.mean([a == b for a, (_, b) in zip(written, kept, strict=True)]) > 0.95
    new = [words.decode(ids) for ids in greedy(model, digits(held), 8)]
    assert sum(a == numbers[n][1] for a, n in zip(new, held, strict=True)) >= 4


def test_many_to_one_hears_a_wrong_verb():
    rng = np.random.default_rng(0)
    train, test = agreement(3000, rng), agreement(300, rng)
    words = Vocabulary.from_sentences(t for t, _ in train)
    parts = []
    for part in (train, test):
        ids = pad_batch([words.encode(t) for t, _ in part])[0]
        parts.append((ids, torch.tensor([label for _, label in part])))
    model = ManyToOne(len(words), 32, 2, generator=torch.Generator().manual_seed(0))
    fit(model, lambda m, x, y: cross_entropy(m(x), y), endless(parts[0], 64, 0), steps=400, lr=0.01)
    ids, labels = parts[1]
    assert (model(ids).argmax(-1) == labels).float().mean() > 0.9  # chance is one half


def test_many_to_many_labels_every_word():
    rng = np.random.default_rng(0)
    train, test = roles(1000, rng), roles(100, rng)
    words = Vocabulary.from_sentences(t for t, _ in train)
    parts = []
    for part in (train, test):
        ids = pad_batch([words.encode(t) for t, _ in part])[0]
        labels = pad_batch([label for _, label in part])[0]
        parts.append((ids, torch.where(ids == 0, -100, labels)))
    g = torch.Generator().manual_seed(0)
    model = ManyToMany(len(words), 32, 4, bidirectional=False, generator=g)

    def loss(model, ids, labels):
        return cross_entropy(model(ids).flatten(0, 1), labels.flatten())

    fit(model, loss, endless(parts[0], 32, 0), steps=200, lr=0.02)
    ids, labels = parts[1]
    right = (model(ids).argmax(-1) == labels)[labels >= 0]
    assert right.float().mean() > 0.97


@pytest.mark.parametrize(
    "call",
    [
        lambda: digits([100]),
        lambda: agreement(0, np.random.default_rng(0)),
        lambda: roles(0, np.random.default_rng(0)),
        lambda: ManyToOne(9, 4, 2)(torch.tensor([[0, 0]])),
        lambda: ManyToMany(9, 4, 2)(torch.tensor([[9]])),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError, match=r"wanted|padding"):
        call()
