"""SFT, DPO and GRPO with the trainer: what each batch is, and what the loss makes of it."""

import numpy as np
import pytest
import torch

from coursekit.posttraining import (
    CHAT_TOKENS,
    Example,
    GroupBatches,
    Pair,
    PairBatches,
    ProblemBatches,
    brief,
    demonstration,
    dpo_loss,
    draw_pairs,
    draw_problems,
    exact_match,
    group_loss,
    held_out_problems,
    is_right,
    pad_examples,
    preference_loss,
    response_log_probs,
    roll_out,
    sft_loss,
    supervised_loss,
    token_log_probs,
)
from coursekit.pretraining import train_bpe
from coursekit.transformer import GPT, TransformerConfig

TASKS = ("add", "last", "last")


@pytest.fixture(scope="module")
def tokenizer():
    return train_bpe("what is the sum of the last letter", 262, CHAT_TOKENS)


def gpt(vocab_size=262, seed=0):
    config = TransformerConfig(vocab_size, 16, n_layers=1, n_heads=2, positions="rotary")
    return GPT(config, generator=torch.Generator().manual_seed(seed)).double()


def gradient(model, loss):
    model.zero_grad()
    loss.backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


# --- supervised -----------------------------------------------------------------------------------


def test_the_loss_is_that_of_the_whole_batch_however_it_is_shared(tokenizer):
    """Rows have answers of different length: equal parts' plain means would not do."""
    model = gpt()
    ids, weights = ProblemBatches(tokenizer, 8, tasks=TASKS).next()
    problems = draw_problems(8, np.random.default_rng([0, 0]), tasks=TASKS)
    examples = [demonstration(tokenizer, p) for p in problems]
    assert len({len(e.response) for e in examples}) > 1
    expected = sft_loss(model, pad_examples(examples))
    torch.testing.assert_close(supervised_loss(model, ids, weights)["loss"], expected)
    parts = [
        supervised_loss(
            model, *ProblemBatches(tokenizer, 8, tasks=TASKS, rank=r, world_size=4).next()
        )
        for r in range(4)
    ]
    torch.testing.assert_close(torch.stack([p["loss"] for p in parts]).mean(), expected)


def test_each_step_has_its_own_problems_which_follow_from_the_seed(tokenizer):
    one, two = (ProblemBatches(tokenizer, 4, seed=3) for _ in range(2))
    first, second = one.next()[0], one.next()[0]
    two.load_state_dict({**one.state_dict(), "step": 1})
    assert first.shape != second.shape or not torch.equal(first, second)
    assert torch.equal(two.next()[0], second)


def test_a_state_of_other_problems_is_refused(tokenizer):
    state = ProblemBatches(tokenizer, 4, tasks=["add"]).state_dict()
    with pytest.raises(ValueError, match=r"saved batches have tasks \['add'\]"):
        ProblemBatches(tokenizer, 4, tasks=["sort"]).load_state_dict(state)


def test_a_batch_that_processes_cannot_share_is_refused(tokenizer):
    with pytest.raises(ValueError, match="process 1 of 3 cannot have its share of 4 rows"):
        ProblemBatches(tokenizer, 4, rank=1, world_size=3)


def test_a_share_of_the_answers_stands_after_a_mark_and_is_read_past_it(tokenizer):
    batches = ProblemBatches(tokenizer, 200, tasks=TASKS, marked=0.3)
    ids, weights = batches.next()
    said = [tokenizer.decode(i[1:][w > 0]) for i, w in zip(ids, weights, strict=True)]
    marked = [text.startswith("Answer: ") for text in said]
    assert 0.2 < np.mean(marked) < 0.4  # 200 draws: three standard errors are 0.1
    problems = draw_problems(200, np.random.default_rng([0, 0]), tasks=TASKS)
    assert all(
        is_right(p, text.removesuffix("<|end|>")) for p, text in zip(problems, said, strict=True)
    )


def test_a_mark_halves_the_reward_of_a_right_answer_only():
    for problem in held_out_problems(60):
        assert brief(problem, problem.answer) == 1
        assert brief(problem, f"Answer: {problem.answer}") == 0.5
        assert brief(problem, "Answer: perhaps") == brief(problem, "perhaps") == 0


# --- preferences ----------------------------------------------------------------------------------


def test_a_pair_is_a_right_and_a_wrong_answer_to_one_prompt(tokenizer):
    """A model that has learned a little, so that some answers are right and some wrong."""
    model = gpt().float()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    batches = ProblemBatches(tokenizer, 32, tasks=["last"])
    for _ in range(60):
        optimiser.zero_grad()
        supervised_loss(model, *batches.next())["loss"].backward()
        optimiser.step()
    problems = draw_problems(40, np.random.default_rng(5), tasks=["last"])
    pairs = draw_pairs(model, tokenizer, problems, at_once=16)
    prompts = {tuple(demonstration(tokenizer, p).prompt): p for p in problems}
    assert 10 < len(pairs) <= 40
    end = tokenizer.token("<|end|>")
    for prompt, *both in pairs:
        chosen, rejected = (tokenizer.decode([t for t in ids if t != end]) for ids in both)
        assert is_right(prompts[prompt], chosen)
        assert not is_right(prompts[prompt], rejected)
    own = sum(chosen == demonstration(tokenizer, prompts[p]).response for p, chosen, _ in pairs)
    assert own > 0


def test_the_reward_orders_the_answers_of_a_pair(tokenizer):
    """An untrained model, and a reward that the longest answer earns."""
    model = gpt().float()
    problems = draw_problems(10, np.random.default_rng(5), tasks=["last"])
    pairs = draw_pairs(model, tokenizer, problems, reward=by_length, max_new_tokens=5)
    assert pairs
    for _, *both in pairs:
        chosen, rejected = (len(tokenizer.decode(ids).removesuffix("<|end|>")) for ids in both)
        assert chosen > rejected


PAIRS = [Pair((1, 2), (3, 4, 5), (6,)), Pair((7,), (8,), (9, 9)), Pair((2,), (3, 3), (4, 1))]


def test_the_loss_of_pairs_is_dpos_of_their_log_probabilities():
    model, reference = gpt(12), gpt(12, seed=1)
    batches = PairBatches(PAIRS, reference, 3, seed=4)
    seen = preference_loss(beta=0.3, label_smoothing=0.1)(model, *batches.next())
    order = np.random.default_rng([4, 0]).permutation(3)
    of = {
        (who, kind): response_log_probs(
            m, pad_examples([Example(PAIRS[i].prompt, getattr(PAIRS[i], kind)) for i in order])
        )
        for who, m in (("policy", model), ("reference", reference))
        for kind in ("chosen", "rejected")
    }
    expected = dpo_loss(*of.values(), beta=0.3, label_smoothing=0.1)
    torch.testing.assert_close(seen["loss"], expected)
    torch.testing.assert_close(gradient(model, seen["loss"]), gradient(model, expected))
    moved = [of["policy", k] - of["reference", k] for k in ("chosen", "rejected")]
    torch.testing.assert_close(seen["margin"], 0.3 * (moved[0] - moved[1]).mean())
    torch.testing.assert_close(seen["chosen"], moved[0].mean())


def test_imitation_adds_the_preferred_answers_cross_entropy_a_token():
    model = gpt(12)
    batch = PairBatches(PAIRS, gpt(12, seed=1), 3).next()
    plain, both = (preference_loss(imitation=w)(model, *batch)["loss"] for w in (0.0, 0.7))
    chosen = [
        response_log_probs(model, pad_examples([Example(p.prompt, p.chosen)])) / len(p.chosen)
        for p in PAIRS
    ]
    torch.testing.assert_close(both - plain, -0.7 * torch.cat(chosen).mean())


def test_every_epoch_shows_every_pair_once():
    batches = PairBatches(PAIRS * 2, gpt(12), 2)
    epoch = torch.cat([batches.next()[0][:, 0, 0] for _ in range(3)])  # first tokens
    assert sorted(epoch.tolist()) == [1, 1, 2, 2, 7, 7]


def test_lengths_can_be_made_not_to_count():
    """Twice as many tokens at the same mean: the same loss a token."""
    model = gpt(12)
    one = PairBatches([Pair((1,), (2, 3), (4,))], gpt(12, seed=1), 1).next()
    plain, per_token = (preference_loss(per_token=x)(model, *one) for x in (False, True))
    assert plain["loss"] != per_token["loss"]
    assert plain["margin"] == per_token["margin"]


def test_too_few_pairs_and_another_vocabulary_are_refused():
    with pytest.raises(ValueError, match="there are 3 pairs, and a batch has 4"):
        PairBatches(PAIRS, gpt(12), 4)
    with pytest.raises(ValueError, match="the token 9 and the reference knows 9: another vocab"):
        PairBatches(PAIRS, gpt(9), 3)
    with pytest.raises(ValueError, match="the response is empty"):
        PairBatches([Pair((1,), (), (2,))], gpt(12), 1)


# --- groups ---------------------------------------------------------------------------------------


def groups(tokenizer, model, **options):
    options = {"prompts": 4, "group": 3, "tasks": ["last"], "max_new_tokens": 4} | options
    return GroupBatches(model, tokenizer, gpt(seed=1), **options)


def by_length(problem, text):
    return float(len(text))


def test_at_the_first_step_the_gradient_is_the_policy_gradient_of_the_advantages(tokenizer):
    """Ratio 1, no price of KL: REINFORCE with the group's mean as its baseline."""
    model = gpt()
    batch = groups(tokenizer, model, reward=by_length).next()
    ids, mask, _, _, advantages, rewards = batch
    by_group = rewards.view(4, 3)
    spread = by_group.std(1, correction=0, keepdim=True)
    centred = by_group - by_group.mean(1, keepdim=True)
    torch.testing.assert_close(
        advantages, (centred / spread.clip(1e-9)).flatten(), rtol=1e-4, atol=1e-4
    )
    seen = group_loss(beta=0.0)(model, *batch)
    log_probs = torch.where(mask, token_log_probs(model, ids), 0.0)
    plain = -(advantages * log_probs.sum(-1) / mask.sum(-1)).mean()
    torch.testing.assert_close(gradient(model, seen["loss"]), gradient(model, plain))
    assert seen["reward"] == rewards.mean()


def test_the_divergence_told_is_that_of_the_answers(tokenizer):
    model = gpt()
    batch = groups(tokenizer, model).next()
    ids, mask, old, reference, *_ = batch
    expected = ((old - reference) * mask).sum(-1).mean()
    torch.testing.assert_close(group_loss()(model, *batch)["kl"], expected)
    with torch.no_grad():
        torch.testing.assert_close(old, token_log_probs(model, ids))


def test_two_processes_draw_what_one_draws(tokenizer):
    model = gpt()
    whole = groups(tokenizer, model, reward=by_length).next()
    halves = [
        groups(tokenizer, model, reward=by_length, rank=r, world_size=2).next() for r in (0, 1)
    ]
    assert torch.equal(torch.cat([h[5] for h in halves]), whole[5])
    torch.testing.assert_close(torch.cat([h[4] for h in halves]), whole[4])


def test_groups_without_variance_move_nothing(tokenizer):
    """Every answer wrong, or every one right: no advantage, and no gradient but the KL's."""
    model = gpt()
    batch = groups(tokenizer, model, reward=lambda p, t: 1.0).next()
    assert not batch[4].any()
    assert not gradient(model, group_loss(beta=0.0)(model, *batch)["loss"]).any()


def test_what_groups_cannot_be_made_of_is_refused(tokenizer):
    with pytest.raises(ValueError, match="group is 1"):
        groups(tokenizer, gpt(), group=1)
    with pytest.raises(ValueError, match="262 tokens and the reference 12"):
        GroupBatches(gpt(), tokenizer, gpt(12), prompts=2, group=2)
    with pytest.raises(ValueError, match=r"rewards has nan at place \(0, 0\)"):
        groups(tokenizer, gpt(), reward=lambda p, t: float("nan")).next()


# --- measures -------------------------------------------------------------------------------------


def test_the_score_is_the_share_of_right_answers(tokenizer, monkeypatch):
    problems = held_out_problems(30, tasks=("add", "last"))
    said = [p.answer if p.task == "add" or i % 2 else "?" for i, p in enumerate(problems)]
    monkeypatch.setattr("coursekit.posttraining.measure.answers", lambda *_: said)
    score = exact_match(gpt(), tokenizer, problems)
    right = [text != "?" for text in said]
    assert score.exact == pytest.approx(np.mean(right))
    assert score.tasks["add"] == 1.0
    assert 0 < score.tasks["last"] < 1
    with pytest.raises(ValueError, match="there is no problem"):
        exact_match(gpt(), tokenizer, [])


def test_the_sampled_divergence_is_near_the_exact_one_of_one_token(tokenizer):
    """Answers of one token: the divergence is a sum over the vocabulary."""
    model, reference = gpt(), gpt(seed=1)
    with torch.no_grad():
        for p in (*model.parameters(), *reference.parameters()):
            p.mul_(4)
    problem = held_out_problems(1, tasks=["last"])
    prompt = torch.tensor([demonstration(tokenizer, problem[0]).prompt])
    with torch.no_grad():
        p, q = (m(prompt)[0, -1].log_softmax(-1) for m in (model, reference))
    exact = (p.exp() * (p - q)).sum().item()

    found = roll_out(
        model, tokenizer, problem * 50, group=40, reference=reference, max_new_tokens=1
    )
    ratios = torch.where(found.batch.targets, found.old - found.reference, 0.0).sum(-1)
    error = ratios.std().item() / len(ratios) ** 0.5
    assert found.divergence() == pytest.approx(exact, abs=5 * error)
    assert error < exact / 4
