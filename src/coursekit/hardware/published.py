"""Speeds of decoding as published, beside the bound that memory sets."""

from __future__ import annotations

from coursekit.data.tables import Row, known, load_table
from coursekit.hardware.accelerators import accelerator
from coursekit.hardware.intensity import kv_cache_bytes
from coursekit.hardware.models import SHAPES, weight_bytes
from coursekit.hardware.serving import Server
from coursekit.hardware.training_time import Comparison

PARAMETERS = {"PaLM 540B": 540e9}
"""Models whose shape is not here; their caches are left out of the bound."""


def compare_serving() -> tuple[Comparison, ...]:
    """Set the bound of the roofline beside every published speed of the table.

    The prediction is what the chips' memories allow if they read weights and caches and do
    nothing else, so the published speed is below it; how far is what is to be seen. Chips with a
    memory share every layer. Chips with SRAM alone hold some layers each, so that a single
    sequence is in one of them at a time: that is an assumption, the vendor did not say.

    Returns
    -------
    tuple of Comparison
        In tokens a second, by the table's order.

    Examples
    --------
    >>> first = compare_serving()[0]
    >>> first.name, round(first.predicted), first.published
    ('Llama 2 7B, 16 bits, 1 x A100 SXM4 80GB', 153, 104.9)
    """
    return tuple(
        Comparison(_name(row), _bound(row), known(row, "tokens_per_s"))
        for row in load_table("serving_results")
    )


def _name(row: Row) -> str:
    chip = str(row["chip"]).split(" ", 1)[1] if "NVIDIA" in str(row["chip"]) else row["chip"]
    return f"{row['model']}, {row['weight_bits']} bits, {row['n_chips']} x {chip}"


def _bound(row: Row) -> float:
    chip, model = accelerator(str(row["chip"])), str(row["model"])
    batch, chips = int(known(row, "batch_sequences")), int(known(row, "n_chips"))
    bits = known(row, "weight_bits")
    if model in SHAPES:
        server = Server(chip, SHAPES[model], chips, weight_bits=bits)
        cache = kv_cache_bytes(SHAPES[model], int(known(row, "context_tokens")), batch)
        read = server.weights + cache
    else:
        read = weight_bytes(PARAMETERS[model], bits)
    at_once = 1 if chip.sram_only and batch == 1 else chips
    return batch * at_once * chip.bandwidth / read
