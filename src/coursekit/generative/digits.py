"""The digits as every model of chapter 08 sees them: 64 numbers from -1 to 1.

A pixel of the file is one of 17 grey levels, 0 (paper) to 16 (ink). A density needs continuous
numbers, so that each level becomes an interval of the line and a pixel a random point of its own
interval (:func:`dequantise`); a sample becomes levels again by asking which interval it fell into.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from coursekit.data.datasets import load

Part = Literal["train", "validation", "test", "held-out"]

LEVELS = 17
"""Grey levels of a pixel."""

PIXELS = 64
"""Pixels of an image, 8 by 8."""

CLASSES = 10
"""Digits, 0 to 9."""

NO_LABEL = CLASSES
"""The label that says: any digit."""

PARTS = ("train", "validation", "test", "held-out")


def digit_levels(part: Part = "train") -> tuple[Tensor, Tensor]:
    """Return the grey levels and the labels of one part of the course's fixed split.

    Parameters
    ----------
    part : {"train", "validation", "test", "held-out"}
        ``"held-out"`` is validation and test together.

    Returns
    -------
    levels : Tensor of int64, shape (m, 64)
        From 0, paper, to 16, ink.
    labels : Tensor of int64, shape (m,)
        0 to 9.

    Raises
    ------
    ValueError
        If there is no such part.

    Examples
    --------
    >>> levels, labels = digit_levels("test")
    >>> levels.shape, int(levels.max()), labels.shape
    (torch.Size([355, 64]), 16, torch.Size([355]))
    """
    if part not in PARTS:
        raise ValueError(f"part is {part!r}; one of {', '.join(PARTS)} wanted.")
    digits = load("digits")
    train, validation, test = digits.split()
    rows = {
        "train": train,
        "validation": validation,
        "test": test,
        "held-out": np.concatenate([validation, test]),
    }[part]
    levels = torch.from_numpy(np.rint(16 * digits.X[rows]).astype(np.int64))  # (m, 64)
    return levels, torch.from_numpy(digits.y[rows].astype(np.int64))


def scale(levels: Tensor) -> Tensor:
    """Return levels as numbers from -1 to 1, each in the middle of its interval.

    Parameters
    ----------
    levels : Tensor of int64, any shape
        0 to 16.

    Returns
    -------
    Tensor of float32, of the same shape

    Raises
    ------
    ValueError
        If a level is outside 0 … 16.

    Examples
    --------
    >>> scale(torch.tensor([0, 8, 16]))
    tensor([-0.9412,  0.0000,  0.9412])
    """
    check_levels(levels)
    return 2 * (levels.float() + 0.5) / LEVELS - 1


def dequantise(levels: Tensor, generator: torch.Generator) -> Tensor:
    """Return levels as random points of their intervals, from -1 to 1.

    The density of these points, integrated over an interval, is the probability of its level. So
    the mean log-density of dequantised images bounds the log-probability of the levels from below
    (Theis, van den Oord and Bethge 2016), and densities can be compared with models of levels.

    Parameters
    ----------
    levels : Tensor of int64, any shape
        0 to 16.
    generator : torch.Generator
        Draws the points.

    Returns
    -------
    Tensor of float32, of the same shape

    Raises
    ------
    ValueError
        If a level is outside 0 … 16.

    Examples
    --------
    >>> levels, _ = digit_levels()
    >>> x = dequantise(levels, torch.Generator().manual_seed(0))
    >>> bool((to_levels(x) == levels).all())
    True
    """
    check_levels(levels)
    u = torch.rand(levels.shape, generator=generator)
    return 2 * (levels + u) / LEVELS - 1


def to_levels(x: Tensor) -> Tensor:
    """Return the levels whose intervals the numbers fall into; beyond the ends, the end's.

    Parameters
    ----------
    x : Tensor, any shape
        Pixels; -1 is paper, 1 is ink.

    Returns
    -------
    Tensor of int64, of the same shape
        0 to 16.

    Examples
    --------
    >>> to_levels(torch.tensor([-3.0, -0.99, 0.0, 0.99, 3.0]))
    tensor([ 0,  0,  8, 16, 16])
    """
    return ((x + 1) / 2 * LEVELS).floor().long().clamp(0, LEVELS - 1)


def check_images(x: Tensor, name: str = "x") -> Tensor:
    """Return images, refusing another shape or another range than -1 to 1.

    Parameters
    ----------
    x : Tensor, shape (B, 64)
        Images.
    name : str
        What the caller calls them.

    Returns
    -------
    Tensor
        `x`.

    Raises
    ------
    ValueError
        If the shape is not (B, 64), or a pixel is outside -1 … 1, or NaN, or none is below 0.

    Examples
    --------
    >>> check_images(torch.full((1, 64), 16.0))
    Traceback (most recent call last):
    ValueError: x runs from 16 to 16; pixels from -1 (paper) to 1 (ink) wanted. Use \
dequantise(levels, generator) or scale(levels).
    """
    if x.ndim != 2 or x.shape[1] != PIXELS:
        raise ValueError(
            f"{name} has shape {tuple(x.shape)}; (B, {PIXELS}) wanted. Use {name}.reshape(-1, 64)."
        )
    low, high = (float(x.min()), float(x.max())) if len(x) else (-1.0, 1.0)
    if not (-1 <= low < 0 and high <= 1):  # also where a pixel is NaN
        raise ValueError(
            f"{name} runs from {low:g} to {high:g}; pixels from -1 (paper) to 1 (ink) wanted. "
            "Use dequantise(levels, generator) or scale(levels)."
        )
    return x


def check_levels(levels: Tensor) -> None:
    """Refuse what are no grey levels.

    Parameters
    ----------
    levels : Tensor
        Any shape.

    Raises
    ------
    ValueError
        If they are no whole numbers from 0 to 16.

    Examples
    --------
    >>> check_levels(torch.tensor([255]))
    Traceback (most recent call last):
    ValueError: levels run from 255 to 255; whole numbers from 0 to 16 wanted.
    """
    if levels.is_floating_point():
        raise ValueError(f"levels are {levels.dtype}; whole numbers from 0 to 16 wanted.")
    low, high = (int(levels.min()), int(levels.max())) if levels.numel() else (0, 0)
    if low < 0 or high >= LEVELS:
        raise ValueError(f"levels run from {low} to {high}; whole numbers from 0 to 16 wanted.")
