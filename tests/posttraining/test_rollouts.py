"""What is kept of answers is what the policy said, and what the verifier said of them."""

import numpy as np
import pytest
import torch

from coursekit.posttraining import (
    CHAT_TOKENS,
    Problem,
    draw_problems,
    response_log_probs,
    roll_out,
    with_chat_tokens,
)
from coursekit.pretraining import train_bpe
from coursekit.transformer import GPT, TransformerConfig


@pytest.fixture(scope="module")
def policy():
    tokenizer = train_bpe("what is the sum of the numbers", 262)
    config = TransformerConfig(tokenizer.vocab_size, 16, n_layers=1, n_heads=2)
    return with_chat_tokens(GPT(config, generator=torch.Generator().manual_seed(0)), tokenizer)


def problems(n=3):
    return draw_problems(n, np.random.default_rng(0))


def test_groups_lie_together_and_carry_the_policys_own_probabilities(policy):
    found = roll_out(*policy, problems(), group=4, max_new_tokens=5)
    assert found.rewards.shape == (3, 4)
    total = torch.where(found.batch.targets, found.old, 0.0).sum(-1)
    with torch.no_grad():
        torch.testing.assert_close(total, response_log_probs(policy[0], found.batch))
    heads = found.batch.ids.view(3, 4, -1)
    for group, mask in zip(heads, found.batch.mask.view(3, 4, -1), strict=True):
        start = int(mask[0].int().argmax())
        assert (group[:, :start] == group[0, :start]).all()  # one prompt


def test_an_answer_that_ended_has_its_end_learned_and_a_cut_one_has_none(policy):
    model, tokenizer = policy
    end = tokenizer.token("<|end|>")
    found = roll_out(model, tokenizer, problems(20), group=4, max_new_tokens=40)
    last = [ids[mask][-1].item() for ids, mask in zip(*found.batch, strict=True)]
    lengths = found.batch.mask.sum(-1).tolist()
    assert {length for length, token in zip(lengths, last, strict=True) if token != end} <= {40}
    assert end in last


def test_the_reward_is_asked_for_each_answer_in_its_place(policy):
    asked = []

    def reward(problem, text):
        asked.append((problem, text))
        return float(len(asked))

    found = roll_out(*policy, problems(2), group=3, reward=reward, max_new_tokens=3)
    assert found.rewards.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert [p for p, _ in asked] == [p for p in problems(2) for _ in range(3)]
    assert [t for _, t in asked] == found.texts


def test_the_policy_is_no_distance_from_itself(policy):
    model, tokenizer = policy
    found = roll_out(model, tokenizer, problems(), group=2, reference=model, max_new_tokens=4)
    assert found.divergence() == 0
    with pytest.raises(ValueError, match="without a reference"):
        roll_out(model, tokenizer, problems(), max_new_tokens=2).divergence()


def test_the_same_seed_draws_the_same_answers_and_the_mode_is_put_back(policy):
    model, tokenizer = policy
    model.train()
    one, two, other = (
        roll_out(model, tokenizer, problems(), max_new_tokens=6, seed=s).texts for s in (1, 1, 2)
    )
    assert model.training
    assert one == two != other


def test_what_cannot_be_is_refused_in_words(policy):
    model, tokenizer = policy
    with pytest.raises(ValueError, match="no problem"):
        roll_out(model, tokenizer, [])
    with pytest.raises(ValueError, match=r"rewards has nan at place \(1, 0\)"):
        roll_out(
            model,
            tokenizer,
            problems(2),
            reward=lambda p, t: float("nan") if p == problems(2)[1] else 0.0,
            max_new_tokens=2,
        )
    plain = train_bpe("what", 256)
    small = GPT(TransformerConfig(256, 8, n_layers=1, n_heads=2))
    with pytest.raises(KeyError, match=r"<\|user\|>"):
        roll_out(small, plain, [Problem("add", "?", "2", (1, 1))])


def test_a_tokenizer_can_be_given_its_chat_tokens_from_the_start():
    tokenizer = train_bpe("what", 259, CHAT_TOKENS)
    model = GPT(TransformerConfig(259, 8, n_layers=1, n_heads=2))
    assert len(roll_out(model, tokenizer, problems(1), max_new_tokens=2).texts) == 1
