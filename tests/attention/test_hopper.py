"""The warp-specialised kernel in the interpreter; on a GPU the benchmark checks it first."""

import pytest
import torch

from coursekit.attention import attention
from coursekit.attention.hopper import fits, hopper_forward
from coursekit.attention.launch import LOG2_E


def draw(generator, heads, length, d, dtype=torch.float16):
    """Stored tokens first, so that the strides are not those of a plain tensor."""
    x = torch.randn(1, length, heads, d, generator=generator)
    return x.to(dtype).transpose(1, 2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    ("heads", "lengths", "d", "causal"),
    [((2, 1), (70, 150), 64, True), ((1, 1), (130, 40), 128, True), ((2, 2), (65, 65), 64, False)],
)
def test_it_equals_the_definition_for_any_lengths_and_groups(heads, lengths, d, causal, dtype):
    generator = torch.Generator().manual_seed(3)
    (H, G), (n, m) = heads, lengths
    q, k, v = (draw(generator, h, x, d, dtype) for h, x in ((H, n), (G, m), (G, m)))
    out, lse = hopper_forward(q, k, v, causal, d**-0.5)
    exact, wanted = attention(
        *(x.double() for x in (q, k, v)), causal=causal, return_lse=True, backend="reference"
    )
    rounding = {torch.float16: 4e-4, torch.bfloat16: 3e-3}[dtype]  # as for the other kernel
    assert (out.double() - exact).norm() <= rounding * exact.norm()
    alive = wanted.isfinite()
    assert torch.equal(alive, lse.isfinite())
    assert torch.allclose(lse[alive].double() / LOG2_E, wanted[alive], atol=1e-4)


def test_what_descriptors_cannot_read_is_refused():
    x = torch.zeros(1, 1, 8, 64, dtype=torch.float16)
    assert fits(x, x, x)
    wide = torch.zeros(1, 1, 8, 96, dtype=torch.float16)
    shifted = torch.zeros(1, 1, 8, 65, dtype=torch.float16)[..., 1:]
    for odd in (wide, x.float(), x.mT.contiguous().mT, shifted):
        assert not fits(odd, odd, odd)
    with pytest.raises(ValueError, match="half precision, heads of 64 or 128"):
        hopper_forward(wide, wide, wide, False, 1.0)
