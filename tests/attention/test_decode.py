"""One token against a cache: equal to the whole computation, contiguous and paged."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.attention import attention, attention_decode


def draw(generator, *shape, dtype=torch.float64):
    return torch.randn(*shape, generator=generator, dtype=dtype)


@st.composite
def caches(draw_from):
    whole = st.integers
    G, group = draw_from(whole(1, 3)), draw_from(whole(1, 5))
    B, M, D = draw_from(whole(1, 3)), draw_from(whole(1, 200)), draw_from(whole(1, 40))
    generator = torch.Generator().manual_seed(draw_from(whole(0, 2**31)))
    q = draw(generator, B, G * group, 1, D)
    k, v = draw(generator, B, M, G, D).transpose(1, 2), draw(generator, B, G, M, D)
    lengths = torch.randint(0, M + 1, (B,), generator=generator)
    return q, k, v, lengths


@settings(max_examples=12, deadline=None)
@given(caches())
def test_decoding_equals_attention_over_the_filled_part(cache):
    q, k, v, lengths = cache
    found = attention_decode(q, k, v, lengths, backend="triton")
    for row, length in enumerate(lengths):
        here = slice(row, row + 1)
        whole = attention(q[here], k[here, :, :length], v[here, :, :length], backend="reference")
        assert torch.allclose(found[here], whole, rtol=0, atol=1e-13)


@settings(max_examples=8, deadline=None)
@given(caches(), st.sampled_from([1, 16, 48]), st.integers(0, 2**31))
def test_a_paged_cache_gives_the_same_as_a_contiguous_one(cache, size, seed):
    q, k, v, lengths = cache
    B, G, M, D = k.shape
    pages = -(-M // size)
    generator = torch.Generator().manual_seed(seed)
    spare = 3
    table = torch.randperm(B * pages + spare, generator=generator)[: B * pages].reshape(B, pages)
    paged = []
    for x in (k, v):
        room = torch.full((B * pages + spare, G, size, D), torch.nan, dtype=x.dtype)
        padded = torch.nn.functional.pad(x, (0, 0, 0, pages * size - M))
        room[table] = padded.unflatten(2, (pages, size)).transpose(1, 2)
        paged.append(room)
    found = attention_decode(q, *paged, lengths, page_table=table, backend="triton")
    wanted = attention_decode(q, k, v, lengths, backend="reference")
    assert torch.allclose(found, wanted, rtol=0, atol=1e-13)
    by_torch = attention_decode(q, *paged, lengths, page_table=table, backend="reference")
    assert torch.allclose(by_torch, wanted, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("dtype", "error"), [(torch.float32, 1e-6), (torch.float16, 4e-4), (torch.bfloat16, 3e-3)]
)
def test_half_precision_decodes_within_its_rounding(dtype, error):
    generator = torch.Generator().manual_seed(1)
    q, k, v = (draw(generator, 2, h, n, 32).to(dtype) for h, n in ((4, 1), (2, 150), (2, 150)))
    lengths = torch.tensor([150, 70])
    found = attention_decode(q, k, v, lengths, backend="triton").double()
    wanted = attention_decode(*(x.double() for x in (q, k, v)), lengths, backend="reference")
    assert (found - wanted).norm() <= error * wanted.norm()


def test_an_empty_row_gives_zero():
    q, cache = torch.ones(2, 1, 1, 8), torch.ones(2, 1, 4, 8)
    for backend in ("triton", "reference"):
        out = attention_decode(q, cache, cache, torch.tensor([0, 4]), backend=backend)
        assert not out[0].any()
        assert (out[1] == 1).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lengths": torch.tensor([5])}, r"above 4, for which the cache has room.*\[5\]"),
        ({"lengths": torch.tensor([-1])}, "below 0"),
        ({"lengths": torch.tensor([4.0])}, "lengths is torch.float32.*whole numbers"),
        ({"lengths": torch.tensor([4, 4])}, "one row for each of the batch of 1"),
        ({"q": torch.ones(1, 2, 3, 8)}, "q holds 3 tokens; decoding takes 1"),
        ({"q": torch.ones(1, 2, 1, 4)}, "heads of width 4"),
        ({"v_cache": torch.ones(1, 2, 5, 8)}, "k_cache has shape"),
        ({"backend": "cuda"}, "backend is 'cuda'"),
        ({"q": torch.ones(1, 2, 1, 8).half()}, "dtype|float16"),
    ],
)
def test_bad_input_is_named(change, message):
    given = {
        "q": torch.ones(1, 2, 1, 8),
        "k_cache": torch.ones(1, 2, 4, 8),
        "v_cache": torch.ones(1, 2, 4, 8),
        "lengths": torch.tensor([4]),
    }
    with pytest.raises(ValueError, match=message):
        attention_decode(**{**given, **change})
