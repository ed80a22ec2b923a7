"""Which pixels decided? Gradients, integrated gradients, and the test that such maps must pass."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from coursekit._validate import count

Explains = Callable[[nn.Module, Tensor, Tensor], Tensor]


def scores_of(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Return each image's score of its own class, shape (B,).

    Examples
    --------
    >>> scores_of(nn.Identity(), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1, 0]))
    tensor([2., 3.])
    """
    return model(x).gather(1, target[:, None])[:, 0]


def gradient_saliency(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    r"""Return how steeply each image's score rises with each pixel, as a size.

    Implements :eq:`eq-landscape-saliency`, Simonyan et al. (2014).

    Parameters
    ----------
    model : nn.Module
        Takes (B, …), gives logits (B, K).
    x : Tensor, shape (B, …)
        Images.
    target : Tensor of int64, shape (B,)
        Which score of each.

    Returns
    -------
    Tensor, shape of `x`
        Not negative.

    Examples
    --------
    >>> model = nn.Linear(2, 1, bias=False)
    >>> model.weight.data = torch.tensor([[3.0, -4.0]])
    >>> gradient_saliency(model, torch.zeros(1, 2), torch.tensor([0]))
    tensor([[3., 4.]])
    """
    return _gradient(model, x, target).abs()


def _gradient(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(scores_of(model, x, target).sum(), x)
    return slope


def integrated_gradients(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    baseline: Tensor | None = None,
    steps: int = 64,
) -> Tensor:
    r"""Share the change of a score, from a baseline to the image, out among the pixels.

    Implements :eq:`eq-landscape-integrated-gradients`, Sundararajan et al. (2017), equation 1, by
    the midpoint rule. The shares sum to the change (completeness).

    Parameters
    ----------
    model : nn.Module
        Takes (B, …), gives logits (B, K).
    x : Tensor, shape (B, …)
        Images.
    target : Tensor of int64, shape (B,)
        Which score of each.
    baseline : Tensor, shape of `x`, optional
        What counts as no image; zeros by default.
    steps : int
        Places on the line between.

    Returns
    -------
    Tensor, shape of `x`
        Of either sign.

    Raises
    ------
    ValueError
        If the baseline has another shape.

    Examples
    --------
    >>> model = nn.Linear(2, 1, bias=False)
    >>> model.weight.data = torch.tensor([[3.0, -4.0]])
    >>> integrated_gradients(model, torch.tensor([[2.0, 1.0]]), torch.tensor([0]))
    tensor([[ 6., -4.]])
    """
    start = torch.zeros_like(x) if baseline is None else baseline
    if start.shape != x.shape:
        raise ValueError(f"baseline has shape {tuple(start.shape)}; x's, {tuple(x.shape)}, wanted.")
    total = torch.zeros_like(x)
    for i in range(count(steps, "steps")):
        total += _gradient(model, start + (i + 0.5) / steps * (x - start), target)
    return (x - start) * total / steps


@torch.no_grad()
def completeness_gap(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    shares: Tensor,
    baseline: Tensor | None = None,
) -> Tensor:
    """Return by how much the shares miss the change of the score, shape (B,).

    Parameters
    ----------
    model, x, target, baseline
        As in :func:`integrated_gradients`.
    shares : Tensor, shape of `x`
        What it returned.

    Examples
    --------
    >>> model, x = nn.Linear(2, 1), torch.tensor([[2.0, 1.0]])
    >>> shares = integrated_gradients(model, x, torch.tensor([0]))
    >>> bool(completeness_gap(model, x, torch.tensor([0]), shares).abs() < 1e-5)
    True
    """
    start = torch.zeros_like(x) if baseline is None else baseline
    change = scores_of(model, x, target) - scores_of(model, start, target)
    return shares.flatten(1).sum(1) - change


def edges(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Return where an image changes from pixel to pixel: a "map" that never asks the model.

    It takes the arguments of the others, so that it can be put to the same test.

    Parameters
    ----------
    model, target
        Not used.
    x : Tensor, shape (B, h, w)
        Images.

    Returns
    -------
    Tensor, shape (B, h, w)

    Examples
    --------
    >>> edges(nn.Identity(), torch.tensor([[[0.0, 1.0], [0.0, 1.0]]]), torch.tensor([0]))
    tensor([[[1., 1.],
             [1., 1.]]])
    """
    across = nn.functional.pad(x, (1, 1, 0, 0), mode="replicate").diff(n=1, dim=2).abs()
    down = nn.functional.pad(x, (0, 0, 1, 1), mode="replicate").diff(n=1, dim=1).abs()
    return across[..., 1:] + across[..., :-1] + down[:, 1:] + down[:, :-1]


@torch.no_grad()
def randomised(model: nn.Module, layers: Sequence[str], generator: torch.Generator) -> nn.Module:
    """Return a copy in which the weights of some layers are shuffled among themselves.

    Parameters
    ----------
    model : nn.Module
        Trained; it stays as it is.
    layers : sequence of str
        Beginnings of the parameters' names, such as ``"head"``.
    generator : torch.Generator
        Source of the order.

    Raises
    ------
    ValueError
        If a name fits no parameter.

    Examples
    --------
    >>> model = nn.Linear(9, 9)
    >>> other = randomised(model, ["weight"], torch.Generator().manual_seed(0))
    >>> bool((other.weight == model.weight).all()), bool((other.bias == model.bias).all())
    (False, True)
    """
    out = copy.deepcopy(model)
    for layer in layers:
        fitting = [p for name, p in out.named_parameters() if name.startswith(layer)]
        if not fitting:
            names = ", ".join(name for name, _ in out.named_parameters())
            raise ValueError(f"no parameter begins with {layer!r}; there are {names}.")
        for p in fitting:
            order = torch.randperm(p.numel(), generator=generator)
            p.copy_(p.flatten()[order].view_as(p))
    return out


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Return how alike two maps rank the pixels, averaged over images: Spearman's, -1 to 1.

    Parameters
    ----------
    a, b : Tensor, shape (B, …)
        Maps; their sizes are compared, not their signs.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> a = torch.tensor([[1.0, 2.0, 3.0]])
    >>> round(rank_correlation(a, -2 * a), 6), round(rank_correlation(a, a.flip(1)), 6)
    (1.0, -1.0)
    """
    if a.shape != b.shape:
        raise ValueError(f"the maps have shapes {tuple(a.shape)} and {tuple(b.shape)}.")
    pairs = zip(a.abs().flatten(1).numpy(), b.abs().flatten(1).numpy(), strict=True)
    values = [float(spearmanr(x, y).statistic) for x, y in pairs]
    return sum(values) / len(values)
