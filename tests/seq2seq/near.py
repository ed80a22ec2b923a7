"""When two computations of one function in torch agree, argued once."""

import torch


def assert_same(actual, expected, *, terms=1):
    """Assert equality up to rounding in the tensors' own precision.

    Two orders of summation of `terms` products of order one differ by about ``sqrt(terms)`` units
    of rounding and by ``terms`` at worst; 16 covers the functions around the sums and the few
    matrix products that follow each other. Errors are measured against the largest entry.
    """
    assert actual.shape == expected.shape, f"shapes {actual.shape} and {expected.shape}"
    assert actual.dtype == expected.dtype
    scale = max(1.0, expected.abs().max().item())
    bound = 16 * torch.finfo(actual.dtype).eps * terms * scale
    worst = (actual - expected).abs().max().item()
    assert worst <= bound, f"off by {worst:.3g}, and rounding explains {bound:.3g}"
