"""What a training costs before it runs: operations, memory, and the share of a machine it uses."""

from __future__ import annotations

import time
from typing import NamedTuple

import torch

from coursekit._validate import count
from coursekit.transformer import TransformerConfig, flops, parameters_by_part


def training_flops(n_parameters: float, n_tokens: float) -> float:
    r"""Return the operations of a training, 6 N D.

    Implements :eq:`eq-pretraining-compute`, Kaplan et al. (2020), section 2.1: each parameter
    takes part in one multiplication and one addition for every token on the way forward, and in
    twice as many on the way back. What attention spends on comparing tokens is left out.

    Parameters
    ----------
    n_parameters : float
        N, of the matrices that tokens pass through: an embedding table that is only looked up
        does not count, one that is the output layer too does.
    n_tokens : float
        D, tokens trained on; a token seen twice counts twice.

    Examples
    --------
    >>> f"{training_flops(175e9, 300e9):.2e}"  # GPT-3
    '3.15e+23'
    """
    return 6 * n_parameters * n_tokens


def flops_per_token(config: TransformerConfig, context: int) -> float:
    """Return the operations that training spends on a token, attention's included.

    Three times those of the forward pass, counted matrix by matrix by
    :func:`coursekit.transformer.flops`.

    Parameters
    ----------
    config : TransformerConfig
        The model's shape.
    context : int
        Tokens in a sequence.

    Examples
    --------
    >>> from coursekit.transformer import GPT2
    >>> round(flops_per_token(GPT2, 1024) / (6 * 124e6), 2)  # 6 N, and attention
    1.15
    """
    return 3 * sum(flops(config, context).values()) / context


def mfu(tokens_per_second: float, flops_a_token: float, peak: float) -> float:
    r"""Return the share of a machine's operations that the model itself needs.

    Implements :eq:`eq-pretraining-mfu`: model-FLOPs utilisation, Chowdhery et al. (2023),
    appendix B. Recomputing, moving data and waiting lower it; nothing raises it above 1.

    Parameters
    ----------
    tokens_per_second : float
        As measured.
    flops_a_token : float
        6 N, or :func:`flops_per_token`.
    peak : float
        Operations a second that the machine can do in this precision: by its data sheet, or as
        :func:`measured_peak` finds.

    Raises
    ------
    ValueError
        If the peak is not positive.

    Examples
    --------
    >>> round(mfu(238.3e3, 6 * 540e9 * 1.028, 6144 * 275e12), 2)  # PaLM 540B
    0.47
    """
    if not peak > 0:
        raise ValueError(f"peak is {peak}; a positive number of operations a second wanted.")
    return tokens_per_second * flops_a_token / peak


def measured_peak(
    device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32, *, n: int = 1024
) -> float:
    """Return the operations a second of one large matrix product, the best of several.

    It stands in for a data sheet where there is none, as for a laptop's processor.

    Parameters
    ----------
    device : torch.device or str
        Where.
    dtype : torch.dtype
        Of the matrices.
    n : int
        Their width; 8192 or so fills a large GPU.

    Examples
    --------
    >>> measured_peak(n=256) > 1e8
    True
    """
    device = torch.device(device)
    a = torch.ones(n, n, device=device, dtype=dtype)
    best = float("inf")
    for _ in range(8):
        _wait(device)
        start = time.perf_counter()
        a @ a
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Memory(NamedTuple):
    """Bytes that a training step holds, part by part.

    Attributes
    ----------
    weights, gradients, optimiser, activations : float
        Bytes of each on one device.
    """

    weights: float
    gradients: float
    optimiser: float
    activations: float

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self)


def training_memory(
    config: TransformerConfig,
    *,
    batch_size: int,
    context: int,
    mixed: bool = True,
    recompute: bool = False,
    shards: int = 1,
) -> Memory:
    r"""Return an estimate of the memory of a training step with AdamW.

    Implements :eq:`eq-pretraining-memory`. Weights, gradients and two means take 16 bytes a
    parameter in float32; with half precision 2 + 2 for what is computed with and 12 for the
    float32 copy and the means (Rajbhandari et al., 2020, section 3.1). Activations are counted
    as by Korthikanti et al. (2023), section 4.1, who find :math:`34\,T d` bytes a layer of GPT in
    half precision: here without dropout's masks, without the scores of attention, which a fused
    kernel does not keep, and with the logits, in float32, twice.

    Parameters
    ----------
    config : TransformerConfig
        The model's shape.
    batch_size : int
        Sequences at once on one device.
    context : int
        Tokens in each, T.
    mixed : bool, default True
        Half precision, else float32.
    recompute : bool, default False
        Whether only each layer's input is kept, and the rest computed again on the way back.
    shards : int, default 1
        Devices that weights, gradients and optimiser are spread over.

    Returns
    -------
    Memory

    Examples
    --------
    >>> from coursekit.transformer import LLAMA_2_7B
    >>> need = training_memory(LLAMA_2_7B, batch_size=1, context=4096)
    >>> round((need.weights + need.gradients + need.optimiser) / 1e9)  # a GPU has 80
    108
    """
    n = sum(parameters_by_part(config).values()) / count(shards, "shards")
    tokens = count(batch_size, "batch_size") * count(context, "context")
    size = 2 if mixed else 4
    kept = config.d_model if recompute else _kept_per_token(config)
    layers = size * kept * tokens * config.n_layers
    logits = 2 * 4 * tokens * config.vocab_size
    return Memory(size * n, size * n, (12 if mixed else 8) * n, layers + logits)


def _kept_per_token(config: TransformerConfig) -> float:
    """Return how many numbers a layer keeps of a token for the way back.

    The inputs of two norms, of the maps to queries, keys and values, of the map back and of the
    feed-forward part: 5 d; queries, keys and values; inside the feed-forward part what goes into
    GELU and what comes out, for SwiGLU both maps' outputs, the bent one and the product. With
    GPT's widths 16 d: 32 of the 34 bytes of the paper, whose other 2 are dropout's masks.
    """
    inside = {"none": 0, "swiglu": 4}.get(config.feed_forward, 2)
    return 6 * config.d_model + 2 * config.kv_heads * config.d_head + inside * config.ff_width
