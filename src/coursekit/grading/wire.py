"""Values to JSON and back, with nothing in between that could run.

The inputs and wanted values of the check data pass through here, and so does every answer that is
compared with them. Plain values stay what JSON has; what JSON lacks is an object with one tag::

    (1, 2)                -> {"tuple": [1, 2]}
    {"a": 1}              -> {"dict": [["a", 1]]}
    float("nan")          -> {"float": "nan"}
    np.zeros((2, 3))      -> {"array": [2, 3], "dtype": "float64", "data": [0.0, …]}
    np.float64(0.5)       -> {"array": [], "dtype": "float64", "data": [0.5]}
    torch.zeros(2)        -> {"tensor": [2], "dtype": "float32", "data": [0.0, 0.0], "grad": false}

Of a tensor travel its numbers, its dtype and whether it requires a gradient; not its graph, its
``.grad`` or its device. PyTorch is imported when a tensor comes in, and not before. A type outside
this list is refused when it is written, a malformed or oversized value when it is read, before any
memory is set aside for it.
"""

import importlib
import json
import math
import sys
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
# As NumPy holds them on the way; every bfloat16 number is a float32 number.
TENSORS = {
    **{name: name for name in ("bool", "uint8", "int8", "int16", "int32", "int64")},
    **{name: name for name in ("float16", "float32", "float64")},
    "bfloat16": "float32",
}
SCALARS = frozenset(np.sctypeDict.values())


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
    if kind is np.ndarray or kind in SCALARS:  # exactly: a subclass may answer as it likes
        return _encode_array(np.asarray(value))
    if is_tensor(value):
        return _encode_tensor(value)
    if kind is list:
        return [encode(item, depth + 1) for item in value]  # type: ignore[attr-defined]
    if issubclass(kind, tuple):  # named tuples too: their fields' order is their meaning
        items: Any = tuple.__iter__(value)  # type: ignore[arg-type]
        return {"tuple": [encode(item, depth + 1) for item in items]}
    if kind is dict:
        pairs = value.items()  # type: ignore[attr-defined]
        return {"dict": [[encode(k, depth + 1), encode(v, depth + 1)] for k, v in pairs]}
    raise WireError(
        f"a value of type {type_name(value)} came; only None, booleans, "
        "numbers, strings, NumPy arrays, torch tensors, and lists, tuples and dictionaries of them "
        "can be sent"
    )


def is_tensor(value: object) -> bool:
    """Whether ``value`` is one of PyTorch's own tensors or parameters: a subclass may lie.

    A nested tensor, which has no shape to speak of, is none here.
    """
    torch: Any = sys.modules.get("torch")  # whoever has a tensor has imported it
    nn = getattr(torch, "nn", None)
    kinds = getattr(torch, "Tensor", None), getattr(nn, "Parameter", None)
    return type(value) in kinds and not value.is_nested  # type: ignore[attr-defined]


def type_name(value: object) -> str:
    """Name of the class of ``value``, without asking the value or a metaclass of it."""
    return type.__dict__["__name__"].__get__(type(value))[:60]


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


def _encode_tensor(tensor: Any) -> dict[str, Any]:
    node = _encode_array(numpy_of(tensor))
    named = {"tensor": node["array"], "dtype": dtype_name(tensor), "data": node["data"]}
    return named | {"grad": bool(tensor.requires_grad)}


def numpy_of(tensor: Any) -> np.ndarray:
    """Numbers of a tensor as a NumPy array; :class:`WireError` where it holds none to copy."""
    import torch

    name = dtype_name(tensor)
    if name not in TENSORS or tensor.layout is not torch.strided or tensor.is_meta:
        raise WireError(
            f"a tensor of dtype {name} and layout {tensor.layout} on {tensor.device.type} came; "
            f"dense tensors of {', '.join(TENSORS)} can be sent"
        )
    if tensor.numel() > MAX_ELEMENTS:  # before an expanded tensor is copied
        raise WireError(f"a tensor of {tensor.numel()} elements came, more than {MAX_ELEMENTS}")
    return tensor.detach().cpu().resolve_neg().to(getattr(torch, TENSORS[name])).numpy()


def dtype_name(tensor: Any) -> str:
    """Name of a tensor's dtype without PyTorch's prefix, such as ``bfloat16``."""
    return str(tensor.dtype).removeprefix("torch.")


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
            case {
                "tensor": list(shape),
                "dtype": str(name),
                "data": list(data),
                "grad": bool(grad),
            } if len(node) == 4:
                return _read_tensor(shape, name, data, grad)
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


def _read_tensor(shape: list, name: str, data: list, grad: bool) -> Any:
    if name not in TENSORS or (grad and "float" not in name):
        raise WireError(f"tensors of dtype {name[:40]!r} with grad={grad} are not accepted")
    array = np.asarray(_read_array(shape, TENSORS[name], data))
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError as error:
        raise WireError(
            "a torch tensor came and PyTorch is not installed here: pip install torch"
        ) from error
    return torch.tensor(array, dtype=getattr(torch, name), requires_grad=grad)


def _number(x: Any) -> Any:
    if type(x) in (int, float, bool):
        return x
    if x in ("nan", "inf", "-inf"):
        return float(x)
    raise WireError(f"{str(x)[:40]!r} is not a number")
