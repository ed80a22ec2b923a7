"""Values to JSON and back, with nothing in between that could run.

Check data, a student's answers and (later) what a sandbox sends home all pass through here. Plain
values stay what JSON has; what JSON lacks is an object with one tag::

    (1, 2)                -> {"tuple": [1, 2]}
    {"a": 1}              -> {"dict": [["a", 1]]}
    float("nan")          -> {"float": "nan"}
    np.zeros((2, 3))      -> {"array": [2, 3], "dtype": "float64", "data": [0.0, …]}
    np.float64(0.5)       -> {"array": [], "dtype": "float64", "data": [0.5]}

A type outside this list is refused when it is written, a malformed or oversized value when it is
read, before any memory is set aside for it.
"""

import json
import math
from typing import Any

import numpy as np

MAX_BYTES = 16 << 20
MAX_DEPTH = 16
MAX_NODES = 200_000
MAX_ELEMENTS = 1_000_000
MAX_DIGITS = 400
DTYPES = {
    name: np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64"),
    )
}


class WireError(ValueError):
    """The value cannot be written, or the text is not a value that this format has."""


def dumps(value: object) -> str:
    """Write ``value`` as one line of JSON."""
    return json.dumps(encode(value), allow_nan=False, separators=(",", ":"), ensure_ascii=False)


def loads(text: str) -> Any:
    """Read what :func:`dumps` wrote; anything else is a :class:`WireError`."""
    if len(text) > MAX_BYTES:
        raise WireError(f"{len(text)} characters came, more than the {MAX_BYTES} allowed")
    try:
        node = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {type(error).__name__}") from error
    return decode(node)


def encode(value: object, depth: int = 0) -> Any:
    """Turn a plain value or an array into something that ``json`` can write."""
    if depth > MAX_DEPTH:
        raise WireError(f"the value is nested more than {MAX_DEPTH} deep")
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is int:
        return _encode_int(value)  # type: ignore[arg-type]
    if kind is float:
        return _encode_float(value)  # type: ignore[arg-type]
    if isinstance(value, np.ndarray | np.generic):
        return _encode_array(np.asarray(value))
    if kind is list:
        return [encode(item, depth + 1) for item in value]  # type: ignore[attr-defined]
    if isinstance(value, tuple):  # named tuples too: their fields' order is their meaning
        return {"tuple": [encode(item, depth + 1) for item in value]}
    if kind is dict:
        pairs = value.items()  # type: ignore[attr-defined]
        return {"dict": [[encode(k, depth + 1), encode(v, depth + 1)] for k, v in pairs]}
    raise WireError(
        f"a value of type {kind.__module__}.{kind.__qualname__} came; only None, booleans, "
        "numbers, strings, NumPy arrays, and lists, tuples and dictionaries of them can be sent"
    )


def decode(node: Any) -> Any:
    """Rebuild the value that ``node`` stands for, checking sizes before allocating."""
    return _Reader().read(node, 0)


def _encode_int(value: int) -> Any:
    if abs(value) <= 2**53:
        return value
    if value.bit_length() > 3 * MAX_DIGITS:
        raise WireError(f"an integer of {value.bit_length()} bits came, more than can be sent")
    return {"int": str(value)}


def _encode_float(value: float) -> Any:
    return value if math.isfinite(value) else {"float": repr(value)}


def _encode_array(array: np.ndarray) -> dict[str, Any]:
    if array.dtype.name not in DTYPES:
        raise WireError(f"an array of dtype {array.dtype} came; {', '.join(DTYPES)} can be sent")
    if array.size > MAX_ELEMENTS:
        raise WireError(f"an array of {array.size} elements came, more than {MAX_ELEMENTS}")
    flat = array.ravel().tolist()
    data = [x if type(x) is not float or math.isfinite(x) else repr(x) for x in flat]
    return {"array": list(array.shape), "dtype": array.dtype.name, "data": data}


class _Reader:
    """One reading of one value; counts nodes so that a small text cannot ask for much."""

    def __init__(self) -> None:
        self.nodes = 0

    def read(self, node: Any, depth: int) -> Any:
        self.nodes += 1
        if depth > MAX_DEPTH:
            raise WireError(f"the value is nested more than {MAX_DEPTH} deep")
        if self.nodes > MAX_NODES:
            raise WireError(f"the value has more than {MAX_NODES} parts")
        if node is None or type(node) in (bool, int, float, str):
            return node
        if type(node) is list:
            return [self.read(item, depth + 1) for item in node]
        if type(node) is dict:
            return self._tagged(node, depth)
        raise WireError(f"a {type(node).__name__} is no part of this format")

    def _tagged(self, node: dict, depth: int) -> Any:
        match node:
            case {"tuple": list(items)} if len(node) == 1:
                return tuple(self.read(item, depth + 1) for item in items)
            case {"dict": list(pairs)} if len(node) == 1:
                return dict(self._pair(pair, depth + 1) for pair in pairs)
            case {"float": "nan" | "inf" | "-inf" as word} if len(node) == 1:
                return float(word)
            case {"int": str(digits)} if len(node) == 1 and _is_integer(digits):
                return int(digits)
            case {"array": list(shape), "dtype": str(name), "data": list(data)} if len(node) == 3:
                return _read_array(shape, name, data)
        raise WireError(f"unknown or malformed tag {sorted(map(str, node))[:3]}")

    def _pair(self, pair: Any, depth: int) -> tuple:
        if type(pair) is not list or len(pair) != 2:
            raise WireError("a dictionary's entries must be [key, value] pairs")
        key, value = (self.read(part, depth) for part in pair)
        if type(key) not in (str, int, float, bool, type(None)):
            raise WireError(f"a {type(key).__name__} cannot be a key here")
        return key, value


def _is_integer(digits: str) -> bool:
    return len(digits) <= MAX_DIGITS and digits.isascii() and digits.removeprefix("-").isdigit()


def _read_array(shape: list, name: str, data: list) -> Any:
    if name not in DTYPES:
        raise WireError(f"arrays of dtype {name[:40]!r} are not accepted")
    if len(shape) > 8 or not all(type(n) is int and 0 <= n <= MAX_ELEMENTS for n in shape):
        raise WireError("an array's shape must be at most 8 sizes, none negative or huge")
    if math.prod(shape) != len(data) or len(data) > MAX_ELEMENTS:
        raise WireError(f"shape {shape} does not match {len(data)} numbers")
    numbers = [_number(x) for x in data]
    try:
        with np.errstate(over="ignore"):
            array = np.array(numbers, dtype=DTYPES[name]).reshape(shape)
    except (OverflowError, ValueError) as error:
        raise WireError(f"the numbers do not fit {name}") from error
    return array if shape else array[()]


def _number(x: Any) -> Any:
    if type(x) in (int, float, bool):
        return x
    if x in ("nan", "inf", "-inf"):
        return float(x)
    raise WireError(f"{str(x)[:40]!r} is not a number")
