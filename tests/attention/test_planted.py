"""Planting a mistake changes what the kernels compute, and leaving takes it back."""

import numpy as np
import pytest
import torch

from coursekit.attention import attention, kernels, launch
from coursekit.attention.planted import KERNELS, planted

SHRINK = ("acc * shrink[:, None]", "acc")


@pytest.fixture
def qkv():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(1, 1, 70, 16, generator=generator) for _ in range(3)]


def test_a_planted_mistake_shows_and_is_gone_afterwards(qkv):
    wanted = attention(*qkv, backend="reference")
    with planted(*SHRINK):
        assert not torch.allclose(attention(*qkv, backend="triton"), wanted, rtol=0.01)
    assert torch.allclose(attention(*qkv, backend="triton"), wanted, atol=1e-6)


def test_a_mistake_in_the_backward_spoils_the_gradients_alone(qkv):
    given = [x.requires_grad_() for x in qkv]
    grads = {}
    for name, change in {
        "right": ("tanh", "tanh"),
        "wrong": ("dp - delta[", "dp + delta["),
    }.items():
        with planted(*change):
            out = attention(*given, backend="triton")
            grads[name] = (out, *torch.autograd.grad(out.square().sum(), given))
    right, wrong = grads["right"], grads["wrong"]
    same = [torch.allclose(a, b) for a, b in zip(right, wrong, strict=True)]
    assert same == [True, False, False, True]  # delta has no part in the values' gradient


def test_an_error_inside_takes_the_mistake_back_too():
    with pytest.raises(RuntimeError, match="inside"), planted(*SHRINK):
        raise RuntimeError("inside")
    assert all(getattr(launch, name) is getattr(kernels, name) for name in KERNELS)


def test_every_place_is_changed():
    with planted("head // group", "head % group") as broken:
        text = (broken.__loader__.get_source(broken.__name__)).count("head // group")
    assert text == 0


def test_two_mistakes_can_be_nested(qkv):
    wanted = attention(*qkv, backend="reference")
    with planted(*SHRINK):
        with (
            planted("tl.where(dead, 1.0, total)[:, None]", "total[:, None]"),
            np.errstate(all="raise"),
        ):
            assert torch.allclose(attention(*qkv, backend="triton"), wanted, atol=1e-6)
        assert not torch.allclose(attention(*qkv, backend="triton"), wanted, rtol=0.01)


def test_what_the_source_does_not_hold_is_refused():
    with (
        pytest.raises(ValueError, match="does not hold 'acc \\* shrunk'"),
        planted("acc * shrunk", ""),
    ):
        pass
