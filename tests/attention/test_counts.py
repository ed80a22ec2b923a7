"""Operations and bytes by formula against what torch does and what the kernel loads."""

import numpy as np
import pytest
import torch
import triton.runtime.interpreter as interpreter
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from coursekit.attention import attention, counts
from coursekit.attention.configs import INTERPRETER


class Traffic(TorchDispatchMode):
    """Bytes of the tensors that every operation reads and writes; views move nothing."""

    moved = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        if not function.is_view:
            tensors = [x for x in (*args, out) if isinstance(x, torch.Tensor)]
            self.moved += sum(x.nbytes for x in tensors)
        return out


@pytest.mark.equation("eq-attention-naive-bytes")
@pytest.mark.parametrize(("n", "m", "d"), [(64, 64, 16), (1, 200, 32), (48, 96, 8)])
def test_three_operations_move_the_table_four_times(n, m, d):
    q, k, v = (torch.zeros(x, d, dtype=torch.float16) for x in (n, m, m))
    with Traffic() as traffic, FlopCounterMode(display=False) as flops:
        scores = torch.mm(q, k.T)
        weights = torch.softmax(scores, 1)
        torch.mm(weights, v)
    assert traffic.moved == counts.attention_bytes(n, m, d, passes=4)
    assert flops.get_total_flops() == counts.attention_operations(n, m, d)


@pytest.mark.equation("eq-attention-tile-bytes")
def test_the_kernel_loads_and_stores_what_the_formula_says(monkeypatch):
    """Counted in the interpreter: every element that the masks let through."""
    moved = 0
    load, store = (
        interpreter.InterpreterBuilder.create_masked_load,
        interpreter.InterpreterBuilder.create_masked_store,
    )

    def counted(inner, data):
        def call(self, *args):
            nonlocal moved
            mask = args[data]
            moved += int(np.count_nonzero(mask.data))
            return inner(self, *args)

        return call

    monkeypatch.setattr(interpreter.InterpreterBuilder, "create_masked_load", counted(load, 1))
    monkeypatch.setattr(interpreter.InterpreterBuilder, "create_masked_store", counted(store, 2))
    n, m, d = 96, 64, 16
    q, k, v = (torch.zeros(1, 1, x, d) for x in (n, m, m))
    attention(q, k, v, backend="triton")
    log_sum_exp = n  # one number a query, which the formula leaves out
    wanted = counts.tiled_bytes(n, m, d, INTERPRETER.block_m, itemsize=4) / 4
    assert moved - log_sum_exp == wanted


@pytest.mark.equation("eq-attention-roofline")
def test_the_roof_is_where_either_resource_is_used_up():
    rng = np.random.default_rng(0)
    for _ in range(50):
        operations, moved, peak, bandwidth = rng.uniform(1, 100, 4)
        seconds = max(operations / peak, moved / bandwidth)  # both at once, the slower decides
        speed = counts.attainable(operations / moved, peak, bandwidth)
        assert speed == pytest.approx(operations / seconds)


@pytest.mark.equation("eq-attention-cache")
def test_the_cache_is_as_large_as_its_tensors():
    layers, heads, d, tokens = 3, 2, 8, 50
    cache = torch.zeros(layers, 2, heads, tokens, d, dtype=torch.bfloat16)
    assert counts.cache_bytes(layers, heads, d, tokens) == cache.nbytes


@pytest.mark.equation("eq-attention-exponentials")
@pytest.mark.parametrize("d", [64, 128, 256])
def test_exponentials_take_their_share_of_a_tiles_clocks(d):
    tile = 128 * 64
    clocks_exponentials = tile / 16
    clocks_products = 2 * (2 * tile * d) / 4096  # two products, two operations a term
    assert counts.exponential_share(d) == pytest.approx(clocks_exponentials / clocks_products)


def test_a_tile_without_queries_is_refused():
    with pytest.raises(ValueError, match="block_m is 0"):
        counts.tiled_bytes(1, 1, 1, block_m=0)
