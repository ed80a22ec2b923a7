"""Read the kernels' source by name, so that a page quotes what runs and nothing else."""

import ast
import textwrap
from importlib.resources import files

ROOMS = ("kernels.py", "decode_kernels.py", "hopper.py")


def excerpt(name: str, first: str = "", last: str = "") -> str:
    """Return the source of a kernel's function, or a part of it.

    Parameters
    ----------
    name
        A function of ``kernels.py``, ``decode_kernels.py`` or ``hopper.py``; Triton need not be
        installed.
    first, last
        Texts that the first and the last line of the part hold; the whole function without them.

    Raises
    ------
    ValueError
        If there is no such function, or no line holds ``first`` or ``last`` after it.

    Examples
    --------
    >>> print(excerpt("tanh", first="return"))
    return 1 - 2 / (tl.exp2(2 * LOG2_E * x) + 1)
    """
    lines = _function(name).splitlines()
    start = _line(lines, first, 0, name)
    stop = _line(lines, last, start, name) if last else len(lines) - 1
    return textwrap.dedent("\n".join(lines[start : stop + 1]))


def _function(name: str) -> str:
    for room in ROOMS:
        text = (files("coursekit.attention") / room).read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return str(ast.get_source_segment(text, node))
    raise ValueError(f"No kernel is called {name!r} in {', '.join(ROOMS)}.")


def _line(lines: list[str], holds: str, after: int, name: str) -> int:
    for number, line in enumerate(lines[after:], after):
        if holds in line:
            return number
    raise ValueError(f"No line of {name} holds {holds!r} from line {after + 1} on.")
