"""bfloat16 in Triton's interpreter, as a GPU computes it.

Triton 3.6's interpreter keeps bfloat16 as 16-bit integers: products and sums work on the bit
patterns, and casts cut digits off instead of rounding (triton issues 11584 and 11585). Here both
go through float32, with the result rounded to the nearest even number. For tests only.
"""

import numpy as np
import triton.language as tl
from triton.runtime.interpreter import InterpreterBuilder, TensorHandle, _get_np_dtype


def widen(handle):
    """A handle's numbers; bfloat16 as float32, which holds each of them exactly."""
    if handle.dtype.scalar != tl.bfloat16:
        return handle.data
    return (handle.data.astype(np.uint32) << 16).view(np.float32)


def narrow(numbers):
    """The bit patterns of float32 numbers rounded to bfloat16, ties to even."""
    bits = np.ascontiguousarray(numbers, np.float32).view(np.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(numbers), np.uint16(0x7FC0), rounded)


def mend_interpreter():
    """Put arithmetic, products and casts of bfloat16 right, once for this process."""
    builder = InterpreterBuilder
    if getattr(builder, "honest_bfloat16", False):
        return
    builder.honest_bfloat16 = True
    dot, binary, unary, cast = (
        builder.create_dot,
        builder.binary_op,
        builder.unary_op,
        builder.cast_impl,
    )

    def is_bf16(*handles):
        return any(h.dtype.scalar == tl.bfloat16 for h in handles)

    def create_dot(self, a, b, acc, *options):
        a, b = (TensorHandle(widen(x), tl.float32) if is_bf16(x) else x for x in (a, b))
        return dot(self, a, b, acc, *options)

    def binary_op(self, left, right, op):
        if not is_bf16(left, right):
            return binary(self, left, right, op)
        out = op(widen(left), widen(right))
        if out.dtype == bool:
            return TensorHandle(out, tl.int1)
        return TensorHandle(narrow(out), tl.bfloat16)

    def unary_op(self, x, op):
        if not is_bf16(x):
            return unary(self, x, op)
        return TensorHandle(narrow(op(widen(x))), tl.bfloat16)

    def cast_impl(self, source, to):
        if (source.dtype.scalar == tl.bfloat16) == (to.scalar == tl.bfloat16):
            return cast(self, source, to)
        if to.scalar == tl.bfloat16:
            return TensorHandle(narrow(source.data.astype(np.float32)), to.scalar)
        return TensorHandle(widen(source).astype(_get_np_dtype(to)), to.scalar)

    builder.create_dot, builder.binary_op = create_dot, binary_op
    builder.unary_op, builder.cast_impl = unary_op, cast_impl
