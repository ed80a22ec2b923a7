"""A calculator that an agent may be given: arithmetic from text, with nothing else behind it."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable

LONGEST, LARGEST = 200, 1e100
"""Characters of an expression, and size of any number in it."""

_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: math.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[float], float]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "sqrt": math.sqrt,
    "log": math.log,
    "log2": math.log2,
    "log10": math.log10,
    "exp": math.exp,
    "min": min,
    "max": max,
}


def calculate(expression: str) -> float:
    """Return the value of an arithmetic expression, all in floating point.

    Python's own parser reads it, and only numbers, ``+ - * / // % **``, brackets and a few
    functions are let through: no names, no attributes, no strings, so that nothing else can run.

    Parameters
    ----------
    expression : str
        Such as ``"6 * 7e9 * 2e12"``; ``^`` is read as a power, and ``×`` as a product.

    Raises
    ------
    ValueError
        If it is not such an expression, is too long, or its value is too large or not defined.

    Examples
    --------
    >>> calculate("2 + 3 * 4"), calculate("sqrt(2 ^ 10)")
    (14.0, 32.0)
    >>> calculate("__import__('os').getcwd()")
    Traceback (most recent call last):
    ValueError: cannot calculate "__import__('os').getcwd()": a call of something else than ...
    """
    if len(expression) > LONGEST:
        raise ValueError(f"the expression has {len(expression)} characters; {LONGEST} at most.")
    text = expression.replace("^", "**").replace("×", "*").replace("−", "-").strip()
    try:
        value = _value(ast.parse(text, mode="eval").body)
    except (SyntaxError, ZeroDivisionError, OverflowError, TypeError, RecursionError) as error:
        raise ValueError(f"cannot calculate {expression!r}: {error}.") from None
    except ValueError as error:
        raise ValueError(f"cannot calculate {expression!r}: {error}") from None
    return value


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            value = float(number)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            value = _UNARY[type(op)](_value(operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            value = _BINARY[type(op)](_value(left), _value(right))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            value = float(_FUNCTIONS[name](*map(_value, arguments)))
        case ast.Call():
            raise ValueError(f"a call of something else than {', '.join(_FUNCTIONS)}.")
        case _:
            raise ValueError(f"{type(node).__name__} is not arithmetic.")
    if not abs(value) <= LARGEST:
        raise ValueError(f"a number beyond {LARGEST:g} comes up.")
    return value
