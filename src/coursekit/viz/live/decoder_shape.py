"""What two live figures know of a model: its shape, and the work of its products."""

from collections.abc import Mapping
from typing import Any

Shape = Mapping[str, Any]
FIELDS = ("layers", "heads", "kv", "width", "ff", "vocab")


def shapes(models: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a figure's module needs of each model.

    Parameters
    ----------
    models
        Names and configurations (with ``n_layers``, ``n_heads``, ``kv_heads``, ``d_head``,
        ``ff_width`` and ``vocab_size``) of decoders with a gated feed-forward part.

    Raises
    ------
    ValueError
        If there is none, or one is not gated.
    """
    if not models:
        raise ValueError("models is empty; at least one wanted.")
    for name, c in models.items():
        if c.feed_forward != "swiglu":
            raise ValueError(f"{name} has feed_forward {c.feed_forward!r}; 'swiglu' wanted.")
    return [
        {
            "name": name,
            "layers": c.n_layers,
            "heads": c.n_heads,
            "kv": c.kv_heads,
            "width": c.d_head,
            "ff": c.ff_width,
            "vocab": c.vocab_size,
        }
        for name, c in models.items()
    ]


def work(m: Shape, phase: str, tokens: int, batch: int) -> tuple[float, float]:
    """Return operations and bytes, two bytes a number, as ``decoder_work.js`` has them."""
    new = 1 if phase == "decode" else tokens
    rows, d = batch * new, m["heads"] * m["width"]
    kv = m["kv"] * m["width"]
    layer = [(2, rows, d, d), (2, rows, d, kv), (2, rows, d, m["ff"]), (1, rows, m["ff"], d)]
    outputs = batch * (tokens if phase == "training" else 1)
    products = [(n * m["layers"], *size) for n, *size in layer] + [(1, outputs, d, m["vocab"])]
    operations = sum(2 * n * a * b * c for n, a, b, c in products)
    numbers = sum(n * (a * b + b * c + a * c) for n, a, b, c in products)
    operations += m["layers"] * 4 * batch * new * tokens * d
    numbers += m["layers"] * batch * (2 * new * d + 2 * tokens * kv)
    times = 3 if phase == "training" else 1
    return times * operations, times * 2 * numbers


def weights(m: Shape) -> int:
    """Return the numbers that a step multiplies with: all but the table that is looked up."""
    d = m["heads"] * m["width"]
    layer = 2 * d * d + 2 * d * m["kv"] * m["width"] + 3 * d * m["ff"] + 2 * d
    return int(m["layers"] * layer + d + d * m["vocab"])
