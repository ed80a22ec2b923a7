"""Values as short text, the same on every run."""

import textwrap
from itertools import islice
from typing import Any

import numpy as np

from coursekit.grading import wire

LONGEST = 320
LINE = 72
DEEPEST = 4
MOST = 20
PRINTED = "biufcSUmM"  # kinds of arrays whose entries are shown: objects and records are not
OPTIONS: dict[str, Any] = {
    **{"precision": 5, "threshold": 24, "edgeitems": 2, "linewidth": 75, "suppress": False},
    **{"nanstr": "nan", "infstr": "inf", "sign": "-", "floatmode": "maxprec", "legacy": False},
}


def value_text(value: Any) -> str:
    """Write a value so that it fits a line or a small block; big arrays are summarised.

    Nothing of the value's own runs, so that an answer of any kind can be shown: only the methods of
    Python's and NumPy's classes are called, and what lies too deep is an ellipsis.
    """
    text = _text(value, 0)
    return text if len(text) <= LONGEST else text[: LONGEST - 2] + " …"


def call_text(q: Any, inputs: Any) -> str:
    """Write what a check tried: the call, or what the answer was used with, one input a line.

    ``q`` is a question as published. Where it has a driver, the inputs are the driver's, and the
    text does not look like a call of the answer.
    """
    parts = [
        _indent(f"{parameter}={value_text(value)}", len(parameter) + 1)
        for parameter, value in zip(q.parameters, wire.decode(inputs), strict=False)
    ]
    left, right = (", with ", "") if q.driver else ("(", ")")
    short = f"{q.asks}{left}{', '.join(parts)}{right}"
    if len(short) <= 72 and "\n" not in short:
        return short
    rows = "".join(f"    {_indent(part, 4)},\n" for part in parts)
    return f"{q.asks}{left.rstrip()}\n{rows}{right}".rstrip("\n")


def _indent(text: str, by: int) -> str:
    return text.replace("\n", "\n" + " " * by)


def _text(value: Any, depth: int) -> str:
    kind = type(value)
    if kind is np.ndarray:
        return _array(value)
    if wire.is_tensor(value):
        return _tensor(value)
    if kind in wire.SCALARS:
        value = value.item() if value.dtype.kind in "biufc" else value
        kind = type(value)
    if kind is bool or value is None:
        return str(value)
    if kind is int:
        return _integer(value)
    if kind in (float, complex):
        return f"{value:.10g}"
    if kind is str:
        return repr(value[:LONGEST])
    if issubclass(kind, tuple | list | dict):
        return _collection(value, kind, depth)
    what = "array" if issubclass(kind, np.ndarray) else "object"
    return f"an {what} of type {wire.type_name(value)}"


def _integer(value: int) -> str:
    bits = value.bit_length()
    return str(value) if bits <= 1024 else f"an integer of {bits} bits"


def _collection(value: Any, kind: type, depth: int) -> str:
    base = next(base for base in (tuple, list, dict) if issubclass(kind, base))
    left, right = {tuple: ("(", ")"), list: ("[", "]"), dict: ("{", "}")}[base]
    size = base.__len__(value)
    if depth == DEEPEST and size:
        return f"{left}…{right}"
    parts, length = [], 0
    for item in islice(dict.items(value) if base is dict else base.__iter__(value), MOST):
        parts.append(_entry(item, depth + 1) if base is dict else _text(item, depth + 1))
        length += len(parts[-1])
        if length > LONGEST:
            break
    inside = _joined(parts)
    if len(parts) < size:
        inside += ", …"
    elif base is tuple and size == 1:
        inside += ","
    return f"{left}{inside}{right}"


def _entry(item: tuple, depth: int) -> str:
    key, value = (_text(part, depth) for part in item)
    return f"{key}: {_indent(value, len(key) + 2)}"


def _joined(parts: list[str]) -> str:
    """Parts on one line, or filling lines where they are short, or one a line."""
    one = ", ".join(parts)
    if "\n" not in one and len(one) <= LINE:
        return one
    if "\n" not in one and max(map(len, parts)) <= LINE // 4:
        return textwrap.fill(one, LINE, subsequent_indent=" ", break_long_words=False)
    return ",\n ".join(_indent(part, 1) for part in parts)


def _tensor(tensor: Any) -> str:
    try:
        body = _array(wire.numpy_of(tensor))
    except wire.WireError:
        body = f"of shape {tuple(tensor.shape)}"
    dtype = wire.dtype_name(tensor)
    return f"tensor {_indent(body, len('tensor '))}" + (
        "" if dtype in ("float32", "int64", "bool") else f" ({dtype})"
    )


def _array(array: np.ndarray) -> str:
    if array.dtype.kind not in PRINTED:
        return f"an array of shape {array.shape} and dtype {array.dtype}"
    with np.printoptions(**OPTIONS):
        body = np.array2string(array, separator=", ")
    if array.ndim > 1 or array.size > 12:
        return f"{body} (shape {array.shape})"
    return body
