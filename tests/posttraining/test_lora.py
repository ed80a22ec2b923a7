"""LoRA changes nothing at first, trains little, and merges and unmerges exactly."""

import pytest
import torch
from torch import nn

from coursekit.posttraining import LoRALinear, add_lora, lora_layers
from coursekit.transformer import GPT, TransformerConfig

TARGETS = ("query", "value")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def model():
    config = TransformerConfig(vocab_size=11, d_model=16, n_layers=2, n_heads=2)
    return GPT(config, generator=generator())


def disturb(model):
    """Give every correction a value, as training would."""
    for layer in lora_layers(model):
        nn.init.normal_(layer.B, generator=generator(1))


def test_an_adapted_model_says_the_same_until_it_is_trained(model):
    ids = torch.randint(11, (2, 7), generator=generator(2))
    before = model(ids)
    names = add_lora(model, rank=2, targets=TARGETS, generator=generator(3))
    assert len(names) == 2 * len(TARGETS)
    assert torch.equal(model(ids), before)


@pytest.mark.equation("eq-posttraining-lora")
def test_the_correction_is_the_product_of_two_thin_matrices():
    linear = nn.Linear(7, 5, dtype=torch.float64)
    x = torch.randn(3, 7, dtype=torch.float64, generator=generator())
    layer = LoRALinear(linear, rank=2, alpha=6.0, generator=generator(1))
    nn.init.normal_(layer.B, generator=generator(2))
    wanted = linear(x) + 3.0 * torch.einsum("or,ri,bi->bo", layer.B, layer.A, x)
    torch.testing.assert_close(layer(x), wanted, rtol=1e-13, atol=1e-13)
    assert torch.linalg.matrix_rank(layer.correction()) == 2


def test_only_the_corrections_are_trained(model):
    all_of_it = sum(p.numel() for p in model.parameters())
    add_lora(model, rank=2, targets=TARGETS)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trained == 2 * len(TARGETS) * 2 * (16 + 16) < 0.1 * all_of_it
    model(torch.zeros(1, 3, dtype=torch.long)).sum().backward()
    assert all((p.grad is not None) == p.requires_grad for p in model.parameters())


def test_merged_gives_the_same_answers_and_unmerged_the_same_weights_bit_for_bit(model):
    add_lora(model, rank=2, targets=TARGETS)
    disturb(model)
    ids = torch.randint(11, (2, 7), generator=generator(2))
    apart = model(ids)
    weights = [layer.linear.weight.clone() for layer in lora_layers(model)]
    for layer in lora_layers(model):
        layer.merge()
    torch.testing.assert_close(model(ids), apart, rtol=1e-4, atol=1e-5)  # float32, summed otherwise
    for layer in lora_layers(model):
        layer.unmerge()
    for layer, weight in zip(lora_layers(model), weights, strict=True):
        assert torch.equal(layer.linear.weight, weight)
    assert torch.equal(model(ids), apart)


def test_merging_twice_or_taking_back_nothing_is_refused():
    layer = LoRALinear(nn.Linear(2, 2), rank=1)
    with pytest.raises(RuntimeError, match="nothing to take back"):
        layer.unmerge()
    layer.merge()
    with pytest.raises(RuntimeError, match="merged already"):
        layer.merge()


def test_a_name_that_no_linear_map_has_is_refused_with_those_there_are(model):
    with pytest.raises(ValueError, match=r"no linear map is called 'q_proj'; there are .*query"):
        add_lora(model, rank=1, targets=["q_proj"])
    assert all(p.requires_grad for p in model.parameters())  # nothing half done


def test_a_rank_larger_than_the_matrix_is_refused():
    with pytest.raises(ValueError, match="has rank 2 at most"):
        LoRALinear(nn.Linear(4, 2), rank=3)
