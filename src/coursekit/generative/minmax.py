r"""The smallest game, min over x and max over y of xy: why two descents do not make one.

Its only equilibrium is the origin. The gradients turn around it, so that steps of both players at
once lead outwards, however small they are.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from coursekit._validate import Array, array, count, positive

Rule = Literal["simultaneous", "alternating", "extragradient"]


def rotation(lr: float, rule: Rule = "simultaneous") -> Array:
    r"""Return the matrix by which one step multiplies (x, y).

    Implements :eq:`eq-generative-rotation`. ``"simultaneous"`` steps, :math:`x - \eta y` and
    :math:`y + \eta x`, turn and stretch by :math:`\sqrt{1+\eta^2}`. ``"alternating"`` ones, where
    y answers the new x, have determinant 1: for :math:`\eta < 2` they go round an ellipse.
    ``"extragradient"`` takes the gradient where a trial step leads (Korpelevich 1976), and
    shrinks for :math:`\eta < 1`.

    Parameters
    ----------
    lr : float
        The step size :math:`\eta`, above 0.
    rule : {"simultaneous", "alternating", "extragradient"}
        How the players move.

    Returns
    -------
    ndarray, shape (2, 2)

    Raises
    ------
    ValueError
        If the rule is unknown or the step size not above 0.

    Examples
    --------
    >>> rotation(0.5)
    array([[ 1. , -0.5],
           [ 0.5,  1. ]])
    """
    h = float(positive(lr, "lr"))
    turn = np.array([[1.0, -h], [h, 1.0]])
    if rule == "simultaneous":
        return turn
    if rule == "alternating":
        return np.array([[1.0, -h], [h, 1.0 - h * h]])
    if rule == "extragradient":
        return np.eye(2) + (turn - np.eye(2)) @ turn
    raise ValueError(f"rule is {rule!r}; 'simultaneous', 'alternating' or 'extragradient' wanted.")


def play(start: tuple[float, float], lr: float, steps: int, rule: Rule = "simultaneous") -> Array:
    """Return the path of the two players.

    Parameters
    ----------
    start : (float, float)
        x and y before the first step.
    lr : float
        The step size of both.
    steps : int
        How many steps.
    rule : {"simultaneous", "alternating", "extragradient"}
        How the players move; see :func:`rotation`.

    Returns
    -------
    ndarray, shape (steps + 1, 2)

    Raises
    ------
    ValueError
        As :func:`rotation` does.

    Examples
    --------
    >>> path = play((1.0, 0.0), lr=0.1, steps=100)
    >>> float(np.hypot(*path[-1]).round(4)), float((1 + 0.1**2) ** 50).__round__(4)
    (1.6446, 1.6446)
    """
    step = rotation(lr, rule)
    path = [array(start, "start", shape=(2,))]
    for _ in range(count(steps, "steps")):
        path.append(step @ path[-1])
    return np.stack(path)
