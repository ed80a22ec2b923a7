r"""The game of generator and discriminator: its value, its optimum, and the losses that play it."""

from __future__ import annotations

import math
from typing import Literal

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from coursekit._validate import Array, array, probabilities

GeneratorLoss = Literal["original", "non-saturating"]


def gan_value(p: ArrayLike, q: ArrayLike, D: ArrayLike) -> float:
    r"""Return the value of the game on K outcomes.

    Implements :eq:`eq-generative-gan-value` as a sum:
    :math:`\sum_k p_k\log D_k + q_k\log(1-D_k)`.

    Parameters
    ----------
    p, q : array_like, shape (K,)
        Probabilities of the outcomes in the data, and from the generator.
    D : array_like, shape (K,)
        The discriminator's chance that each outcome is data.

    Returns
    -------
    float
        In nats; at most 0.

    Raises
    ------
    ValueError
        If a D is no probability, or is exactly 0 on data or exactly 1 on what was generated:
        log of zero.

    Examples
    --------
    >>> round(gan_value([0.5, 0.5], [0.5, 0.5], [0.5, 0.5]), 4)  # - log 4
    -1.3863
    """
    p, q = _pair(p, q)
    D = array(D, "D", shape=p.shape)
    if ((D < 0) | (D > 1)).any():
        raise ValueError(f"D runs from {D.min():g} to {D.max():g}; probabilities wanted.")
    if ((D == 0) & (p > 0)).any() or ((D == 1) & (q > 0)).any():
        raise ValueError(
            "D is 0 on an outcome of the data, or 1 on one of the generator: log of zero. Keep D "
            "strictly between, or compute with logits as discriminator_loss does."
        )
    on_data = sum(a * math.log(d) for a, d in zip(p, D, strict=True) if a > 0)
    on_made = sum(b * math.log1p(-d) for b, d in zip(q, D, strict=True) if b > 0)
    return float(on_data + on_made)


def optimal_discriminator(p: ArrayLike, q: ArrayLike) -> Array:
    r"""Return the discriminator that no other beats: :math:`D_k = p_k/(p_k+q_k)`.

    Implements :eq:`eq-generative-optimal-discriminator` (Goodfellow et al. 2014, proposition 1).

    Parameters
    ----------
    p, q : array_like, shape (K,)
        Probabilities in the data, and from the generator.

    Returns
    -------
    ndarray, shape (K,)
        1/2 where neither has mass, since nothing is ever asked there.

    Raises
    ------
    ValueError
        If p or q is no distribution, or their lengths differ.

    Examples
    --------
    >>> optimal_discriminator([0.5, 0.5, 0.0], [0.0, 0.5, 0.5])
    array([1. , 0.5, 0. ])
    """
    p, q = _pair(p, q)
    both = p + q
    return (p + (both == 0) / 2) / (both + (both == 0))


def jensen_shannon(p: ArrayLike, q: ArrayLike) -> float:
    r"""Return the Jensen-Shannon divergence of two distributions over K outcomes.

    Implements :eq:`eq-generative-jensen-shannon`: the mean divergence of each from their mean.

    Parameters
    ----------
    p, q : array_like, shape (K,)
        Probabilities.

    Returns
    -------
    float
        In nats, from 0, where they are equal, to log 2, where no outcome is common to both.

    Raises
    ------
    ValueError
        If p or q is no distribution, or their lengths differ.

    Examples
    --------
    >>> round(jensen_shannon([1, 0], [0, 1]), 4)  # log 2
    0.6931
    """
    p, q = _pair(p, q)
    mean = (p + q) / 2
    terms = [a * math.log(a / m) for r in (p, q) for a, m in zip(r, mean, strict=True) if a > 0]
    return float(sum(terms) / 2)


def discriminator_loss(real_logits: Tensor, made_logits: Tensor) -> Tensor:
    r"""Return minus the game's value, for a discriminator :math:`D = \sigma(\text{logit})`.

    The negative of :eq:`eq-generative-gan-value`; from logits no logarithm of zero can arise.

    Parameters
    ----------
    real_logits, made_logits : Tensor, any shape
        Of images of the data, and of the generator.

    Returns
    -------
    Tensor, one number
        In nats; log 4 for a discriminator that always says one half.

    Examples
    --------
    >>> discriminator_loss(torch.zeros(4, 1), torch.zeros(4, 1))
    tensor(1.3863)
    """
    return nn.functional.softplus(-real_logits).mean() + nn.functional.softplus(made_logits).mean()


def generator_loss(made_logits: Tensor, kind: GeneratorLoss = "non-saturating") -> Tensor:
    r"""Return what the generator minimises.

    ``"original"`` is its part of the game, :math:`\log(1-D)`, whose gradient dies where the
    discriminator is sure. ``"non-saturating"`` is :eq:`eq-generative-non-saturating`,
    :math:`-\log D`, with the same fixed point and a gradient that is large there.

    Parameters
    ----------
    made_logits : Tensor, any shape
        The discriminator's, of what was generated.
    kind : {"original", "non-saturating"}
        Which loss.

    Returns
    -------
    Tensor, one number

    Raises
    ------
    ValueError
        If the kind is neither.

    Examples
    --------
    >>> generator_loss(torch.zeros(4, 1)), generator_loss(torch.zeros(4, 1), "original")
    (tensor(0.6931), tensor(-0.6931))
    """
    if kind == "original":
        return -nn.functional.softplus(made_logits).mean()
    if kind == "non-saturating":
        return nn.functional.softplus(-made_logits).mean()
    raise ValueError(f"kind is {kind!r}; 'original' or 'non-saturating' wanted.")


def gradient_on_logit(logit: ArrayLike, kind: GeneratorLoss) -> Array:
    """Return the size of the generator's gradient at the discriminator's logit.

    Parameters
    ----------
    logit : array_like, shape (m,)
        Far below 0 where the discriminator is sure that an image was generated.
    kind : {"original", "non-saturating"}
        Which loss.

    Returns
    -------
    ndarray, shape (m,)
        Between 0 and 1.

    Examples
    --------
    >>> gradient_on_logit([0.0], "original")
    array([0.5])
    """
    x = torch.tensor(array(logit, "logit", ndim=1), requires_grad=True)
    (gradient,) = torch.autograd.grad(len(x) * generator_loss(x, kind), x)
    return gradient.abs().numpy()


def _pair(p: ArrayLike, q: ArrayLike) -> tuple[Array, Array]:
    p, q = probabilities(p, "p"), probabilities(q, "q")
    if p.shape != q.shape:
        raise ValueError(f"p has {len(p)} outcomes and q has {len(q)}; as many wanted.")
    return p, q
