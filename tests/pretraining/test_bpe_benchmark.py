"""The benchmark of byte-pair encoding: it runs, computes what it says, and its record holds."""

import importlib.util
import json

import pytest


@pytest.fixture(scope="module")
def benchmark(root):
    spec = importlib.util.spec_from_file_location("bpe_benchmark", root / "benchmarks" / "bpe.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_measures_every_piece_on_a_small_text(benchmark, monkeypatch):
    for name, value in {"VOCAB_SIZE": 265, "NAIVE_MERGES": 2, "ROUNDS": 1}.items():
        monkeypatch.setattr(benchmark, name, value)
    found = benchmark.measure(["to be or not to be, that is the question; " * 20, "to sleep"])
    assert found["seconds"].keys() == found["rounds"][0].keys()
    assert all(s >= 0 for s in found["seconds"].values())
    assert found["words"] == 13


def test_counting_anew_is_charged_at_its_cheaper_cost(benchmark, monkeypatch):
    monkeypatch.setattr(benchmark, "NAIVE_MERGES", 10)
    spent = {
        "naive_first_merges": 5.0,
        "naive_last_merges": 3.0,
        "count_words": 1.0,
        "train": 2.0,
        "train_library": 0.5,
        "encode": 6.0,
        "encode_library": 3.0,
    }
    assert benchmark.ratios(spent, merges=100) == {
        "naive_from_first_merges": (1 + 0.5 * 100) / 2,
        "naive_at_least": (1 + 0.3 * 100) / 2,
        "train_to_library": 4.0,
        "encode_to_library": 2.0,
    }


def test_the_record_holds_what_the_chapter_promises(benchmark):
    record = json.loads(benchmark.RESULTS.read_text(encoding="utf-8"))
    assert record["text"]["bytes"] >= 5_000_000
    assert record["vocab_size"] == 10_000
    assert record["seconds"]["train"] < 60
    assert record["ratios"]["naive_at_least"] >= 50
    assert record["ratios"]["train_to_library"] <= 10
    # The ratios follow from the times, to the three figures that are kept.
    again = benchmark.ratios(record["seconds"], record["vocab_size"] - 256)
    assert again == pytest.approx(record["ratios"], rel=0.02)
