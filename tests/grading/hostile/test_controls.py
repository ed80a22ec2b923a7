"""The attacks have teeth: where a grader compares in their process, or keeps nothing out, they win.

Without these controls the suite could pass because its attacks are blunt.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.grading.hostile.attack import Attack, cells_of, committed, fill
from tests.grading.hostile.batch import Canary, grade, places_of

ATTACKS = {a.name: a for a in committed()}
# A grader as many are: it runs the cells, calls the answers and compares, all in one process.
NAIVE = """
import json, os, signal, sys
import numpy as np

names = {"__name__": "__main__"}
result = os.dup(1)
os.dup2(2, 1)
for cell in json.loads(sys.stdin.read()):
    try:
        exec(cell, names)
    except BaseException:
        pass
x = np.array([3.0, -1.0, 2.0])
amounts, balances = [2.0, -3.0, 1.0], [2.0, 2.0, 3.0]


def mean_square():
    np.testing.assert_allclose(names["mean_square"](x), 14 / 3)


def ranks():
    assert np.array_equal(names["ranks"](x), [2, 0, 1])


def counts():
    assert names["counts"](["a", "b", "a"]) == {"a": 2, "b": 1}


def account():
    one = names["Account"]()
    assert [one.pay(amount) for amount in amounts] == balances


earned = []
for question in (mean_square, ranks, counts, account):
    try:
        question()
        earned.append(question.__name__)
    except BaseException:
        pass
os.write(result, " ".join(earned).encode())
os._exit(0)
"""
FOOL_IT = [
    "array-subclass",
    "class-lie",
    "detects-grading",
    "empty-and-broadcast",
    "equal-to-everything",
    "honest-with-a-trick",
    "number-subclass",
    "object-array",
    "patch-comparisons",
    "patch-wire",
]


def earned_naively(attack: Attack, folder: Path) -> set[str]:
    """What the naive grader gives an attack."""
    source = (Path(__file__).parent / "attacks" / f"{attack.name.replace('-', '_')}.py").read_text()
    cells = [fill(cell, places_of(folder, Canary(folder, "ck0"))) for cell in cells_of(source)]
    done = subprocess.run(
        [sys.executable, "-c", NAIVE],
        input=json.dumps(cells),
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        check=False,
    )
    return set(done.stdout.replace("_", "-").split())


@pytest.mark.parametrize("name", FOOL_IT)
def test_a_grader_in_the_same_process_is_fooled(name: str, tmp_path: Path) -> None:
    attack = ATTACKS[name]
    assert earned_naively(attack, tmp_path) - attack.earns


def test_without_a_sandbox_the_same_attacks_reach_what_they_want(tmp_path: Path) -> None:
    attacks = [a for a in ATTACKS.values() if "unsafe" in a.reaches]
    graded = grade(tmp_path, attacks, "unsafe", "--jobs", "2")
    texts = {a.name: graded.rows[a.file].texts.get("essay", "") for a in attacks}
    kept = [f"{name}: {text}" for name, text in texts.items() if "REACHED" not in text]
    assert not kept, "\n".join(kept)
    assert {"tcp", "udp", "path", "name"} <= set(graded.reached)
