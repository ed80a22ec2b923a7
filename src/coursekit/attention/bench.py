"""Time the kernels beside their peers, in one run on one machine: ``coursekit bench attention``.

Correctness comes first: an implementation whose result is off is not timed. Implementations take
turns within a round, so that a clock that falls under heat falls on all of them, and the ceilings
they are held against, a matrix product and a copy, are measured in the same rounds.
"""

from __future__ import annotations

import json
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from coursekit.attention.decode import attention_decode
from coursekit.attention.entry import attention

SDPA = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "math": SDPBackend.MATH,
}
CLOCKS = "--query-gpu=driver_version,clocks.sm,clocks.mem"
TOLERANCE = {torch.float16: 2e-3, torch.bfloat16: 1.6e-2, torch.float32: 1e-4}  # of the largest


@dataclass(frozen=True)
class Shape:
    """One problem of the benchmark."""

    op: str  # "forward", "backward" or "decode"
    B: int
    H: int
    H_kv: int
    N: int
    D: int
    causal: bool = False
    dtype: str = "bfloat16"

    def operations(self) -> float:
        """Floating-point operations of the two products, five in the backward; masked half off.

        Examples
        --------
        >>> Shape("forward", 1, 1, 1, 1024, 64).operations() / 1e9
        0.268435456
        """
        queries = 1 if self.op == "decode" else self.N
        forward = 4.0 * self.B * self.H * queries * self.N * self.D
        return forward * (0.5 if self.causal else 1.0) * (2.5 if self.op == "backward" else 1.0)

    def bytes_read(self) -> float:
        """Bytes of keys and values, which decoding must read once.

        Examples
        --------
        >>> Shape("decode", 1, 8, 2, 1024, 64).bytes_read()
        524288.0
        """
        return 2.0 * self.B * self.H_kv * self.N * self.D * torch.finfo(self.torch_dtype).bits / 8

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype as torch knows it."""
        return getattr(torch, self.dtype)


def shapes() -> list[Shape]:
    """The published grid: lengths with a constant number of tokens, as papers use it."""
    grid = [
        Shape(op, max(1, 16_384 // n), 2048 // d, 2048 // d, n, d, causal)
        for op in ("forward", "backward")
        for d in (64, 128)
        for causal in (False, True)
        for n in (512, 1024, 2048, 4096, 8192, 16_384)
    ]
    return grid + [Shape("decode", b, 32, 8, 32_768, 128) for b in (1, 8, 32)]


Call = Callable[[], Any]


def implementations(shape: Shape, device: torch.device) -> dict[str, Call]:
    """Every implementation of a problem, as something to call; those that cannot, leave it out."""
    generator = torch.Generator(device).manual_seed(0)

    def draw(heads: int, length: int) -> Tensor:
        x = torch.randn(shape.B, heads, length, shape.D, generator=generator, device=device)
        return x.to(shape.torch_dtype).requires_grad_(shape.op == "backward")

    if shape.op == "decode":
        return _decoders(shape, draw)
    q, k, v = draw(shape.H, shape.N), draw(shape.H_kv, shape.N), draw(shape.H_kv, shape.N)
    calls = dict(_forwards(shape, q, k, v))
    if shape.op == "forward":
        return calls
    grad = torch.randn_like(q)
    return {name: _backward_of(call, grad, (q, k, v)) for name, call in calls.items()}


def _forwards(shape: Shape, q: Tensor, k: Tensor, v: Tensor) -> Iterator[tuple[str, Call]]:
    grouped = shape.H_kv != shape.H
    yield "coursekit", lambda: attention(q, k, v, causal=shape.causal, backend="triton")
    if _hopper_applies(shape, q, k, v):
        from coursekit.attention.hopper import hopper_forward

        yield "coursekit hopper", lambda: hopper_forward(q, k, v, shape.causal, shape.D**-0.5)[0]
    for name, backend in SDPA.items():
        if name != "math" or shape.N <= 4096:  # it keeps the whole matrix of scores

            def call(backend: SDPBackend = backend) -> Tensor:
                with sdpa_kernel(backend):
                    return scaled_dot_product_attention(
                        q, k, v, is_causal=shape.causal, enable_gqa=grouped
                    )

            yield f"torch {name}", call
    if q.device.type == "cuda":
        yield "flex", _flex(shape, q, k, v)


def _hopper_applies(shape: Shape, q: Tensor, k: Tensor, v: Tensor) -> bool:
    if q.device.type != "cuda" or torch.cuda.get_device_capability(q.device)[0] != 9:
        return False
    from coursekit.attention.hopper import fits

    return shape.op == "forward" and fits(q, k, v)


def _flex(shape: Shape, q: Tensor, k: Tensor, v: Tensor) -> Call:
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    compiled = torch.compile(flex_attention, dynamic=False)
    mask = None
    if shape.causal:
        mask = create_block_mask(lambda b, h, i, j: i >= j, None, None, shape.N, shape.N)
    grouped = shape.H_kv != shape.H
    return lambda: compiled(q, k, v, block_mask=mask, enable_gqa=grouped)


def _backward_of(call: Call, grad: Tensor, inputs: tuple[Tensor, ...]) -> Call:
    out: list[Tensor] = []

    def backward() -> Any:
        if not out:
            out.append(call())
        return torch.autograd.grad(out[0], inputs, grad, retain_graph=True)

    return backward


def _decoders(shape: Shape, draw: Callable[[int, int], Tensor]) -> dict[str, Call]:
    q, k, v = draw(shape.H, 1), draw(shape.H_kv, shape.N), draw(shape.H_kv, shape.N)
    lengths = torch.full((shape.B,), shape.N, device=q.device)
    calls: dict[str, Call] = {
        "coursekit": lambda: attention_decode(q, k, v, lengths, backend="triton")
    }
    for name in ("flash", "efficient"):

        def call(backend: SDPBackend = SDPA[name]) -> Tensor:
            with sdpa_kernel(backend):
                return scaled_dot_product_attention(q, k, v, enable_gqa=True)

        calls[f"torch {name}"] = call
    return calls


def error_of(found: Any, wanted: Any) -> float:
    """Greatest difference between two results, relative to the greatest entry of the second.

    Examples
    --------
    >>> error_of(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    0.5
    """
    pairs = zip(_tensors(found), _tensors(wanted), strict=True)
    return max(
        float((a.float() - b.float()).abs().max() / b.float().abs().max().clamp_min(1e-30))
        for a, b in pairs
    )


def _tensors(result: Any) -> tuple[Tensor, ...]:
    return (result,) if isinstance(result, Tensor) else tuple(result)


def milliseconds(call: Call, device: torch.device) -> float:
    """Time one call; on a GPU between two events of its own clock."""
    if device.type != "cuda":
        start = time.perf_counter()
        call()
        return 1e3 * (time.perf_counter() - start)
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    call()
    end.record()
    torch.cuda.synchronize(device)
    return begin.elapsed_time(end)


def measure(shape: Shape, device: torch.device, rounds: int = 30) -> list[dict[str, Any]]:
    """Check and time every implementation of one problem; a row for each.

    The yardstick of correctness is torch's memory-efficient operator where it runs, else "math".
    A row holds ``milliseconds`` at the 20th, 50th and 80th percentile, and ``error``; or ``failed``
    with the reason.
    """
    calls = implementations(shape, device)
    rows, wanted = {}, _yardstick(calls)
    for name, call in list(calls.items()):
        rows[name] = {**asdict(shape), "implementation": name}
        try:
            rows[name]["error"] = error_of(call(), wanted)
        except (RuntimeError, ValueError) as error:
            rows[name]["failed"] = str(error).splitlines()[0][:200]
            del calls[name]
            continue
        if rows[name]["error"] > TOLERANCE[shape.torch_dtype]:
            rows[name]["failed"] = "wrong result"
            del calls[name]
    timed: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            timed[name].append(milliseconds(call, device))
    for name, times in timed.items():
        rows[name] |= _speed(shape, sorted(times))
    return list(rows.values())


def _yardstick(calls: dict[str, Call]) -> Any:
    for name in ("torch efficient", "torch math", "torch flash"):
        try:
            return calls[name]()
        except (KeyError, RuntimeError):
            continue
    raise RuntimeError("None of torch's own operators runs here; there is nothing to compare with.")


def _speed(shape: Shape, times: list[float]) -> dict[str, Any]:
    low, middle, high = (times[int(share * (len(times) - 1))] for share in (0.2, 0.5, 0.8))
    return {
        "milliseconds": [low, middle, high],
        "tflops": shape.operations() / middle / 1e9,
        "gigabytes_per_second": shape.bytes_read() / middle / 1e6,
    }


def ceilings(device: torch.device, rounds: int = 30, n: int = 8192) -> dict[str, float]:
    """What the machine reaches at best: a bf16 matrix product and a copy of 1 GiB on a GPU."""
    n, elements = (n, 2**28) if device.type == "cuda" else (512, 2**22)
    a, b = (torch.randn(n, n, device=device).bfloat16() for _ in range(2))
    source = torch.zeros(elements, device=device)
    target = torch.empty_like(source)
    product = sorted(milliseconds(lambda: a @ b, device) for _ in range(rounds))[rounds // 2]
    copy = sorted(milliseconds(lambda: target.copy_(source), device) for _ in range(rounds))
    return {
        "matmul_tflops": 2 * n**3 / product / 1e9,
        "copy_gigabytes_per_second": 2 * source.nbytes / copy[rounds // 2] / 1e6,
    }


def header(device: torch.device) -> dict[str, Any]:
    """Machine, versions, clocks, commit and date, so that a figure can be placed."""
    import triton

    cuda = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if cuda else platform.processor() or "cpu",
        "torch": torch.__version__,
        "triton": triton.__version__,
        "cuda": torch.version.cuda,
        "driver_and_clocks": _asked(["nvidia-smi", CLOCKS, "--format=csv,noheader"]),
        "commit": _asked(["git", "rev-parse", "HEAD"]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def _asked(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except OSError:
        return None
    return done.stdout.strip() or None


def run(
    out: Path,
    device: torch.device,
    problems: list[Shape] | None = None,
    rounds: int = 30,
    tell: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure everything, write it to ``out`` after every problem, and return it."""
    found: dict[str, Any] = {**header(device), "ceilings": ceilings(device, rounds), "rows": []}
    for shape in shapes() if problems is None else problems:
        rows = measure(shape, device, rounds)
        found["rows"] += rows
        part = out.with_suffix(".part")
        part.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        part.replace(out)
        tell(_line(shape, rows))
    return found


def _line(shape: Shape, rows: list[dict[str, Any]]) -> str:
    speeds = ", ".join(
        f"{r['implementation']} {r['tflops']:.0f}" if "tflops" in r else f"{r['implementation']} -"
        for r in rows
    )
    mask = " causal" if shape.causal else ""
    return f"{shape.op} N={shape.N} D={shape.D}{mask} (TFLOP/s): {speeds}"
