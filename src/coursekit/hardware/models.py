"""Shapes of published models that chapter 4 does not need: larger ones, and one with a latent."""

from __future__ import annotations

from dataclasses import replace

from coursekit.transformer import LLAMA_2_7B, LLAMA_3_8B, TransformerConfig

LLAMA_2_70B = replace(
    LLAMA_2_7B, d_model=8192, n_layers=80, n_heads=64, n_kv_heads=8, d_ff=28_672
)  # fmt: skip
"""68,976,648,192 parameters (Touvron et al., 2023)."""

LLAMA_3_70B = replace(LLAMA_3_8B, d_model=8192, n_layers=80, n_heads=64, d_ff=28_672)
"""70,553,706,496 parameters (Grattafiori et al., 2024)."""

LLAMA_3_405B = replace(LLAMA_3_8B, d_model=16_384, n_layers=126, n_heads=128, d_ff=53_248)
"""405,853,388,800 parameters (Grattafiori et al., 2024)."""

SHAPES: dict[str, TransformerConfig] = {
    "Llama 2 7B": LLAMA_2_7B,
    "Llama 2 70B": LLAMA_2_70B,
    "Llama 3 8B": LLAMA_3_8B,
    "Llama 3 70B": LLAMA_3_70B,
    "Llama 3.1 405B": LLAMA_3_405B,
}
"""Models by the names that the tables use."""


def weight_bytes(parameters: float, bits: float) -> float:
    """Return the bytes of so many weights.

    Parameters
    ----------
    parameters : float
        How many.
    bits : float
        Of each, with its share of the scales.

    Raises
    ------
    ValueError
        If a number is not positive.

    Examples
    --------
    >>> weight_bytes(70e9, 16) / 1e9
    140.0
    """
    if not (parameters > 0 and bits > 0):
        raise ValueError(f"parameters is {parameters} and bits {bits}; positive numbers wanted.")
    return parameters * bits / 8


def chips_to_hold(held: float, memory: float) -> int:
    """Return the fewest chips whose memories hold so many bytes.

    Parameters
    ----------
    held, memory : float
        Bytes to hold, and bytes of one chip's memory.

    Raises
    ------
    ValueError
        If a number is not positive.

    Examples
    --------
    >>> from coursekit.hardware import accelerator
    >>> chips_to_hold(weight_bytes(70e9, 16), accelerator("Groq TSP").memory)
    609
    """
    if not (held > 0 and memory > 0):
        raise ValueError(f"held is {held} and memory {memory}; positive numbers wanted.")
    return int(-(-held // memory))
