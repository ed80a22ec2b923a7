"""The scaling law's fit, and what a training costs."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from coursekit.data.checkpoints import CHECKPOINTS
from coursekit.pretraining import (
    ScalingLaw,
    fit_scaling,
    flops_per_token,
    gpt2_config,
    llama_config,
    load_runs,
    mfu,
    quick_norms,
    training_flops,
    training_memory,
)
from coursekit.transformer import GPT, GPT2, measured_flops, num_parameters, skeleton

CHINCHILLA = ScalingLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)


def grid(law, noise=0.0):
    n, d = (x.ravel() for x in np.meshgrid(np.logspace(4, 7, 4), np.logspace(5, 8, 4)))
    rng = np.random.default_rng(0)
    return n, d, law.predict(n, d) * np.exp(noise * rng.standard_normal(len(n)))


@pytest.mark.equation("eq-pretraining-chinchilla")
def test_the_fit_finds_the_law_that_made_the_losses():
    law = ScalingLaw(E=1.5, A=60.0, B=120.0, alpha=0.38, beta=0.33)
    assert fit_scaling(*grid(law)) == pytest.approx(law, rel=1e-3)


def test_one_run_gone_wrong_does_not_move_the_others_prediction():
    """Huber's function pulls with the same force however far the run is off."""
    law = ScalingLaw(E=1.5, A=60.0, B=120.0, alpha=0.38, beta=0.33)
    n, d, loss = grid(law, noise=5e-4)
    loss[5] *= 1.5
    found = fit_scaling(n, d, loss).predict(1e8, 1e9)
    assert found == pytest.approx(law.predict(1e8, 1e9), rel=0.02)


def test_the_optimum_is_where_the_loss_is_lowest():
    for compute in (1e19, 5.76e23):
        n, d = CHINCHILLA.optimum(compute)
        assert 6 * n * d == pytest.approx(compute)
        best = minimize_scalar(
            lambda x, c=compute: float(CHINCHILLA.predict(np.exp(x), c / 6 / np.exp(x))),
            bounds=(np.log(1e6), np.log(1e13)),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert np.exp(best.x) == pytest.approx(n, rel=1e-3)


def test_the_published_law_gives_the_published_losses():
    """Hoffmann et al. (2022): of the same compute, Chinchilla makes more than Gopher."""
    gopher, chinchilla = CHINCHILLA.predict([280e9, 70e9], [300e9, 1.4e12])
    assert chinchilla < gopher
    assert chinchilla == pytest.approx(1.69 + 406.4 / 70e9**0.34 + 410.7 / 1.4e12**0.28)


@pytest.mark.parametrize("runs", [4, 0])
def test_too_few_runs_are_refused(runs):
    n, d, loss = (x[:runs] for x in grid(CHINCHILLA))
    with pytest.raises(ValueError, match="at least 5 runs"):
        fit_scaling(n, d, loss)


def test_losses_below_zero_are_refused():
    n, d, loss = grid(CHINCHILLA)
    with pytest.raises(ValueError, match="positive"):
        fit_scaling(n, d, -loss)


def test_the_runs_made_here_foretell_the_one_held_out():
    """The claim of the chapter: within 5 % of the loss of a larger and longer run."""
    runs = load_runs()
    n, d, loss = runs["parameters"], runs["tokens"], runs["loss"]
    assert n[-1] > n[:-1].max()
    assert d[-1] > d[:-1].max()
    law = fit_scaling(n[:-1], d[:-1], loss[:-1])
    assert law.predict(n[-1], d[-1]) == pytest.approx(loss[-1], rel=0.05)
    kept = CHECKPOINTS["pretraining-scaling"]["metrics"]
    assert kept["foretold"] == pytest.approx(law.predict(n[-1], d[-1]), rel=1e-3)


# --- budgets --------------------------------------------------------------------------------------


@pytest.mark.equation("eq-pretraining-compute")
@pytest.mark.parametrize("make", [gpt2_config, llama_config])
def test_six_n_d_is_what_torch_counts_but_for_attention(make):
    """A short sequence, so that comparing tokens costs little; the positions' table is idle."""
    config = make(256, d_model=64, n_layers=3, max_len=8)
    model = GPT(config)
    ids = torch.zeros(4, 8, dtype=torch.int64)

    def step():
        model(ids).sum().backward()

    idle = config.max_len * config.d_model if config.positions == "learned" else 0
    counted = measured_flops(step)
    assert training_flops(num_parameters(model) - idle, 32) == pytest.approx(counted, rel=0.05)
    assert flops_per_token(config, 8) * 32 == pytest.approx(counted, rel=0.01)


def test_gpt3s_operations_are_the_published_ones():
    """Brown et al. (2020), table D.1: 3.14e23 for 174.6 billion parameters, 300 billion tokens."""
    assert training_flops(174.6e9, 300e9) == pytest.approx(3.14e23, rel=0.005)


@pytest.mark.equation("eq-pretraining-mfu")
def test_utilisation_is_the_published_one():
    """Chowdhery et al. (2023), table 3 and appendix B: PaLM 540B, 46.2 % on 6144 TPU v4.

    238.3 thousand tokens a second; attention adds 12 L H Q T = 12 * 118 * 48 * 256 * 2048 to 6 N.
    """
    per_token = 6 * 540.35e9 + 12 * 118 * 48 * 256 * 2048
    assert mfu(238.3e3, per_token, 6144 * 275e12) == pytest.approx(0.462, abs=0.003)


def test_utilisation_of_no_machine_is_refused():
    with pytest.raises(ValueError, match="peak is 0"):
        mfu(1.0, 1.0, 0)


@pytest.mark.equation("eq-pretraining-memory")
@pytest.mark.parametrize("make", [gpt2_config, llama_config])
def test_memory_is_what_autograd_keeps(make):
    """All tensors that torch saves for the way back, each storage once, weights apart.

    The estimate leaves out what is small: positions, masks, means of norms.
    """
    config = make(512, d_model=64, n_layers=4, max_len=64)
    model = quick_norms(GPT(config))
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    saved = {}

    def keep(x):
        saved[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    ids = torch.zeros(8, 64, dtype=torch.int64)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        torch.nn.functional.cross_entropy(model(ids).flatten(0, 1), ids.flatten())
    kept = sum(n for where, n in saved.items() if where not in weights)
    need = training_memory(config, batch_size=8, context=64, mixed=False)
    n = num_parameters(model)
    assert (need.weights, need.gradients, need.optimiser) == (4 * n, 4 * n, 8 * n)
    assert need.activations == pytest.approx(kept, rel=0.15)


def test_sixteen_bytes_a_parameter_and_shards_divide_them():
    n = num_parameters(skeleton(GPT, GPT2))
    for mixed in (True, False):
        need = training_memory(GPT2, batch_size=1, context=1024, mixed=mixed)
        assert need.weights + need.gradients + need.optimiser == 16 * n
        shared = training_memory(GPT2, batch_size=1, context=1024, mixed=mixed, shards=8)
        assert shared.weights + shared.gradients + shared.optimiser == 2 * n
        assert shared.activations == need.activations


def test_recomputing_keeps_less():
    full, less = (
        training_memory(GPT2, batch_size=1, context=1024, recompute=r) for r in (False, True)
    )
    assert less.activations < full.activations
    assert less.total < full.total
