"""Is this the value that was wanted, and if not, what is different, in one sentence.

A comparison is data (two tolerances), not code: the practice check in a notebook and a grader in
another process apply the same one, and nothing of a solution travels with it.
"""

from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np

ANSWER = "the answer"
KINDS = {"b": "booleans", "i": "integers", "u": "integers", "f": "floating-point numbers"}


@dataclass(frozen=True)
class Close:
    """Numbers agree when ``|got - wanted| <= atol + rtol * |wanted|``.

    The defaults suit float64 results of short computations: rounding stays near 1e-15 per
    operation, so 1e-6 forgives every order of summation and no wrong formula. Shapes must agree
    exactly, and so must the kind of number (integers, floats or booleans) of an array. Strings,
    booleans and None must be equal.
    """

    rtol: float = 1e-6
    atol: float = 1e-9

    def difference(self, got: Any, wanted: Any, what: str = ANSWER) -> str:
        """Say in one sentence how ``got`` differs from ``wanted``; empty when it does not."""
        match wanted:
            case None | bool() | str():
                return "" if _equal_plain(got, wanted) else _unequal(got, wanted, what)
            case tuple() | list():
                return self._sequence(got, wanted, what)
            case dict():
                return self._mapping(got, wanted, what)
            case np.ndarray() if wanted.ndim:
                return self._array(got, wanted, what)
        return self._scalar(got, wanted, what)

    def _sequence(self, got: Any, wanted: Any, what: str) -> str:
        if not isinstance(got, tuple | list):
            return f"{_a(got)} came back as {what}; {len(wanted)} values were wanted, in a tuple."
        if len(got) != len(wanted):
            return f"{len(got)} values came back as {what}; {len(wanted)} were wanted."
        pairs = zip(got, wanted, strict=True)
        parts = (
            self.difference(g, w, _inside(f"value {i} of {len(wanted)}", what))
            for i, (g, w) in enumerate(pairs, 1)
        )
        return next((part for part in parts if part), "")

    def _mapping(self, got: Any, wanted: dict, what: str) -> str:
        if not isinstance(got, dict):
            return f"{_a(got)} came back as {what}; a dictionary was wanted."
        if set(got) != set(wanted):
            return f"{what} has the keys {_keys(got)}; {_keys(wanted)} were wanted."
        parts = (self.difference(got[k], wanted[k], _inside(f"entry {k!r}", what)) for k in wanted)
        return next((part for part in parts if part), "")

    def _scalar(self, got: Any, wanted: Any, what: str) -> str:
        if not isinstance(got, Number) and not (isinstance(got, np.ndarray) and got.ndim == 0):
            return f"{_a(got)} came back as {what}; a single number was wanted."
        return self._values(np.asarray(got), np.asarray(wanted), what)

    def _array(self, got: Any, wanted: np.ndarray, what: str) -> str:
        if not isinstance(got, np.ndarray):
            return f"{_a(got)} came back as {what}; {_a(wanted)} was wanted."
        if got.shape != wanted.shape:
            return f"{what} has shape {got.shape}; shape {wanted.shape} was wanted."
        if _kind(got) != _kind(wanted):
            return f"{what} holds {_kind(got)} (dtype {got.dtype}); {_kind(wanted)} were wanted."
        return self._values(got, wanted, what)

    def _values(self, got: np.ndarray, wanted: np.ndarray, what: str) -> str:
        if got.dtype.kind not in KINDS:
            return f"{what} holds {_kind(got)} (dtype {got.dtype}); {_kind(wanted)} were wanted."
        got, wanted = got.astype(float), wanted.astype(float)
        for name, test in (("nan", np.isnan), ("infinite", np.isinf)):
            strange = test(got) & ~test(wanted)
            if strange.any():
                return f"{what} is {name}{_where(strange)}; a number was wanted there."
        wrong = ~np.isclose(got, wanted, rtol=self.rtol, atol=self.atol, equal_nan=True)
        return _describe(got, wanted, wrong, what) if wrong.any() else ""


def _inside(part: str, what: str) -> str:
    return part if what == ANSWER else f"{part} of {what}"


def _describe(got: np.ndarray, wanted: np.ndarray, wrong: np.ndarray, what: str) -> str:
    if not got.ndim:
        return f"{what} is {float(got):.10g}; {float(wanted):.10g} was wanted."
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (
        f"{int(wrong.sum())} of {wrong.size} entries of {what} differ; the first, {list(first)}, "
        f"is {got[first]:.10g} and {wanted[first]:.10g} was wanted."
    )


def _where(mask: np.ndarray) -> str:
    if not mask.ndim:
        return ""
    return f" in {int(mask.sum())} of {mask.size} entries, first at {np.argwhere(mask)[0].tolist()}"


def _equal_plain(got: Any, wanted: Any) -> bool:
    if isinstance(got, np.bool_):
        got = bool(got)
    return type(got) is type(wanted) and got == wanted


def _unequal(got: Any, wanted: Any, what: str) -> str:
    if isinstance(got, bool | np.bool_ | str) and type(wanted) in (bool, str):
        return f"{what} is {str(got)[:80]}; {wanted} was wanted."
    return f"{_a(got)} came back as {what}."


def _kind(array: np.ndarray) -> str:
    return KINDS.get(array.dtype.kind, "something that is not a real number")


def _keys(mapping: dict) -> str:
    return ", ".join(sorted(map(repr, mapping)))


def _a(value: Any) -> str:
    """Name what ``value`` is, for the middle of a sentence."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"a NumPy array of shape {value.shape}"
    kind = type(value)
    if kind.__module__.split(".")[0] == "torch":
        return "a torch tensor"
    if isinstance(value, Number) and not isinstance(value, bool):
        return "a single number"
    return {"list": "a list", "tuple": "a tuple", "dict": "a dictionary", "str": "a string"}.get(
        kind.__name__, f"a value of type {kind.__name__}"
    )
