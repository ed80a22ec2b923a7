"""Is this the value that was wanted, and if not, what is different, in one sentence.

A comparison is data (two tolerances), not code: it travels with the public check data, and nothing
of a solution travels with it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from coursekit.grading.show import value_text
from coursekit.grading.wire import SCALARS, WireError, dtype_name, is_tensor, numpy_of, type_name

NUMBERS = SCALARS | {bool, int, float, complex}
KEYS = (str, int, float, bool, type(None))
ANSWER = "the answer"
# Least (rtol, atol) of tensors in few bits: some hundred roundings of 6e-8, some dozen of 5e-4 and
# of 4e-3, each relative to numbers near 1.
ROUNDED = {"float32": (1e-4, 1e-5), "float16": (1e-2, 1e-2), "bfloat16": (5e-2, 5e-2)}
KINDS = {"b": "booleans", "i": "integers", "u": "integers", "f": "floating-point numbers"}


@dataclass(frozen=True)
class Close:
    """Numbers agree when ``|got - wanted| <= atol + rtol * |wanted|``.

    The defaults suit float64 results of short computations: rounding stays near 1e-15 per
    operation, so 1e-6 forgives every order of summation and no wrong formula. Shapes must agree
    exactly, and so must the kind of number (integers, floats or booleans) of an array. Strings,
    booleans and None must be equal.

    Where a torch tensor is wanted, the dtype must be the same, and an answer without a gradient is
    refused where the one wanted requires it. Short formats round more: for tensors ``rtol`` and
    ``atol`` are at least 1e-4 and 1e-5 in float32, 1e-2 in float16, 5e-2 in bfloat16.

    A number or an array must be one of Python's or NumPy's own: a class derived from them (a masked
    array, a matrix) can hide entries or answer as it likes, and is refused.
    """

    rtol: float = 1e-6
    atol: float = 1e-9

    def difference(self, got: Any, wanted: Any, what: str = ANSWER) -> str:
        """Say in one sentence how ``got`` differs from ``wanted``; empty when it does not."""
        if is_tensor(wanted):
            return self._tensor(got, wanted, what)
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
        wanted = _held(wanted)
        if not issubclass(type(got), tuple | list):
            return f"{_a(got)} came back as {what}; {len(wanted)} values were wanted, in a tuple."
        got = _held(got)
        if len(got) != len(wanted):
            s, were = ("" if len(got) == 1 else "s"), ("was" if len(wanted) == 1 else "were")
            return f"{len(got)} value{s} came back as {what}; {len(wanted)} {were} wanted."
        pairs = zip(got, wanted, strict=True)
        parts = (
            self.difference(g, w, _value(i, len(wanted), what)) for i, (g, w) in enumerate(pairs, 1)
        )
        return next((part for part in parts if part), "")

    def _mapping(self, got: Any, wanted: dict, what: str) -> str:
        if not issubclass(type(got), dict):
            return f"{_a(got)} came back as {what}; a dictionary was wanted."
        got = dict(dict.items(got))
        if any(type(k) not in KEYS for k in got) or set(got) != set(wanted):
            return f"{what} has the keys {_keys(got)}; {_keys(wanted)} were wanted."
        parts = (self.difference(got[k], wanted[k], _inside(_key(k), what)) for k in wanted)
        return next((part for part in parts if part), "")

    def _scalar(self, got: Any, wanted: Any, what: str) -> str:
        if type(got) not in NUMBERS and not (type(got) is np.ndarray and got.ndim == 0):
            item = ": .item() gives it" if is_tensor(got) and got.numel() == 1 else ""
            return f"{_a(got)} came back as {what}; a single number was wanted{item}."
        if _huge(got) or _huge(wanted):
            if type(got) is type(wanted) and got == wanted:
                return ""
            return f"{what} is {value_text(got)}; {value_text(wanted)} was wanted."
        got, wanted = (float(x) if type(x) is int else x for x in (got, wanted))
        return self._values(np.asarray(got), np.asarray(wanted), what)

    def _array(self, got: Any, wanted: np.ndarray, what: str) -> str:
        if type(got) is not np.ndarray:
            plain = "a plain" if issubclass(type(got), np.ndarray) else "a"
            numpy = ": .detach().numpy() makes one" if is_tensor(got) else ""
            return f"{_a(got)} came back as {what}; {plain}{_a(wanted)[1:]} was wanted{numpy}."
        if got.shape != wanted.shape:
            return f"{what} has shape {got.shape}; shape {wanted.shape} was wanted."
        if _kind(got) != _kind(wanted):
            return f"{what} holds {_kind(got)} (dtype {got.dtype}); {_kind(wanted)} were wanted."
        return self._values(got, wanted, what)

    def _tensor(self, got: Any, wanted: Any, what: str) -> str:
        if not is_tensor(got):
            torch = ": stay with torch's functions" if type(got) is np.ndarray else ""
            return f"{_a(got)} came back as {what}; {_a(wanted)} was wanted{torch}."
        if got.shape != wanted.shape:
            return f"{what} has shape {tuple(got.shape)}; shape {tuple(wanted.shape)} was wanted."
        if got.dtype != wanted.dtype:
            return f"{what} has dtype {dtype_name(got)}; {dtype_name(wanted)} was wanted."
        rtol, atol = ROUNDED.get(dtype_name(wanted), (0.0, 0.0))
        eased = Close(max(self.rtol, rtol), max(self.atol, atol))
        try:
            said = eased._values(numpy_of(got), numpy_of(wanted), what)
        except WireError as error:
            return f"{what} cannot be read: {error}."
        if said:
            return said
        if wanted.requires_grad and not got.requires_grad:
            return (
                f"{what} has the right numbers and carries no gradient: something detached it "
                "(detach, item, numpy, no_grad, or a new tensor made from its numbers)."
            )
        return ""

    def _values(self, got: np.ndarray, wanted: np.ndarray, what: str) -> str:
        if got.dtype.kind not in KINDS:
            return f"{what} holds {_kind(got)} (dtype {got.dtype}); {_kind(wanted)} were wanted."
        with np.errstate(all="ignore"):  # whatever the notebook has set
            return self._numbers(got.astype(float), wanted.astype(float), what)

    def _numbers(self, got: np.ndarray, wanted: np.ndarray, what: str) -> str:
        for name, test in (("nan", np.isnan), ("infinite", np.isinf)):
            strange = test(got) & ~test(wanted)
            if strange.any():
                return f"{what} is {name}{_where(strange)}; a number was wanted there."
        wrong = ~np.isclose(got, wanted, rtol=self.rtol, atol=self.atol, equal_nan=True)
        return _describe(got, wanted, wrong, what) if wrong.any() else ""


def _value(i: int, count: int, what: str) -> str:
    return f"value {i} of {count}" if what == ANSWER else f"part {i} of {what}"


def _key(key: Any) -> str:
    return repr(key) if type(key) is str else f"entry {key!r}"


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
    if type(got) in (np.bool_, np.str_):
        got = got.item()
    return type(got) is type(wanted) and got == wanted


def _unequal(got: Any, wanted: Any, what: str) -> str:
    if isinstance(got, bool | np.bool_ | str) and type(wanted) in (bool, str):
        return f"{what} is {str(got)[:80]}; {wanted} was wanted."
    return f"{_a(got)} came back as {what}."


def _kind(array: np.ndarray) -> str:
    return KINDS.get(array.dtype.kind, "something that is not a real number")


def _keys(mapping: dict) -> str:
    return ", ".join(sorted(map(value_text, mapping)))


def _held(value: tuple | list) -> list:
    """What a tuple or list holds, whatever a class derived from it says."""
    base: Any = tuple if issubclass(type(value), tuple) else list
    return list(base.__iter__(value))


def _huge(value: Any) -> bool:
    """Whether ``value`` is an integer too large for a floating-point number."""
    return type(value) is int and value.bit_length() > 1023


def _a(value: Any) -> str:
    """Name what ``value`` is, for the middle of a sentence."""
    if value is None:
        return "None"
    kind = type(value)
    if kind is np.ndarray:
        return f"a NumPy array of shape {value.shape}"
    if is_tensor(value):
        return f"a torch tensor of shape {tuple(value.shape)}"
    if issubclass(kind, np.ma.MaskedArray):
        return "a masked array"
    if issubclass(kind, np.ndarray):
        return f"an array of type {type_name(value)}"
    if kind in NUMBERS and kind is not bool:
        return "a single number"
    home = type.__dict__["__module__"].__get__(kind)
    if type(home) is str and home.split(".")[0] == "torch":
        return f"a torch object of type {type_name(value)}"
    names: dict[type, str] = {
        list: "a list",
        tuple: "a tuple",
        dict: "a dictionary",
        str: "a string",
    }
    return names.get(kind, f"a value of type {type_name(value)}")
