"""The loops of REINFORCE, GRPO and PPO follow the gradients that their formulas say."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from coursekit.posttraining import (
    METHODS,
    SMALL,
    AdaptiveKL,
    MethodSettings,
    PPOSettings,
    ValueModel,
    answer_batch,
    divergence_from,
    draw_rollouts,
    grpo_update,
    kl_divergence,
    load_methods,
    ppo_update,
    reinforce_update,
    run_method,
    sorting_answers,
    sorting_prompts,
    sorting_reward,
    start_policy,
    table_of_methods,
    token_log_probs,
    write_answers,
)
from coursekit.posttraining.build_small_checkpoints import columns_of
from coursekit.posttraining.methods import MethodRun
from coursekit.pretraining import generate
from coursekit.transformer import GPT, TransformerConfig

TINY = TransformerConfig(11, 8, n_layers=1, n_heads=2, max_len=16)


def policy(seed=0, config=TINY):
    return GPT(config, generator=torch.Generator().manual_seed(seed)).double()


def drawn(model, *, group=1, reward=None, reference=None, prompts=12):
    g = torch.Generator().manual_seed(1)
    asked = sorting_prompts(prompts, g)
    judged = (lambda p, a: a.double().sum(-1)) if reward is None else reward
    return draw_rollouts(model, asked, group=group, reward=judged, reference=reference, generator=g)


def gradient_of(model, raised):
    """The gradient of a number, as one vector."""
    return torch.cat([x.flatten() for x in torch.autograd.grad(raised, list(model.parameters()))])


def step_of(before, after):
    pairs = zip(before.parameters(), after.parameters(), strict=True)
    return torch.cat([(b - a).detach().flatten() for a, b in pairs])


def assert_same_direction(step, gradient):
    """Steps are cut to length 1, so that directions are what can be compared."""
    torch.testing.assert_close(
        step / step.norm(), gradient / gradient.norm(), atol=1e-6, rtol=0
    )  # the clip adds 1e-6 to the norm, and the parameters round


def sgd(model, lr=1e-3):
    return torch.optim.SGD(model.parameters(), lr=lr)


# --- the task -------------------------------------------------------------------------------------


def test_the_reward_is_pythons_sorting():
    g = torch.Generator().manual_seed(0)
    prompts = sorting_prompts(50, g)
    assert [sorted(p[:5]) for p in prompts.tolist()] == sorting_answers(prompts).tolist()
    wrong = sorting_answers(prompts)
    wrong[:, 0] += 1
    assert sorting_reward(prompts, sorting_answers(prompts)).min() == 1
    assert sorting_reward(prompts, wrong).max() == 0


def test_the_likeliest_answers_are_those_of_the_general_generator():
    model, g = policy(), torch.Generator().manual_seed(0)
    prompts = sorting_prompts(6, g)
    general = [w.ids for w in generate(model, prompts.tolist(), max_new_tokens=5)]
    assert [list(ids) for ids in general] == write_answers(model, prompts, 5).tolist()


def test_draws_follow_the_model():
    model = policy(3, TransformerConfig(11, 8, n_layers=1, n_heads=2, max_len=16))
    with torch.no_grad():
        model.embeddings.tokens.weight *= 30  # so that probabilities differ
        prompt = torch.tensor([[3, 1, 2, 9, 0, 10]])
        p = model(prompt)[0, -1].softmax(-1).numpy()
    first = write_answers(model, prompt.expand(4000, -1), 1, torch.Generator().manual_seed(0))
    found = np.bincount(first[:, 0].numpy(), minlength=11) / 4000
    assert (np.abs(found - p) < 5 * np.sqrt(p * (1 - p) / 4000) + 1e-3).all()


def test_the_divergence_of_answers_is_that_of_whole_answers():
    """Summed token by token and averaged over all 121 answers of two tokens."""
    model, other = policy(0), policy(1)
    prompt = torch.tensor([[3, 1, 2, 9, 0, 10]])
    answers = torch.cartesian_prod(torch.arange(11), torch.arange(11))
    batch = answer_batch(prompt.expand(121, -1), answers)
    with torch.no_grad():
        log_p, log_q = (token_log_probs(m, batch.ids)[:, -2:].sum(-1) for m in (model, other))
    whole = (log_p.exp() * (log_p - log_q)).sum().item()
    rows = [divergence_from(model, other, answer_batch(prompt, a[None])) for a in answers]
    np.testing.assert_allclose(log_p.exp().numpy() @ rows, whole, rtol=1e-9)


# --- REINFORCE and GRPO ---------------------------------------------------------------------------


def test_reinforce_steps_along_the_policy_gradient():
    before = policy()
    after, found = deepcopy(before), drawn(before)
    reinforce_update(after, sgd(after), found)
    lead = found.rewards.flatten() - found.rewards.mean()
    log_probs = token_log_probs(before, found.batch.ids)[:, 5:].sum(-1)
    assert_same_direction(step_of(before, after), gradient_of(before, (lead * log_probs).mean()))


def test_reinforce_pays_for_the_distance_from_its_reference():
    before, other = policy(), policy(1)
    after, found = deepcopy(before), drawn(before, reference=other)
    reinforce_update(after, sgd(after), found, beta=2.0)
    log_probs = token_log_probs(before, found.batch.ids)[:, 5:].sum(-1)
    with torch.no_grad():
        distance = log_probs - token_log_probs(other, found.batch.ids)[:, 5:].sum(-1)
    raised = found.rewards.flatten() - 2.0 * distance
    gradient = gradient_of(before, ((raised - raised.mean()) * log_probs).mean())
    assert_same_direction(step_of(before, after), gradient)


def test_grpo_first_steps_along_the_groups_own_policy_gradient():
    before = policy()
    after, found = deepcopy(before), drawn(before, group=4)
    grpo_update(after, sgd(after), found)
    r = found.rewards.numpy()
    lead = (r - r.mean(1, keepdims=True)) / (r.std(1, keepdims=True) + 1e-6)
    log_probs = token_log_probs(before, found.batch.ids)[:, 5:].mean(-1)
    raised = (torch.tensor(lead).flatten() * log_probs).mean()
    assert_same_direction(step_of(before, after), gradient_of(before, raised))


@pytest.mark.parametrize("update", [reinforce_update, grpo_update])
def test_where_all_answers_earn_the_same_nothing_is_learned(update):
    before = policy()
    after = deepcopy(before)
    found = drawn(before, group=4, reward=lambda p, a: torch.full((len(a),), 3.0))
    update(after, sgd(after, lr=1.0), found)
    assert step_of(before, after).abs().max() == 0


# --- PPO ------------------------------------------------------------------------------------------


def test_ppo_without_a_value_first_steps_along_the_policy_gradient():
    """With a value of 0 and lambda 1 every token's advantage is the answer's reward, whitened."""
    before = policy()
    after, value, found = deepcopy(before), ValueModel(policy(1)).double(), drawn(before)
    both = torch.optim.SGD([*after.parameters(), *value.parameters()], lr=1e-3)
    ppo_update(after, value, both, found, settings=PPOSettings(lam=1.0, epochs=1))
    r = found.rewards.flatten()
    lead = (r - r.mean()) / r.std(correction=0)
    log_probs = token_log_probs(before, found.batch.ids)[:, 5:]
    raised = (lead[:, None] * log_probs).mean()
    assert_same_direction(step_of(before, after), gradient_of(before, raised))


def test_the_value_head_learns_what_is_to_be_expected():
    model = policy()
    value, found = ValueModel(policy(1)).double(), drawn(model, prompts=32)
    found = found._replace(rewards=torch.full_like(found.rewards, 2.0))
    optimiser = torch.optim.Adam(value.parameters(), lr=0.05)
    steps = [
        ppo_update(model, value, optimiser, found, settings=PPOSettings(value_clip=1.0))
        for _ in range(30)
    ]
    assert steps[0].value_error > 3
    assert steps[-1].value_error < 0.05
    expected = value(found.batch.ids)[found.batch.targets]
    np.testing.assert_allclose(expected.detach().numpy(), 2.0, atol=0.5)


def test_the_price_follows_the_divergence_that_is_seen():
    model, other = policy(), policy(1)
    found = drawn(model, reference=other)
    control = AdaptiveKL(beta=0.1, target=1e-6, horizon=100)
    value = ValueModel(policy(2)).double()
    step = ppo_update(model, value, sgd(value), found, control=control)
    assert step.beta == 0.1
    seen = float((found.old - found.reference)[:, 5:].sum(-1).mean())
    assert step.kl == pytest.approx(seen)
    assert control.beta == pytest.approx(0.1 * (1 + 0.2 * np.sign(seen) * 12 / 100))


def test_ppo_raises_the_reward_and_a_price_holds_it_back():
    start = start_policy(0, 50)
    ends = {}
    for beta in (0.0, 1.0):
        model, value = deepcopy(start), ValueModel(deepcopy(start))
        both = torch.optim.AdamW([*model.parameters(), *value.parameters()], lr=1e-3)
        g = torch.Generator().manual_seed(0)
        for _ in range(10):
            found = draw_rollouts(model, sorting_prompts(128, g), reference=start, generator=g)
            ppo_update(model, value, both, found, control=beta)
        g = torch.Generator().manual_seed(9)
        test = draw_rollouts(model, sorting_prompts(1000, g), generator=g)
        ends[beta] = float(test.rewards.mean()), divergence_from(model, start, test.batch)
    g = torch.Generator().manual_seed(9)
    before = float(draw_rollouts(start, sorting_prompts(1000, g), generator=g).rewards.mean())
    error = np.sqrt(0.25 / 1000)
    assert ends[0.0][0] > before + 3 * error
    assert ends[1.0][1] < ends[0.0][1] / 2


# --- what cannot be -------------------------------------------------------------------------------


def test_bad_input_is_refused_in_words():
    model, g = policy(), torch.Generator().manual_seed(0)
    found, value = drawn(model, group=2), ValueModel(policy(1)).double()
    for update in (reinforce_update, grpo_update):
        with pytest.raises(ValueError, match="without a reference"):
            update(model, sgd(model), found, beta=0.1)
    with pytest.raises(ValueError, match="draw them with one, or set the price to 0"):
        ppo_update(model, value, sgd(value), found, control=0.1)
    with pytest.raises(ValueError, match="0 or more wanted"):
        ppo_update(model, value, sgd(value), found, control=-1.0)
    with pytest.raises(ValueError, match="0 or more wanted"):
        reinforce_update(model, sgd(model), found, beta=-1.0)
    with pytest.raises(ValueError, match="an answer alone"):
        grpo_update(model, sgd(model), drawn(model))
    with pytest.raises(ValueError, match=r"rewards has nan at place \(0,\)"):
        drawn(model, reward=lambda p, a: torch.full((len(a),), float("nan")))
    other = GPT(TransformerConfig(12, 8, n_layers=1, n_heads=2)).double()
    with pytest.raises(ValueError, match="knows 11 tokens and the reference 12"):
        drawn(model, reference=other)
    with pytest.raises(ValueError, match="length"):
        write_answers(model, sorting_prompts(1, g), 0)


def test_an_answer_that_is_all_padding_is_refused():
    model, value = policy(), ValueModel(policy(1)).double()
    found = drawn(model)
    mask = found.batch.mask.clone()
    mask[2] = False
    empty = found._replace(batch=found.batch._replace(mask=mask))
    with pytest.raises(ValueError, match="row 2 of the mask marks no token"):
        reinforce_update(model, sgd(model), empty)
    with pytest.raises(ValueError, match="row 2 of the mask marks no token"):
        ppo_update(model, value, sgd(value), empty)


# --- the table ------------------------------------------------------------------------------------


def test_the_start_is_no_distance_from_itself_and_choosing_has_no_policy():
    short = MethodSettings(start=2, steps=1, answers=16)
    runs = {name: run_method(name, 0, short) for name in ("start", "best of 8", "PPO")}
    assert runs["start"].kl == 0
    assert np.isnan(runs["best of 8"].kl)
    assert runs["best of 8"].per_answer == 40
    assert runs["PPO"].kl > 0
    assert runs["PPO"].drawn == 16 * 5
    with pytest.raises(KeyError, match="no method 'TRPO'"):
        run_method("TRPO", 0)


def test_the_table_holds_means_and_half_ranges():
    runs = [MethodRun("GRPO", s, r, k, 1.0, 2, 3, 5) for s, r, k in ((0, 0.2, 1), (1, 0.6, 3))]
    (row,) = table_of_methods(runs)
    assert (row.reward, row.kl, row.kl_spread, row.seeds) == (0.4, 2.0, 1.0, 2)
    assert row.reward_spread == pytest.approx(0.2)
    with pytest.raises(ValueError, match="no run"):
        table_of_methods([])


def test_the_stored_runs_show_every_method_above_its_start_on_three_seeds():
    runs = load_methods()
    assert [(r.method, r.seed) for r in runs] == [(m, s) for s in range(3) for m in METHODS]
    start = {r.seed: r.reward for r in runs if r.method == "start"}
    error = np.sqrt(0.5 / 1000)  # of the difference of two shares of 1000
    assert all(r.reward > start[r.seed] + 5 * error for r in runs if r.method != "start")
    assert all(r.kl > 0.3 for r in runs if r.method not in ("start", "vote of 8", "best of 8"))


def test_a_stored_run_is_had_again():
    """On another machine sums round otherwise and the way parts, so the share is compared."""
    (stored,) = (r for r in load_methods() if (r.method, r.seed) == ("SFT", 1))
    found = run_method("SFT", 1)
    assert (found.drawn, found.learned) == (stored.drawn, stored.learned)
    assert abs(found.reward - stored.reward) < 5 * np.sqrt(0.25 / 1000)
    assert found.kl == pytest.approx(stored.kl, rel=0.15)


def test_kl_is_refused_across_vocabularies():
    with pytest.raises(ValueError, match="11 tokens and the reference 12"):
        kl_divergence(torch.zeros(11), torch.zeros(12))
    assert SMALL.vocab_size == 11


def test_what_has_no_divergence_is_stored_finite_and_said():
    ran = MethodRun("SFT", 0, 0.5, 1.0, 2.0, 0, 100, 5)
    voted = MethodRun("vote of 8", 0, 0.5, np.nan, 0, 0, 0, 40)
    columns = columns_of([ran, voted])
    assert columns["kl"].tolist() == [1.0, 0.0]
    assert columns["has_kl"].tolist() == [True, False]
