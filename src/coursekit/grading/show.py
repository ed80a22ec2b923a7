"""Values as short text, the same on every run."""

from typing import Any

import numpy as np

from coursekit.grading import wire

LONGEST = 320


def value_text(value: Any) -> str:
    """Write a value so that it fits a line or a small block; big arrays are summarised."""
    text = _text(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 2] + " …"


def call_text(name: str, parameters: list[str], inputs: Any) -> str:
    """Write the call that a check made, one input a line where they are long."""
    parts = [
        f"{parameter}={value_text(value)}"
        for parameter, value in zip(parameters, wire.decode(inputs), strict=False)
    ]
    short = f"{name}({', '.join(parts)})"
    if len(short) <= 72 and "\n" not in short:
        return short
    return f"{name}(\n" + "".join(f"    {_indent(part)},\n" for part in parts) + ")"


def _indent(text: str) -> str:
    return text.replace("\n", "\n    ")


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, bool | np.bool_) or value is None:
        return str(value)
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return f"{float(value):.10g}"
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, tuple | list):
        inside = ", ".join(_text(part) for part in value[:20])
        inside += ", …" if len(value) > 20 else "," if len(value) == 1 else ""
        return f"({inside})" if isinstance(value, tuple) else f"[{inside.rstrip(',')}]"
    if isinstance(value, dict):
        pairs = [f"{k!r}: {_text(v)}" for k, v in list(value.items())[:20]]
        return "{" + ", ".join(pairs) + "}"
    return f"an object of type {type(value).__name__}"


def _array(array: np.ndarray) -> str:
    body = np.array2string(array, precision=5, threshold=24, edgeitems=2, separator=", ")
    if array.ndim > 1 or array.size > 12:
        return f"{body} (shape {array.shape})"
    return body
