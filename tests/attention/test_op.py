"""The kernels as an operator of torch, and who computes what."""

import os
import subprocess
import sys

import pytest
import torch

from coursekit.attention import attention, backend_of
from coursekit.attention.op import fused_attention, why_not


def tensors(dtype=torch.float64, d=8, requires_grad=True):
    generator = torch.Generator().manual_seed(0)
    return tuple(
        torch.randn(1, h, n, d, generator=generator, dtype=dtype, requires_grad=requires_grad)
        for h, n in ((2, 20), (1, 33), (1, 33))
    )


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("packed", [None, torch.tensor([0, 5, 20], dtype=torch.int32)])
def test_torch_finds_nothing_wrong_with_the_operator(requires_grad, packed):
    q, k, v = tensors(torch.float32, requires_grad=requires_grad)
    if packed is not None:
        k, v = (x[:, :, :20].detach().requires_grad_(requires_grad) for x in (k, v))
    found = torch.library.opcheck(fused_attention, (q, k, v, packed, True, 0, 0.0, 0.25))
    assert set(found.values()) == {"SUCCESS"}


@pytest.mark.parametrize(
    "options",
    [{}, {"causal": True}, {"window": 5, "causal": True}, {"softcap": 2.0}],
    ids=lambda o: "-".join(o) or "plain",
)
def test_gradients_equal_finite_differences(options):
    def call(*given):
        return attention(*given, **options, return_lse=True, backend="triton")

    assert torch.autograd.gradcheck(call, tensors(), fast_mode=True)


def test_a_second_derivative_is_refused_with_a_way_out():
    q, k, v = tensors()
    out = attention(q, k, v, backend="triton")
    (first,) = torch.autograd.grad(out.square().sum(), q, create_graph=True)
    with pytest.raises(RuntimeError, match=r"no second derivative.*backend='reference'"):
        torch.autograd.grad(first.sum(), q)


def test_compiling_the_whole_graph_does_not_break_on_it():
    q, k, v = tensors()

    def model(q, k, v):
        return attention(q * 2, k, v, causal=True, backend="triton") + 1

    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    wanted = attention(q * 2, k, v, causal=True, backend="reference") + 1
    assert torch.allclose(compiled(q, k, v), wanted, rtol=0, atol=1e-14)
    grads = torch.autograd.grad(compiled(q, k, v).sum(), (q, k, v))
    for ours, theirs in zip(grads, torch.autograd.grad(wanted.sum(), (q, k, v)), strict=True):
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-13)


def test_autocast_casts_as_for_torchs_own_operator():
    q, k, v = tensors(torch.float32, requires_grad=False)
    with torch.autocast("cpu", torch.bfloat16):
        assert attention(q, k, v, backend="triton").dtype == torch.bfloat16
        assert attention(q, k, v, backend="torch").dtype == torch.bfloat16


def test_no_length_gives_empty_outputs_and_zero_gradients():
    q, k, v = (x.requires_grad_() for x in torch.zeros(3, 1, 2, 0, 8).unbind())
    out = attention(q, k, v, backend="triton")
    out.sum().backward()
    assert out.shape == q.grad.shape == (1, 2, 0, 8)
    queries = torch.ones(1, 2, 3, 8, requires_grad=True)
    out = attention(queries, k, v, backend="triton")
    out.sum().backward()
    assert not out.any()
    assert not queries.grad.any()


def test_without_a_gpu_auto_is_torch_or_the_reference():
    q, k, v = tensors()
    assert backend_of(q, k, v) == "torch"
    assert backend_of(q, k, v, return_lse=True) == "reference"
    assert backend_of(q, k, v, mask=torch.ones(33, dtype=torch.bool)) == "torch"


@pytest.mark.parametrize("name", ["mask", "bias"])
def test_the_kernel_refuses_a_mask_and_a_bias_and_says_who_takes_them(name):
    q, k, v = tensors()
    like = torch.ones(20, 33, dtype=torch.bool if name == "mask" else torch.float64)
    with pytest.raises(ValueError, match=rf"has no {name}.*backend='torch' or 'reference'"):
        attention(q, k, v, **{name: like}, backend="triton")


def test_heads_too_wide_or_of_two_widths_are_refused():
    wide = torch.zeros(1, 1, 2, 512)
    with pytest.raises(ValueError, match="512 wide, and the kernel takes up to 256"):
        attention(wide, wide, wide, backend="triton")
    q, k, v = tensors()
    with pytest.raises(ValueError, match="values are 4 wide and queries 8"):
        attention(q, k, v[..., :4], backend="triton")


def test_a_head_that_needs_64_bit_offsets_is_refused():
    far = torch.empty_strided((1, 1, 2, 8), (0, 0, 2**31, 1), device="meta")
    assert "2^31" in why_not(far, far, far)


def run(code, **environment):
    """Standard output of Python code in a process of its own, where nothing interprets."""
    kept = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


ASK = """
import torch
from coursekit.attention import attention
x = torch.zeros(1, 1, 2, 8)
{before}
try:
    attention(x, x, x, backend="triton")
except ValueError as error:
    print(error)
"""


def test_without_a_gpu_the_kernel_says_how_to_run_it():
    said = run(ASK.format(before=""))
    assert "the tensors are on cpu" in said
    assert "TRITON_INTERPRET=1 before Python starts" in said


def test_the_interpreters_variable_set_too_late_is_named():
    late = "import coursekit.attention.launch, os; os.environ['TRITON_INTERPRET'] = '1'"
    assert "was set after the kernels had been imported" in run(ASK.format(before=late))


def test_without_triton_the_kernel_says_how_to_get_it():
    hidden = "import sys; sys.modules['triton'] = None"
    said = run(ASK.format(before=hidden))
    assert "triton, which is not installed here" in said
    assert "pip install" in said


def test_the_operation_is_imported_without_its_kernels():
    code = "import coursekit.attention, sys; print('coursekit.attention.kernels' in sys.modules)"
    assert run(code).strip() == "False"
