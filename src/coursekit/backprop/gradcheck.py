"""A gradient check for anything: your gradient against one that needs no derivation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array
from coursekit.backprop.autograd import Tensor
from coursekit.backprop.differences import central_difference, complex_step, number

Method = Literal["central", "complex"]
EPS = float(np.finfo(np.float64).eps)
NEAR = 1e-5
STEP = {"central": 1e-5, "complex": 1e-20}
TOLERANCE = {"central": 1e-6, "complex": 1e-11}
"""Largest relative error that rounding (and, for differences, the step) can explain."""


@dataclass(frozen=True)
class GradientReport:
    """What a gradient check found; true if the gradient passed.

    Attributes
    ----------
    ok : bool
        Whether every entry agrees within the tolerance.
    worst : float
        Largest relative error.
    where : tuple of int
        Index of the worst entry, the number of the array first where a list was checked.
    analytic, numeric : list of ndarray
        The gradient under test and the one from function values.
    message : str
        The finding in words, with a guess at the fault.
    """

    ok: bool
    worst: float
    where: tuple[int, ...]
    analytic: list[Array]
    numeric: list[Array]
    message: str

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return self.message


def check_gradient(
    f: Callable[[Any], Any],
    x: ArrayLike | Sequence[ArrayLike],
    gradient: Any = None,
    *,
    method: Method = "central",
    tolerance: float | None = None,
) -> GradientReport:
    r"""Compare a gradient with the slope of the function itself.

    Parameters
    ----------
    f : callable
        A function of one array, or of a list of arrays, that returns a number. Without
        `gradient` it takes and returns :class:`Tensor`, and the autograd's gradient is checked.
    x : array_like or list of arrays
        Where to check. A list of arrays is taken as several parameters.
    gradient : array_like, list of arrays or callable, optional
        The gradient under test, or a function that returns it at `x`.
    method : {"central", "complex"}
        Central differences work for any function in float64; the complex step is exact to
        rounding for smooth functions that accept complex numbers.
    tolerance : float, optional
        Largest relative error allowed: 1e-6 for central differences, 1e-11 for the complex step.

    Returns
    -------
    GradientReport
        False, with the worst entry and a guess at the fault, where the gradient is wrong.

    Raises
    ------
    TypeError
        If `f` does not return one number, or a complex step meets a function that drops it.
    ValueError
        If `method` is unknown, or the gradient's shape is not that of `x`.

    Examples
    --------
    >>> f = lambda x: (x**2).mean()
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> bool(check_gradient(f, x, x / 2))
    True
    >>> print(check_gradient(f, x, 2 * x))  # doctest: +NORMALIZE_WHITESPACE
    Gradient wrong at (3,): yours is 8, the function's slope is 2 (relative error 0.75).
    Every entry is 4 times too large: a factor such as the 1/m of a mean is missing.
    """
    if method not in STEP:
        raise ValueError(f"method is {method!r}; 'central' or 'complex' wanted.")
    several = isinstance(x, list | tuple) and all(isinstance(p, np.ndarray) for p in x)
    given: list[Any] = list(x) if several else [x]  # type: ignore[arg-type]
    arrays = [array(p, "x").copy() for p in given]
    value = _as_function_of_list(f, several, tensors=gradient is None)
    analytic = _analytic(f, arrays, gradient, several)
    numeric = [_numeric(value, arrays, i, method) for i in range(len(arrays))]
    limit = TOLERANCE[method] if tolerance is None else float(tolerance)
    scale = abs(number(value(arrays))) / (STEP["central"] if method == "central" else 1.0)
    scale += max((float(np.abs(n).max(initial=0.0)) for n in numeric), default=0.0)
    return _compare(analytic, numeric, limit, 8 * EPS * scale, several)


def assert_gradient(*args: Any, **options: Any) -> None:
    """Raise with the report's message unless :func:`check_gradient` passes.

    Parameters
    ----------
    *args, **options
        As for :func:`check_gradient`.

    Raises
    ------
    AssertionError
        If the gradient is wrong.

    Examples
    --------
    >>> assert_gradient(lambda x: (x * x).sum(), np.array([1.0, -2.0]))
    """
    report = check_gradient(*args, **options)
    if not report:
        raise AssertionError(report.message)


def _as_function_of_list(
    f: Callable[[Any], Any], several: bool, tensors: bool
) -> Callable[[list[Array]], Any]:
    def value(arrays: list[Array]) -> Any:
        inputs = [Tensor(a) for a in arrays] if tensors else arrays
        out = f(inputs if several else inputs[0])
        return out.data if isinstance(out, Tensor) else out

    return value


def _analytic(
    f: Callable[[Any], Any], arrays: list[Array], gradient: Any, several: bool
) -> list[Array]:
    if gradient is None:
        inputs = [Tensor(a, requires_grad=True) for a in arrays]
        f(inputs if several else inputs[0]).backward()
        return [np.zeros(t.shape) if t.grad is None else t.grad for t in inputs]
    if callable(gradient):
        gradient = gradient(arrays if several else arrays[0])
    given = list(gradient) if several else [gradient]
    if len(given) != len(arrays):
        raise ValueError(f"{len(given)} gradients for {len(arrays)} arrays; one each wanted.")
    return [
        array(g, "gradient", shape=a.shape, finite=False)
        for g, a in zip(given, arrays, strict=True)
    ]


def _numeric(
    value: Callable[[list[Array]], Any], arrays: list[Array], i: int, method: Method
) -> Array:
    def one(a: Array) -> Any:
        return value([*arrays[:i], a, *arrays[i + 1 :]])

    return (
        central_difference(one, arrays[i]) if method == "central" else complex_step(one, arrays[i])
    )


def _compare(
    analytic: list[Array], numeric: list[Array], limit: float, rounding: float, several: bool
) -> GradientReport:
    floor = max(rounding / limit, np.finfo(float).tiny)  # below it rounding alone exceeds `limit`
    errors = [
        np.abs(a - n) / np.maximum(np.maximum(np.abs(a), np.abs(n)), floor)
        for a, n in zip(analytic, numeric, strict=True)
    ]
    errors = [np.where(np.isfinite(e), e, np.inf) for e in errors]
    k = int(np.argmax([e.max(initial=0.0) for e in errors]))
    index = tuple(int(i) for i in np.unravel_index(errors[k].argmax(), errors[k].shape))
    worst = float(errors[k][index])
    where = (k, *index) if several else index
    if worst <= limit:
        text = f"Gradient right: largest relative error {worst:.2g}, tolerance {limit:.2g}."
        return GradientReport(True, worst, where, analytic, numeric, text)
    text = (
        f"Gradient wrong at {where}: yours is {analytic[k][index]:.6g}, the function's slope is "
        f"{numeric[k][index]:.6g} (relative error {worst:.2g}). {_guess(analytic[k], numeric[k])}"
    )
    return GradientReport(False, worst, where, analytic, numeric, text.strip())


def _guess(analytic: Array, numeric: Array) -> str:
    """Return what a wrong gradient of this pattern usually comes from, or nothing."""
    if not np.isfinite(analytic).all():
        return "It holds NaN or infinity: look for a division by zero or an overflow."
    square = analytic.ndim == 2 and analytic.shape[0] == analytic.shape[1]
    if square and np.allclose(analytic.T, numeric, rtol=NEAR, atol=NEAR):
        return "It is the transpose of the right one."
    norm = float((numeric * numeric).sum())
    ratio = float((analytic * numeric).sum()) / norm if norm else 0.0
    if ratio and np.allclose(analytic, ratio * numeric, rtol=NEAR, atol=NEAR):
        if abs(ratio + 1) < NEAR:
            return "Every entry has the wrong sign."
        size, word = (ratio, "large") if abs(ratio) > 1 else (1 / ratio, "small")
        return (
            f"Every entry is {size:.4g} times too {word}: a factor such as the 1/m of a mean "
            f"is {'missing' if word == 'large' else 'there twice'}."
        )
    return "If one entry alone is wrong, look for a kink (ReLU at 0, a tie in max) near this place."
