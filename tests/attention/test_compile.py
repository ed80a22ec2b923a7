"""The kernels compiled for GPUs that are not here: what the assembler says of them."""

import json
from importlib.resources import files

import pytest
import triton

from coursekit.attention import compile as aot

COMMITTED = json.loads((files("coursekit.attention") / "compiled.json").read_text("utf-8"))
PRODUCTS = {80: "HMMA", 90: "HGMMA"}  # the matrix instruction of each architecture


@pytest.fixture(scope="module")
def reports():
    """Every kernel for an A100 and an H100, in bf16; one compiler process, about half a minute."""
    return aot.report([80, 90], [64, 128], ["bf16"])["reports"]


def name(report):
    """How the baseline names a report."""
    mask = "causal" if report["causal"] else "full"
    return f"{report['kernel']} sm_{report['capability']} D={report['d']} {mask}"


def test_every_kernel_compiles_for_both_architectures(reports):
    found = {(r["kernel"], r["capability"]) for r in reports}
    wanted = {(k, c) for k in aot.KERNELS for c in (80, 90) if k != "hopper_forward"}
    assert found == wanted | {("hopper_forward", 90)}


def test_the_report_that_the_chapter_plots_is_what_the_compiler_says(reports):
    """So no kernel spills more than it did when its report was committed, or is left out."""
    if COMMITTED["triton"] != triton.__version__:
        pytest.skip(f"committed with Triton {COMMITTED['triton']}; here is {triton.__version__}")
    assert reports == COMMITTED["reports"]


def test_forward_and_decode_do_not_spill_on_hopper(reports):
    hopper = [r for r in reports if r["capability"] == 90]
    for r in hopper:
        if r["kernel"] in ("forward", "hopper_forward", "decode"):
            assert r["spilled_bytes"] == 0, name(r)


def test_every_program_fits_in_shared_memory(reports):
    for r in reports:
        assert r["shared_bytes"] <= aot.MOST_SHARED[r["capability"]], name(r)


def test_products_use_the_matrix_instructions_of_the_architecture(reports):
    for r in reports:
        if r["kernel"] == "delta":
            continue  # row sums: no product
        # A decoding tile has 16 rows, fewer than Hopper's instruction takes.
        wanted = "HMMA" if r["kernel"] == "decode" else PRODUCTS[r["capability"]]
        assert r["opcodes"].get(wanted), name(r)


def test_the_assembler_warns_of_nothing(reports):
    """C75xx would say that the matrix instructions had to be serialised."""
    assert not {name(r): r["warnings"] for r in reports if r["warnings"]}


def test_the_hopper_kernel_fetches_by_the_copy_engine_with_warps_of_two_kinds(reports):
    for r in reports:
        if r["kernel"] == "hopper_forward":
            assert r["opcodes"].get("UTMALDG"), name(r)
            assert r["warps"] == 12  # four that fetch, two groups of four that multiply


def test_occupancy_is_what_the_scarcest_resource_allows():
    # 8 warps of 128 registers: 32,768 registers, two programs; 16 of 64 warps.
    assert aot.occupancy(90, warps=8, registers=128, shared=1000) == 16 / 64
    # 60 KB a program: three fit in 228 KB, 12 of 64 warps.
    assert aot.occupancy(90, warps=4, registers=32, shared=60_000) == 12 / 64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("backward", 90), "kernel is 'backward'"), (("forward", 70), "capability is 70")],
)
def test_what_cannot_be_compiled_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        aot.compile_kernel(*arguments)


def test_a_process_that_interprets_cannot_compile():
    with pytest.raises(RuntimeError, match="TRITON_INTERPRET is set"):
        aot.compile_kernel("forward", 90)
