"""The secret and the seeds that come from it: what each depends on, and who may read it."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.grading.grader.gradebook import open_gradebook
from coursekit.grading.grader.seeds import secret_of, seed

BASE = (b"k" * 32, "01-basics", "code", "ridge", 0)
OTHER = (b"o" * 32, "02-backprop", "edoc", "lasso", 1)


def test_a_seed_depends_on_everything_that_it_is_made_of() -> None:
    made = set()
    for chosen in itertools.product((0, 1), repeat=len(BASE)):
        made.add(seed(*(pair[c] for pair, c in zip(zip(BASE, OTHER), chosen))))  # noqa: B905
    assert len(made) == 2 ** len(BASE)


@given(st.text(), st.text(), st.text(), st.integers(0, 100))
def test_a_seed_is_the_same_every_time_and_fits_the_gradebook(a, b, c, repetition) -> None:
    found = seed(b"k" * 32, a, b, c, repetition)
    assert found == seed(b"k" * 32, a, b, c, repetition)
    assert 0 <= found < 2**63


def test_no_two_submissions_of_a_class_meet_the_same_inputs(graded: Path) -> None:
    with open_gradebook(graded) as book:
        seeds = [row["seed"] for row in book.rows("SELECT seed FROM evidence WHERE seed NOT NULL")]
    assert len(seeds) > 20
    assert len(set(seeds)) == len(seeds)


def test_the_secret_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(secret_of(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["secret.key"]
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


def test_two_folders_have_two_secrets(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert secret_of(tmp_path / "a") != secret_of(tmp_path / "b")


def test_half_a_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"short")
    with pytest.raises(ValueError, match="holds 5 bytes and 32 are wanted"):
        secret_of(tmp_path)
