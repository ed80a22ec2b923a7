r"""Optimisers that scale each component of the gradient by its own history.

Each is equal to the one of the same name in ``torch.optim``, step for step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coursekit._validate import Array, positive
from coursekit.backprop.optimisers import Optimiser, fraction


class RMSProp(Optimiser):
    r"""Divide each component of the gradient by its own recent root mean square.

    :math:`s \leftarrow \rho s + (1 - \rho)g^2,\
    \theta \leftarrow \theta - \eta g/(\sqrt s + \epsilon)`; Hinton's lecture of 2012.

    Parameters
    ----------
    parameters : sequence of ndarray
        Changed in place.
    lr : float, default 0.01
        Learning rate.
    decay : float, default 0.99
        :math:`\rho`, how much of the average stays at each step (torch's ``alpha``).
    eps : float, default 1e-8
        Keeps the division from zero.
    weight_decay : float, default 0
        L2 penalty's weight.

    Raises
    ------
    TypeError, ValueError
        If a setting is out of range.

    Examples
    --------
    >>> theta = np.array([1.0, 1.0])
    >>> RMSProp([theta], lr=0.01).step([[100.0, 0.01]])
    >>> theta.round(6)
    array([0.9     , 0.900001])
    """

    def __init__(
        self,
        parameters: Sequence[Array],
        lr: float = 0.01,
        *,
        decay: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.decay, self.eps = fraction(decay, "decay"), float(positive(eps, "eps"))
        self.s = self._zeros()

    def _update(self, i: int, p: Array, g: Array) -> None:
        g = g + self.weight_decay * p
        self.s[i] = self.decay * self.s[i] + (1 - self.decay) * g**2
        p -= self.lr * g / (np.sqrt(self.s[i]) + self.eps)


class Adam(Optimiser):
    r"""Momentum and per-component scale, both corrected for their start at zero.

    Implements :eq:`eq-backprop-adam`, Kingma and Ba (2015): with
    :math:`m \leftarrow \beta_1 m + (1 - \beta_1)g` and
    :math:`s \leftarrow \beta_2 s + (1 - \beta_2)g^2`, step by
    :math:`-\eta\,\hat m/(\sqrt{\hat s} + \epsilon)` with
    :math:`\hat m = m/(1 - \beta_1^k)`, :math:`\hat s = s/(1 - \beta_2^k)`.

    Parameters
    ----------
    parameters : sequence of ndarray
        Changed in place.
    lr : float, default 0.001
        Learning rate; near it each component moves at first.
    betas : pair of float, default (0.9, 0.999)
        How much of the two averages stays at each step.
    eps : float, default 1e-8
        Keeps the division from zero.
    weight_decay : float, default 0
        L2 penalty's weight, divided by the scale like the rest of the gradient.

    Raises
    ------
    TypeError, ValueError
        If a setting is out of range.

    Examples
    --------
    >>> theta = np.array([1.0, 1.0])
    >>> Adam([theta], lr=0.01).step([[100.0, 0.01]])
    >>> theta.round(6)
    array([0.99, 0.99])
    """

    def __init__(
        self,
        parameters: Sequence[Array],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.betas = tuple(fraction(b, "betas") for b in betas)
        self.eps = float(positive(eps, "eps"))
        self.m, self.s = self._zeros(), self._zeros()

    def _update(self, i: int, p: Array, g: Array) -> None:
        self._move(i, p, g + self.weight_decay * p)

    def _move(self, i: int, p: Array, g: Array) -> None:
        (b1, b2), k = self.betas, self.steps
        self.m[i] = b1 * self.m[i] + (1 - b1) * g
        self.s[i] = b2 * self.s[i] + (1 - b2) * g**2
        p -= self.lr * (self.m[i] / (1 - b1**k)) / (np.sqrt(self.s[i] / (1 - b2**k)) + self.eps)


class AdamW(Adam):
    r"""Adam with the weight decay outside: first :math:`\theta \leftarrow (1-\eta\lambda)\theta`.

    Implements :eq:`eq-backprop-adamw`, Loshchilov and Hutter (2019): every weight shrinks by the
    same share, however large its gradients were. Parameters and errors as in :class:`Adam`;
    ``weight_decay`` is commonly 0.01 to 0.1.

    Examples
    --------
    >>> theta = np.array([1.0])
    >>> AdamW([theta], lr=0.1, weight_decay=0.5).step([[0.0]])
    >>> theta
    array([0.95])
    """

    def _update(self, i: int, p: Array, g: Array) -> None:
        p *= 1 - self.lr * self.weight_decay
        self._move(i, p, g)
