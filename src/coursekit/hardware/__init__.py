"""What limits a model on a chip: rooflines, intensity, number formats, energy, cost, networks.

Chapter 9's library. Formulas stand beside what counts or simulates the same thing, and outside
figures come from the tables of :mod:`coursekit.data.tables`.
"""

# ruff: noqa: E402 - where torch is absent, the reader gets a sentence before the imports fail
from coursekit import optional

optional.require("torch")

from coursekit.hardware.accelerators import PRECISIONS, Accelerator, accelerator, accelerators
from coursekit.hardware.blocks import bits_per_number, microscale, nvfp4, shared_exponents
from coursekit.hardware.counted import counted, counted_training, decode_step
from coursekit.hardware.distil import Distilled, distil_digits, distillation_loss
from coursekit.hardware.energy import energy_of, energy_of_work, joules_per_token
from coursekit.hardware.formats import (
    BF16,
    FORMATS,
    FP4_E2M1,
    FP8_E4M3,
    FP8_E5M2,
    FP16,
    FP32,
    TF32,
    FloatFormat,
    decode,
    encode,
    round_to,
    values_of,
)
from coursekit.hardware.intensity import (
    PHASES,
    Work,
    attention,
    decoder,
    decoder_layer,
    feed_forward,
    gemm,
    kv_cache_bytes,
    projections,
)
from coursekit.hardware.models import (
    LLAMA_2_70B,
    LLAMA_3_70B,
    LLAMA_3_405B,
    SHAPES,
    chips_to_hold,
    weight_bytes,
)
from coursekit.hardware.parallel import (
    all_reduce_bytes,
    data_parallel_seconds,
    expert_bytes,
    pipeline_bubble,
    pipeline_schedule,
    ring_all_reduce,
    split_feed_forward,
    tensor_parallel_bytes,
)
from coursekit.hardware.published import compare_serving
from coursekit.hardware.quantise import Quantised, quantise, signal_to_noise
from coursekit.hardware.roofline import (
    Measured,
    attainable,
    measure_block,
    measure_copy,
    measure_product,
    measure_triad,
    seconds_at_least,
)
from coursekit.hardware.serving import Server
from coursekit.hardware.training_time import Comparison, compare_training, training_hours

__all__ = [
    "BF16",
    "FORMATS",
    "FP4_E2M1",
    "FP8_E4M3",
    "FP8_E5M2",
    "FP16",
    "FP32",
    "LLAMA_2_70B",
    "LLAMA_3_70B",
    "LLAMA_3_405B",
    "PHASES",
    "PRECISIONS",
    "SHAPES",
    "TF32",
    "Accelerator",
    "Comparison",
    "Distilled",
    "FloatFormat",
    "Measured",
    "Quantised",
    "Server",
    "Work",
    "accelerator",
    "accelerators",
    "all_reduce_bytes",
    "attainable",
    "attention",
    "bits_per_number",
    "chips_to_hold",
    "compare_serving",
    "compare_training",
    "counted",
    "counted_training",
    "data_parallel_seconds",
    "decode",
    "decode_step",
    "decoder",
    "decoder_layer",
    "distil_digits",
    "distillation_loss",
    "encode",
    "energy_of",
    "energy_of_work",
    "expert_bytes",
    "feed_forward",
    "gemm",
    "joules_per_token",
    "kv_cache_bytes",
    "measure_block",
    "measure_copy",
    "measure_product",
    "measure_triad",
    "microscale",
    "nvfp4",
    "pipeline_bubble",
    "pipeline_schedule",
    "projections",
    "quantise",
    "ring_all_reduce",
    "round_to",
    "seconds_at_least",
    "shared_exponents",
    "signal_to_noise",
    "split_feed_forward",
    "tensor_parallel_bytes",
    "training_hours",
    "values_of",
    "weight_bytes",
]
