"""Run a student's Triton kernel in Triton's interpreter, and watch what it writes.

For drivers of questions::

    def driver(answer, x):
        from coursekit.grading.kernels import run_kernel

        return run_kernel(answer, (len(x),), [x], x.shape, x.shape[1], WIDTH=16)

The interpreter reads and writes memory where a kernel says, as a GPU does. So every array lies in
the middle of a wide margin, and the margins are looked at afterwards.
"""

import os
import types
from typing import Any

import numpy as np

from coursekit.grading.drivers import AnswerError
from coursekit.grading.run import message
from coursekit.grading.wire import type_name

MARGIN = 1 << 16  # elements before and after each array: a wrong place is still one of ours
UNTOUCHED = -7.77e33  # stands in the output before; no softmax comes near it
SWITCH = "TRITON_INTERPRET"


def run_kernel(
    answer: Any,
    grid: tuple[int, ...],
    inputs: list[np.ndarray],
    shape: tuple[int, int],
    *numbers: float,
    gap: int = 0,
    **constants: int,
) -> dict[str, Any] | None:
    """Launch ``answer[grid](*inputs, output, *numbers, **constants)`` and return what it wrote.

    Parameters
    ----------
    answer
        A kernel, decorated with ``triton.jit`` or not.
    grid
        How many programs.
    inputs
        Arrays of two axes; the kernel gets them in float32.
    shape
        Shape of the output; what the kernel leaves out of it comes back as nan.
    numbers, constants
        The arguments that follow the output, and the compile-time constants.
    gap
        Elements between the end of a row and the next, in all arrays.

    Returns
    -------
    dict or None
        ``"output"``, float32, and ``"elements written outside of it"``, a count. None where nothing
        was written at all.

    Raises
    ------
    AnswerError
        If there is no Triton here, it was imported to compile, or the kernel is none or stops.
    """
    function = getattr(answer, "fn", answer)  # what triton.jit was put on
    if not isinstance(function, types.FunctionType):
        raise AnswerError(f"A value of type {type_name(answer)} came; a kernel was wanted.")
    if not function.__code__.co_names:  # no `tl`: a starter
        return None
    kernel = _interpreted(function)
    arrays = [_surrounded(x.shape, gap, np.nan, x) for x in inputs]
    arrays.append(_surrounded(shape, gap, UNTOUCHED))
    before = [room.copy() for room, _ in arrays]
    _launch(kernel, function, grid, [view for _, view in arrays], numbers, constants)
    written = [_bits(room) != _bits(old) for (room, _), old in zip(arrays, before, strict=True)]
    inside = _middle(written[-1], shape, gap)[:, : shape[1]]
    outside = int(sum(map(np.sum, written)) - inside.sum())
    if not (inside.any() or outside):
        return None
    output = np.where(inside, _middle(arrays[-1][0], shape, gap)[:, : shape[1]], np.float32("nan"))
    return {"output": output, "elements written outside of it": outside}


def _interpreted(function: types.FunctionType) -> Any:
    """The kernel as Triton's interpreter runs it."""
    os.environ[SWITCH] = "1"  # read when Triton is imported, for its own functions
    try:
        import triton.language as tl
        from triton.runtime.interpreter import InterpretedFunction
    except ImportError as error:
        raise AnswerError(
            "Triton is for Linux and is not installed here, so this question cannot be checked. "
            "Open the notebook on Linux, on Colab or in WSL."
        ) from error
    if not isinstance(tl.cdiv, InterpretedFunction):
        raise AnswerError(
            f"Triton was imported before {SWITCH} was set. "
            "Restart the kernel and run the notebook's first cells first."
        )
    return InterpretedFunction(function)


def _surrounded(
    shape: tuple[int, ...], gap: int, fill: float, x: np.ndarray | None = None
) -> tuple[np.ndarray, Any]:
    """A long row of ``fill``, and a tensor that looks at the middle of it, where ``x`` lies."""
    import torch

    rows, columns = shape
    room = np.full(2 * MARGIN + rows * (columns + gap), fill, dtype=np.float32)
    if x is not None:
        _middle(room, shape, gap)[:, :columns] = x
    middle = slice(MARGIN, len(room) - MARGIN)
    return room, torch.from_numpy(room)[middle].view(rows, columns + gap)


def _middle(room: np.ndarray, shape: tuple[int, ...], gap: int) -> np.ndarray:
    return room[MARGIN : len(room) - MARGIN].reshape(shape[0], shape[1] + gap)


def _bits(room: np.ndarray) -> np.ndarray:
    """Bit patterns, in which a nan equals itself."""
    return room.view(np.uint32)


def _launch(
    kernel: Any,
    function: types.FunctionType,
    grid: tuple[int, ...],
    views: list[Any],
    numbers: tuple[float, ...],
    constants: dict[str, int],
) -> None:
    try:
        with np.errstate(all="ignore"):  # minus infinity less minus infinity, as on a GPU
            kernel[grid](*views, *numbers, **constants)
    except Exception as error:
        cause = error.__cause__ or error
        colon = f": {text}" if (text := message(cause)) else ""
        raise AnswerError(
            f"The kernel stopped with {type_name(cause)}{colon}{_place(cause, function)}."
        ) from error


def _place(error: BaseException, function: types.FunctionType) -> str:
    """The last line of the kernel's own file on the way to the error, quoted."""
    import linecache

    found, trace = "", error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name == function.__code__.co_filename:
            text = linecache.getline(name, trace.tb_lineno).strip()
            found = f", in line {trace.tb_lineno}" + (f": {text}" if text else "")
        trace = trace.tb_next
    return found
