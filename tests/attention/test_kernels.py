"""The very kernels, in Triton's interpreter, against float64 and against eager torch."""

import contextlib
import importlib.util
import inspect
import sys

import pytest
import torch

from coursekit.attention import attention, kernels, launch
from tests.attention.problems import (
    CASES,
    NAMES,
    NEIGHBOURHOOD,
    Case,
    assert_right,
    eager,
    problem,
    relative,
)

HALF = (torch.float16, torch.bfloat16)
BY_NAME = {case.name: case for case in CASES}
# In half precision an eager computation rounds after every step and the kernel once.
STRICT = [c for c in CASES if not c.cancels]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_kernels_equal_the_definition_in_float64(case):
    assert_right(case, torch.float64)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_float32_is_as_near_as_its_rounding_and_about_as_near_as_eager_torch(case):
    p, got, wanted = assert_right(case, torch.float32)
    ulp = torch.finfo(torch.float32).eps
    if not case.cancels:
        for name, theirs in zip(NAMES, eager(p), strict=True):
            # Both round as often; which order of summation wins is chance. The rule of the
            # flash-attention tests: at most twice eager torch's error and two units more.
            ours = relative(got[name], wanted[name])
            assert ours <= 2 * relative(theirs, wanted[name]) + 2 * ulp


@pytest.mark.parametrize("dtype", HALF, ids=str)
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_half_precision_is_nearer_to_float64_than_eager_torch(case, dtype):
    p, got, wanted = assert_right(case, dtype)
    if not case.cancels:
        for name, theirs in zip(NAMES, eager(p), strict=True):
            assert relative(got[name], wanted[name]) <= relative(theirs, wanted[name]), name


def test_dead_rows_give_zero_and_pass_no_gradient():
    p = problem(BY_NAME["causal, dead rows"], torch.float32)
    out, lse, dq, _, _ = p.attend("triton")
    dead = slice(0, 90 - 33)
    assert not out[:, :, dead].any()
    assert not dq[:, :, dead].any()
    assert (lse[:, :, dead] == -torch.inf).all()
    assert lse[:, :, 90 - 33 :].isfinite().all()


def test_two_runs_of_the_backward_give_the_same_bits():
    p = problem(BY_NAME["grouped by three"], torch.float32)
    first, second = p.attend("triton"), p.attend("triton")
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_gradient_of_the_log_sum_exp_reaches_queries_and_keys():
    p = problem(BY_NAME["grouped"], torch.float64)
    found = []
    for backend in ("triton", "reference"):
        given = [x.detach().requires_grad_() for x in (p.q, p.k, p.v)]
        out, lse = attention(*given, **p.options, return_lse=True, backend=backend)
        found.append(torch.autograd.grad(out.sum() + lse.sin().sum(), given))
    for ours, theirs in zip(*found, strict=True):
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-13 * theirs.abs().max())


@contextlib.contextmanager
def canaries(monkeypatch):
    """Make every tensor that `torch.empty` hands out lie between marked elements."""
    rooms = []

    def guarded(*size, dtype=None, device=None):
        shape = torch.Size(size[0] if len(size) == 1 else size)
        room = torch.full((shape.numel() + 2 * NEIGHBOURHOOD,), 12345.0, dtype=dtype, device=device)
        rooms.append((room, shape.numel()))
        return room[NEIGHBOURHOOD : NEIGHBOURHOOD + shape.numel()].view(shape)

    def guarded_like(x):
        return guarded(x.shape, dtype=x.dtype, device=x.device)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "empty", guarded)
        patch.setattr(torch, "empty_like", guarded_like)
        yield rooms


@pytest.mark.parametrize("case", STRICT, ids=lambda c: c.name)
def test_nothing_is_written_around_the_outputs(case, monkeypatch):
    p = problem(case, torch.float32)
    scale = p.options.get("scale", case.d**-0.5)
    bounds = p.options.get("cu_seqlens")
    bounds = (None, None) if bounds is None else launch.sequence_bounds(bounds)
    masking = launch.Masking(
        p.options.get("causal", False),
        p.options.get("window", 0),
        p.options.get("softcap", 0.0),
        *bounds,
    )
    with canaries(monkeypatch) as rooms:
        out, lse = launch.forward(p.q, p.k, p.v, masking, scale)
        launch.backward(p.grad, None, p.q, p.k, p.v, out, lse, masking, scale)
    assert len(rooms) == 6  # output, log-sum-exp, delta, three gradients
    for room, size in rooms:
        assert (room[:NEIGHBOURHOOD] == 12345.0).all()
        assert (room[NEIGHBOURHOOD + size :] == 12345.0).all()
        assert not (room[NEIGHBOURHOOD : NEIGHBOURHOOD + size] == 12345.0).any()


BUGS = {  # what is planted: the line's part that changes, and what it becomes
    "mask dropped": ('tl.where(visible, scores, float("-inf"))', "scores"),
    "rescale of the output skipped": ("acc * shrink[:, None]", "acc"),
    "rescale of the sum skipped": ("total * shrink + tl.sum", "total + tl.sum"),
    "wrong scale": ("return products * qk_scale", "return products * qk_scale * 0.9"),
    "one tile short": ("tl.maximum(tl.max(hi, 0), first)", "tl.max(hi, 0) - BLOCK_N"),
    "wrong head of keys": ("stride_kb + (head // group)", "stride_kb + (head % (heads // group))"),
    "row without keys not guarded": ("finite = tl.where(", "finite = new_peak + 0 * tl.where("),
    "causal mask aligned to the top left": ("position = rows + (n_k - n_q)", "position = rows"),
    "window one too wide": ("position - WINDOW + 1)", "position - WINDOW)"),
    "dead rows not guarded": ("tl.where(dead, 1.0, total)[:, None]", "total[:, None]"),
    "sequences not told apart": ("if PACKED:\n        lo =", "if PACKED and False:\n        lo ="),
    "cap's slope forgotten": ("slope = 1 - bent * bent", "slope = 1.0"),
    "delta forgotten": ("(p * (dp - delta[None, :]) * slope)", "(p * dp * slope)"),
    "one query head of a group left out": ("in range(group)", "in range(1, group)"),
    "query tiles start too late": ("first_key - shift)", "first_key - shift + BLOCK_N)"),
    "gradient of queries not scaled": ("(dq * scale)", "(dq)"),
    "log-sum-exp without its peak": ("peak + tl.log2", "tl.log2"),
}
SENSITIVE = [
    "causal, more keys",
    "causal, dead rows",
    "grouped",
    "window",
    "softcap, causal",
    "packed, causal, window, softcap",
]


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug, tmp_path, monkeypatch):
    before, after = BUGS[bug]
    text = inspect.getsource(kernels)
    assert text.count(before) >= 1, "the kernels no longer hold the line that the bug changes"
    broken = tmp_path / "broken_kernels.py"
    broken.write_text(text.replace(before, after))
    spec = importlib.util.spec_from_file_location("broken_kernels", broken)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "broken_kernels", module)
    spec.loader.exec_module(module)
    for name in ("forward", "delta", "grad_key_value", "grad_query"):
        monkeypatch.setattr(launch, f"{name}_kernel", getattr(module, f"{name}_kernel"))
    assert fails_somewhere()


def fails_somewhere():
    """Whether any of a few telling cases is wrong; stops at the first."""
    for name in SENSITIVE:
        try:
            assert_right(BY_NAME[name], torch.float64)
        except AssertionError:
            return True
    return False


def test_the_telling_cases_are_right_without_a_bug():
    assert not fails_somewhere()


@pytest.mark.parametrize("seed", range(3))
def test_random_inputs_of_one_shape_agree_in_float64(seed):
    case = Case("random", (4, 2), (45, 67), 24, batch=2, options={"causal": True})
    assert_right(case, torch.float64, seed=seed + 100)
