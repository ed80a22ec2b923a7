"""When two computations in torch, or a sample and its law, agree: argued once."""

import torch


def assert_same(actual, expected, *, terms=1):
    """Assert equality up to rounding in the tensors' own precision.

    Two orders of summing `terms` products of order one differ by `terms` units of rounding at
    worst; 16 covers the functions around the sums. Errors are measured against the largest entry.
    """
    assert actual.shape == expected.shape, f"shapes {actual.shape} and {expected.shape}"
    assert actual.dtype == expected.dtype
    scale = max(1.0, expected.abs().max().item())
    bound = 16 * torch.finfo(actual.dtype).eps * terms * scale
    worst = (actual - expected).abs().max().item()
    assert worst <= bound, f"off by {worst:.3g}, and rounding explains {bound:.3g}"


def assert_mean(values, truth, *, standard_errors=5.0):
    """Assert that the mean over the first axis is the truth, within five standard errors."""
    values = values.double()
    error = values.std(0) / len(values) ** 0.5
    gap = (values.mean(0) - torch.as_tensor(truth).double()).abs()
    assert bool((gap <= standard_errors * error + 1e-12).all()), f"off by {(gap / error).max():.1f}"


def gen(seed=0):
    """Return a source of random numbers."""
    return torch.Generator().manual_seed(seed)
