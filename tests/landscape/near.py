"""What several test files start from."""

import numpy as np
import torch

from coursekit.data import load


def digits(part):
    """Images of one part of the digits, from 0 to 1, and which they are."""
    data = load("digits")
    rows = torch.tensor(getattr(data.split(), part))
    X = torch.tensor(data.X, dtype=torch.float32).reshape(-1, 8, 8)
    return (X / X.max())[rows], torch.tensor(data.y)[rows]


def rng(seed):
    return np.random.default_rng(seed)
