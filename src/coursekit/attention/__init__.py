"""The attention operation that every model of the course calls.

One entry point, :func:`attention`, and behind it the plain version that the chapters derive
(:func:`naive_attention`), torch's own operator, and kernels in Triton for a GPU.
Shapes are batch first, (B, H, N, D).
"""

# ruff: noqa: E402 - where torch is absent, the reader gets a sentence before the imports fail
from coursekit import optional

optional.require("torch")

from coursekit.attention.decode import attention_decode
from coursekit.attention.entry import BACKENDS, attention, attention_weights, backend_of
from coursekit.attention.masks import causal_mask, packed_mask, visible, window_mask
from coursekit.attention.reference import naive_attention

__all__ = [
    "BACKENDS",
    "attention",
    "attention_decode",
    "attention_weights",
    "backend_of",
    "causal_mask",
    "naive_attention",
    "packed_mask",
    "visible",
    "window_mask",
]
