"""The optimiser, the schedule, and the shapes and first losses of models."""

import math

import pytest
import torch
from torch import nn

from coursekit.backprop.schedules import cosine
from coursekit.pretraining import (
    AdamW,
    clip_gradients,
    cosine_with_warmup,
    decay_groups,
    expected_initial_loss,
    gpt2_config,
    llama_config,
    quick_norms,
)
from coursekit.transformer import GPT, GPT2, num_parameters


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def network(seed=0):
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 1))
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(generator=generator(seed))
    return model


def trained(optimiser_of, steps=20):
    """The weights after some steps on one fixed task."""
    model = network()
    optimiser = optimiser_of(model)
    x = torch.randn(steps, 16, 5, generator=generator(1))
    for batch in x:
        loss = (model(batch) - batch.sum(1, keepdim=True)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return [p.detach() for p in model.parameters()]


@pytest.mark.equation("eq-pretraining-adamw")
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_adamw_is_torchs_to_the_bit(weight_decay):
    """The same operations in the same order: on the CPU no rounding may differ."""
    options = {"lr": 0.01, "betas": (0.8, 0.95), "weight_decay": weight_decay}
    ours = trained(lambda m: AdamW(decay_groups(m, weight_decay), **options))
    torchs = trained(
        lambda m: torch.optim.AdamW(decay_groups(m, weight_decay), **options, foreach=False)
    )
    assert all(torch.equal(a, b) for a, b in zip(ours, torchs, strict=True))


def test_adamws_state_can_be_saved_in_the_middle():
    """torch's state-dict machinery takes it: what is loaded goes on as if nothing had been."""

    def interrupted(model):
        first = AdamW(model.parameters(), lr=0.01)
        original = first.step
        counter = iter(range(100))

        def step():
            original()
            if next(counter) == 9:
                state = first.state_dict()
                first.state.clear()
                first.load_state_dict(state)

        first.step = step
        return first

    plain = trained(lambda m: AdamW(m.parameters(), lr=0.01))
    assert all(map(torch.equal, plain, trained(interrupted)))


def test_matrices_shrink_and_vectors_do_not():
    model = GPT(gpt2_config(20, d_model=8, n_layers=1, n_heads=2, max_len=4))
    decayed, kept = decay_groups(model, 0.3)
    assert (decayed["weight_decay"], kept["weight_decay"]) == (0.3, 0.0)
    vectors = sum(p.numel() for n, p in model.named_parameters() if "norm" in n or "bias" in n)
    assert sum(p.numel() for p in kept["params"]) == vectors
    everything = [*decayed["params"], *kept["params"]]
    assert sum(p.numel() for p in everything) == num_parameters(model)


@pytest.mark.parametrize("setting", [{"betas": (1.0, 0.9)}, {"lr": -1.0}, {"eps": -1e-8}])
def test_adamw_refuses_settings_out_of_range(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        AdamW([nn.Parameter(torch.zeros(1))], **setting)


@pytest.mark.equation("eq-pretraining-clip")
@pytest.mark.parametrize("limit", [0.1, 1e6])
def test_clipping_is_torchs(limit):
    ours, torchs = network(), network()
    for model in (ours, torchs):
        model(torch.ones(3, 5)).square().sum().backward()
    norm = clip_gradients(ours, limit)
    wanted = nn.utils.clip_grad_norm_(torchs.parameters(), limit)
    torch.testing.assert_close(norm, wanted)
    for a, b in zip(ours.parameters(), torchs.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_clipping_refuses_a_limit_of_nothing():
    with pytest.raises(ValueError, match="limit is 0"):
        clip_gradients(network(), 0)


@pytest.mark.equation("eq-pretraining-schedule")
def test_the_schedule_is_that_of_chapter_two():
    """Written there as a closure, for numpy's optimisers."""
    rate = cosine(3e-3, 50, warmup=7, final=1e-4)
    ours = [cosine_with_warmup(k, steps=50, lr=3e-3, warmup=7, lr_min=1e-4) for k in range(60)]
    assert ours == pytest.approx([rate(k) for k in range(60)])


def test_the_schedule_rises_once_and_falls_once():
    rates = [cosine_with_warmup(k, steps=100, lr=1.0, warmup=10, lr_min=0.1) for k in range(101)]
    assert max(rates) == rates[10] == 1.0
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.1)


def test_a_warmup_as_long_as_the_run_is_refused():
    with pytest.raises(ValueError, match="warmup is 10 of 10 steps"):
        cosine_with_warmup(0, steps=10, lr=1.0, warmup=10)


# --- models ---------------------------------------------------------------------------------------


@pytest.mark.equation("eq-pretraining-initial-loss")
@pytest.mark.parametrize("make", [gpt2_config, llama_config])
@pytest.mark.parametrize("vocab_size", [64, 1024])
def test_the_first_loss_is_nearly_ln_v(make, vocab_size):
    """Logits of standard deviation s = 0.02 sqrt(d) = 0.23 add about s²/2 = 0.026 to ln V.

    The token itself, whose vector is a row of the tied table, has a logit of 0.02 d at most, which
    adds up to exp(0.02 d) / V to the sum in the softmax. The mean over 512 tokens strays by about
    s / sqrt(512) = 0.01, and five times that is allowed.
    """
    d = 128
    model = GPT(make(vocab_size, d_model=d), generator=generator())
    ids = torch.randint(vocab_size, (8, 65), generator=generator(1))
    logits = model(ids[:, :-1]).flatten(0, 1)
    loss = nn.functional.cross_entropy(logits, ids[:, 1:].flatten()).item()
    excess = loss - expected_initial_loss(vocab_size)
    assert expected_initial_loss(vocab_size) == math.log(vocab_size)
    assert -0.05 < excess < 0.026 + math.log1p(math.exp(0.02 * d) / vocab_size) + 0.05


def test_gpt2s_shape_is_the_published_one():
    assert gpt2_config(50_257, d_model=768, n_layers=12, n_heads=12, max_len=1024) == GPT2


@pytest.mark.parametrize("make", [gpt2_config, llama_config])
def test_quick_norms_change_no_number_and_no_name(make):
    model = GPT(make(30, d_model=16, n_layers=2, n_heads=2), generator=generator()).double()
    ids = torch.randint(30, (2, 9), generator=generator(1))
    before, names = model(ids), list(model.state_dict())
    quick = quick_norms(model)
    assert list(quick.state_dict()) == names
    assert not any(
        type(m).__module__.startswith("coursekit.transformer.norms") for m in quick.modules()
    )
    torch.testing.assert_close(quick(ids), before, rtol=1e-12, atol=1e-12)
