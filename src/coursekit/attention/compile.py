"""Compile the kernels for a GPU that is not here, and read what the compiler says of them.

Triton ships NVIDIA's assembler and disassembler, so registers, spills, shared memory and the
instructions that a kernel uses are known without a GPU: ``python -m coursekit.attention.compile``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from coursekit.attention import configs

# Registers, shared memory and threads of one streaming multiprocessor: CUDA C++ Programming Guide,
# table "Technical specifications per compute capability".
REGISTERS = 65_536
SHARED_BYTES = {80: 164 << 10, 86: 100 << 10, 89: 100 << 10, 90: 228 << 10}
MOST_SHARED = {80: 163 << 10, 86: 99 << 10, 89: 99 << 10, 90: 227 << 10}  # of one program
MOST_WARPS = {80: 64, 86: 48, 89: 48, 90: 64}
OPCODES = ("HGMMA", "HMMA", "FFMA", "DFMA", "LDGSTS", "UTMALDG", "LDL", "STL")
KERNELS = ("forward", "grad_key_value", "grad_query", "delta", "decode", "hopper_forward")


@dataclass(frozen=True)
class Report:
    """What one kernel needs on one architecture; bytes and registers of one program or thread."""

    kernel: str
    capability: int
    dtype: str
    d: int
    causal: bool
    block_m: int
    block_n: int
    warps: int
    stages: int
    registers: int
    spilled_bytes: int
    shared_bytes: int
    occupancy: float
    opcodes: dict[str, int]
    warnings: list[str]


def exists(kernel: str, capability: int, d: int, dtype: str) -> bool:
    """Whether there is such a kernel for this architecture, width and dtype.

    Examples
    --------
    >>> exists("hopper_forward", 80, 128, "bf16"), exists("forward", 80, 128, "bf16")
    (False, True)
    """
    hopper = capability == 90 and d in (64, 128) and dtype != "fp32"
    return hopper if kernel == "hopper_forward" else True


def occupancy(capability: int, warps: int, registers: int, shared: int) -> float:
    """Share of a multiprocessor's warp slots that programs of this size can fill.

    Registers are handed out in units of 256 a warp.

    Examples
    --------
    >>> occupancy(90, warps=8, registers=128, shared=100_000)
    0.25
    """
    a_warp = -(-registers * 32 // 256) * 256
    by_registers = REGISTERS // (a_warp * warps)
    by_shared = SHARED_BYTES[capability] // (shared + 1024)  # 1 KiB is the system's, per program
    by_warps = MOST_WARPS[capability] // warps
    return min(by_registers, by_shared, by_warps) * warps / MOST_WARPS[capability]


def compile_kernel(
    kernel: str, capability: int, *, d: int = 128, dtype: str = "bf16", causal: bool = True
) -> Report:
    """Compile one kernel for ``sm_<capability>`` and read the assembler's report.

    Parameters
    ----------
    kernel
        One of ``KERNELS``.
    capability
        80 (A100), 86, 89 or 90 (H100, H200).
    d, dtype, causal
        Width of a head, ``"fp16"``, ``"bf16"`` or ``"fp32"``, and whether the causal mask is on.

    Raises
    ------
    ValueError
        For a kernel or capability outside these lists.
    RuntimeError
        When called in a process in which Triton interprets (``TRITON_INTERPRET`` is set).
    """
    _known(kernel, KERNELS, "kernel")
    _known(capability, tuple(MOST_WARPS), "capability")
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    if os.environ.get("TRITON_INTERPRET") == "1":
        raise RuntimeError("TRITON_INTERPRET is set; compile in a process without it.")
    tiles = _tiles(kernel, capability, d, dtype)
    function, signature, constants, divisible = _specialise(kernel, tiles, d, dtype, causal)
    position = {name: (function.arg_names.index(name),) for name in function.arg_names}
    source = ASTSource(
        fn=function,
        signature=signature,
        constexprs={position[name]: value for name, value in constants.items()},
        attrs={position[name]: [["tt.divisibility", 16]] for name in divisible},
    )
    compiled = triton.compile(
        source,
        target=GPUTarget("cuda", capability, 32),
        options={"num_warps": tiles.warps, "num_stages": tiles.stages},
    )
    log, assembly = _assemble(compiled.asm["ptx"], capability)
    warps, shared = compiled.metadata.num_warps, compiled.metadata.shared
    registers = _number(r"Used (\d+) registers", log)
    return Report(
        *(kernel, capability, dtype, d, causal),
        *(tiles.block_m, tiles.block_n, warps, tiles.stages, registers),
        spilled_bytes=_number(r"(\d+) bytes spill stores", log),
        shared_bytes=shared,
        occupancy=occupancy(capability, warps, registers, shared),
        opcodes={o: n for o in OPCODES if (n := len(re.findall(rf"\b{o}\b", assembly)))},
        warnings=[line for line in log.splitlines() if "warning" in line or "C75" in line],
    )


def _known(value: Any, choices: tuple, what: str) -> None:
    if value not in choices:
        raise ValueError(f"{what} is {value!r}; one of {', '.join(map(str, choices))} is wanted.")


def _tiles(kernel: str, capability: int, d: int, dtype: str) -> configs.Tiles:
    if kernel == "hopper_forward":
        from coursekit.attention.hopper import TILES

        return TILES[d]
    table = {
        "forward": configs.forward_tiles,
        "grad_key_value": configs.grad_key_value_tiles,
        "decode": configs.decode_tiles,
    }.get(kernel, configs.grad_query_tiles)
    return table(capability, d, 4 if dtype == "fp32" else 2)


def _function(kernel: str) -> Any:
    from coursekit.attention import decode_kernels, hopper, kernels

    rooms = {"decode": decode_kernels, "hopper_forward": hopper}
    return getattr(rooms.get(kernel, kernels), f"{kernel}_kernel")


def _specialise(
    kernel: str, tiles: configs.Tiles, d: int, dtype: str, causal: bool
) -> tuple[Any, dict[str, str], dict[str, Any], list[str]]:
    """Types of the arguments, values of the constants, and what is a multiple of 16."""
    function = _function(kernel)
    constants = {
        **{"CAUSAL": causal, "WINDOW": 0, "PACKED": False, "SOFTCAP": False, "PRECISION": "ieee"},
        **{"D": d, "D_PADDED": configs.padded(d), "STAGES": tiles.stages},
        **{"BLOCK_M": tiles.block_m, "BLOCK_N": tiles.block_n},
        **{"PAGE": 0, "GROUP": 4, "GROUP_PADDED": configs.padded(4), "SPLITS": 32},
        **{"STARTS": None, "ENDS": None, "PAGES": None},
    }
    constants |= {name: 1 for name in function.arg_names if re.fullmatch("stride_.d", name)}
    numbers = {"scale": "fp32", "qk_scale": "fp32", "cap": "fp32", "LENGTHS": "*i32"}
    float32 = dict.fromkeys(("LSE", "DELTA", "PARTS"), "*fp32")
    signature = {}
    for name in function.arg_names:
        kind = f"*{dtype}" if name.isupper() else "i32"
        signature[name] = {**numbers, **float32}.get(name, kind)
        if name in constants:
            signature[name] = "constexpr"
    divisible = [
        name
        for name, kind in signature.items()
        if kind[0] == "*" or (name.startswith("stride_") and kind != "constexpr")
    ]
    return function, signature, {n: constants[n] for n in signature if n in constants}, divisible


def _assemble(ptx: str, capability: int) -> tuple[str, str]:
    """The assembler's messages and the disassembled program."""
    import triton

    tools = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
    name = f"sm_{capability}" + ("a" if capability >= 90 else "")
    with tempfile.TemporaryDirectory() as room:
        text, binary = Path(room, "kernel.ptx"), Path(room, "kernel.cubin")
        text.write_text(ptx)
        log = _said([tools / "ptxas", "-v", f"--gpu-name={name}", text, "-o", binary]).stderr
        return log, _said([tools / "nvdisasm", "-c", binary]).stdout


def _said(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True)


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


def report(capabilities: list[int], widths: list[int], dtypes: list[str]) -> dict[str, Any]:
    """Reports of every kernel, from a process of its own in which Triton compiles."""
    command = [sys.executable, "-m", "coursekit.attention.compile"]
    command += ["--capability", *map(str, capabilities), "--width", *map(str, widths)]
    command += ["--dtype", *dtypes]
    kept = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=kept)
    if done.returncode:
        raise RuntimeError(f"The kernels did not compile: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


def main(arguments: list[str] | None = None) -> None:
    """Print the reports as JSON."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--capability", type=int, nargs="+", default=[80, 90])
    parser.add_argument("--width", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--dtype", nargs="+", default=["bf16"])
    asked = parser.parse_args(arguments)
    found = [
        asdict(compile_kernel(kernel, capability, d=d, dtype=dtype, causal=causal))
        for capability in asked.capability
        for dtype in asked.dtype
        for d in asked.width
        for kernel in KERNELS
        if exists(kernel, capability, d, dtype)
        for causal in ((False,) if kernel in ("delta", "decode") else (False, True))
    ]
    import triton

    print(json.dumps({"triton": triton.__version__, "reports": found}, indent=1))


if __name__ == "__main__":
    main()
