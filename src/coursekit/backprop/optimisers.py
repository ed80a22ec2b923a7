r"""Optimisers: what to do with a gradient. They change lists of arrays in place.

Here those with one learning rate for all components, in ``adaptive.py`` those
with a scale for each. Each is equal to the one of the same name in ``torch.optim``, step for step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array, positive


class Optimiser:
    """What all optimisers share: the parameters, the learning rate and the checks.

    Parameters
    ----------
    parameters : sequence of ndarray
        Float64 arrays; :meth:`step` writes into them.
    lr : float
        Learning rate; may be set anew between steps, as a schedule does.
    weight_decay : float
        Added to the gradient as ``weight_decay * parameter``, the gradient of an L2 penalty.

    Raises
    ------
    TypeError
        If a parameter is not a float64 array, so that it could not be changed in place.
    ValueError
        If the learning rate is not positive.
    """

    def __init__(self, parameters: Sequence[Array], lr: float, weight_decay: float = 0.0) -> None:
        self.parameters = list(parameters)
        for i, p in enumerate(self.parameters):
            if not isinstance(p, np.ndarray) or p.dtype != np.float64:
                kind = getattr(p, "dtype", type(p).__name__)
                raise TypeError(
                    f"parameter {i} is {kind}; a float64 array wanted, changed in place."
                )
        self.lr = float(positive(lr, "lr"))
        self.weight_decay = float(positive(weight_decay, "weight_decay", zero=True))
        self.steps = 0

    def step(self, gradients: Sequence[ArrayLike]) -> None:
        """Change every parameter by one step.

        Parameters
        ----------
        gradients : sequence of array_like
            One of each parameter's shape, in the parameters' order.

        Raises
        ------
        ValueError
            If there are more or fewer gradients than parameters, or a shape differs.
        """
        if len(gradients) != len(self.parameters):
            raise ValueError(
                f"{len(gradients)} gradients for {len(self.parameters)} parameters; one for each "
                "wanted, in their order."
            )
        self.steps += 1
        for i, (p, g) in enumerate(zip(self.parameters, gradients, strict=True)):
            g = array(g, f"gradients[{i}]", shape=p.shape, finite=False)
            self._update(i, p, g)

    def _update(self, i: int, p: Array, g: Array) -> None:
        raise NotImplementedError

    def _zeros(self) -> list[Array]:
        return [np.zeros_like(p) for p in self.parameters]


class SGD(Optimiser):
    r"""Stochastic gradient descent, with heavy-ball or Nesterov momentum.

    :math:`v \leftarrow \mu v + g,\ \theta \leftarrow \theta - \eta v`: :eq:`eq-backprop-sgd` for
    :math:`\mu = 0` and :eq:`eq-backprop-momentum` else. Nesterov steps along
    :math:`g + \mu v` instead.

    Parameters
    ----------
    parameters : sequence of ndarray
        Changed in place.
    lr : float
        Learning rate :math:`\eta`.
    momentum : float, default 0
        :math:`\mu`, from 0 to below 1.
    nesterov : bool, default False
        Look ahead along the velocity.
    weight_decay : float, default 0
        L2 penalty's weight.

    Raises
    ------
    TypeError, ValueError
        If a setting is out of range, or Nesterov is asked for without momentum.

    Examples
    --------
    >>> theta = np.array([1.0])
    >>> sgd = SGD([theta], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     sgd.step([2 * theta])
    >>> theta
    array([0.46])
    """

    def __init__(
        self,
        parameters: Sequence[Array],
        lr: float,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.momentum, self.nesterov = fraction(momentum, "momentum"), nesterov
        if nesterov and not momentum:
            raise ValueError("nesterov=True looks ahead along a momentum, which is 0; set one.")
        self.v = self._zeros()

    def _update(self, i: int, p: Array, g: Array) -> None:
        g = g + self.weight_decay * p
        self.v[i] = self.momentum * self.v[i] + g
        p -= self.lr * (g + self.momentum * self.v[i] if self.nesterov else self.v[i])


def fraction(value: float, name: str) -> float:
    """Return `value`, a share from 0 to below 1.

    Raises
    ------
    ValueError
        If it is out of range.

    Examples
    --------
    >>> fraction(1.0, "momentum")
    Traceback (most recent call last):
    ValueError: momentum is 1.0; a number from 0 to below 1 wanted.
    """
    if not 0 <= value < 1:
        raise ValueError(f"{name} is {value}; a number from 0 to below 1 wanted.")
    return float(value)
