"""Freed memory stays with the process, where the C library lets it."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("torch")
pytest.importorskip("resource", reason="Windows counts no page faults")

from coursekit.pretraining.allocator import keep_freed_memory

FAULTS = """
import resource
from coursekit.pretraining.allocator import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        blocks = [b"x" * 3_000_000 for _ in range(8)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
given_back = faults()
taken = keep_freed_memory()
faults()
print(int(taken), given_back, faults())
"""


def test_freed_blocks_are_not_fetched_from_the_system_again():
    said = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True, timeout=120
    )
    taken, given_back, kept = map(int, said.stdout.split())
    if not taken:
        pytest.skip("this C library takes no such wish")
    assert given_back > 1000  # 20 times 24 MB in pages of 4 kB are 120 000
    assert kept < given_back / 10


def test_systems_without_glibc_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keep_freed_memory() is False
