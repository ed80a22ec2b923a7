"""The benchmark's bookkeeping, on the CPU with small problems; its timings mean nothing here."""

import json

import pytest
import torch

from coursekit.attention import bench
from coursekit.attention.bench import Shape

CPU = torch.device("cpu")


def test_operations_of_the_forward_equal_torchs_own_count():
    from torch.utils.flop_counter import FlopCounterMode

    shape = Shape("forward", 2, 3, 3, 64, 16)
    q = torch.zeros(2, 3, 64, 16)
    with FlopCounterMode(display=False) as counter:
        (q @ q.mT).softmax(-1) @ q
    assert shape.operations() == counter.get_total_flops()


def test_a_right_implementation_is_timed_and_a_wrong_one_is_not(monkeypatch):
    shape = Shape("forward", 1, 2, 2, 33, 16, causal=True, dtype="float32")
    wrong = bench.implementations(shape, CPU)
    wrong["broken"] = lambda: torch.zeros(1, 2, 33, 16)
    monkeypatch.setattr(bench, "implementations", lambda *_: wrong)
    rows = {row["implementation"]: row for row in bench.measure(shape, CPU, rounds=2)}
    assert rows["broken"]["failed"] == "wrong result"
    assert "tflops" not in rows["broken"]
    assert rows["coursekit"]["error"] < 1e-5
    low, middle, high = rows["coursekit"]["milliseconds"]
    assert 0 < low <= middle <= high
    assert rows["torch cudnn"]["failed"]  # there is none on a CPU, and the row says why


def test_backward_and_decode_are_checked_against_torch():
    for shape in (
        Shape("backward", 1, 2, 2, 40, 16, dtype="float32"),
        Shape("decode", 2, 4, 2, 70, 16, dtype="float32"),
    ):
        rows = {r["implementation"]: r for r in bench.measure(shape, CPU, rounds=1)}
        assert rows["coursekit"]["error"] < 1e-5, shape.op


def test_results_are_written_whole_with_what_places_them(tmp_path):
    out = tmp_path / "cpu.json"
    shape = Shape("forward", 1, 1, 1, 20, 16, dtype="float32")
    bench.run(out, CPU, [shape], rounds=1, tell=lambda line: None)
    found = json.loads(out.read_text())
    assert {"device", "torch", "triton", "commit", "date", "ceilings", "rows"} <= found.keys()
    assert found["ceilings"]["matmul_tflops"] > 0
    assert [p.name for p in tmp_path.iterdir()] == ["cpu.json"]


def test_the_published_grid_holds_what_the_bars_name():
    grid = bench.shapes()
    assert {s.D for s in grid if s.op == "forward"} == {64, 128}
    assert {s.N for s in grid if s.op == "backward"} >= {512, 4096, 16_384}
    assert any(s.op == "decode" and s.N == 32_768 for s in grid)
    assert len(set(grid)) == len(grid)


def test_a_relative_error_is_the_greatest_over_all_results():
    one, two = torch.tensor([1.0]), torch.tensor([2.0])
    assert bench.error_of((one, one), (one, two)) == pytest.approx(0.5)
