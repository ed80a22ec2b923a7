"""Whose file is it? The forms are those of each system's own "download all submissions"."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.grading.grader.names import Named, clean, understand

WHEN = datetime(2026, 1, 2, 10, 20, 30)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("doejane_1234_98765_work.ipynb", Named("1234", "doejane", system="canvas")),
        (
            "doejane_LATE_1234_98765_my_work.ipynb",
            Named("1234", "doejane", marked_late=True, system="canvas"),
        ),
        ("doejane_1234_98765_work-3.ipynb", Named("1234", "doejane", 3, system="canvas")),
        (
            "Jane van Doe_4711_assignsubmission_file_/work.ipynb",
            Named("4711", "Jane van Doe", system="moodle"),
        ),
        (
            "Jane Doe_4711_assignsubmission_file_work.ipynb",
            Named("4711", "Jane Doe", system="moodle"),
        ),
        (
            "Jane Doe_4711_assignsubmission_file/sub/work.ipynb",
            Named("4711", "Jane Doe", system="moodle"),
        ),
        (
            "Home_work 1_jdoe2_attempt_2026-01-02-10-20-30_work.ipynb",
            Named("jdoe2", submitted=WHEN, system="blackboard"),
        ),
        (
            "assignment_1_export/submission_77/work.ipynb",
            Named("submission_77", order=77, system="gradescope"),
        ),
        ("jdoe/90-tiny/work.ipynb", Named("jdoe")),
        ("jdoe/90-tiny/attempt-2/work.ipynb", Named("jdoe", order=2)),
        ("jdoe/2/work.ipynb", Named("jdoe", order=2)),
        ("90-tiny-jdoe/exercises/90-tiny.ipynb", Named("jdoe")),
        ("jdoe.ipynb", Named("jdoe")),
        ("jdoe.attempt2.ipynb", Named("jdoe", order=2)),
        ("jdoe.zip/work.ipynb", Named("jdoe")),
        ("jane_doe.ipynb", Named("jane_doe")),
    ],
)
def test_a_files_name_tells_the_student(path: str, wanted: Named) -> None:
    assert understand(PurePosixPath(path), "90-tiny") == wanted


def test_a_time_that_does_not_exist_is_no_time() -> None:
    path = PurePosixPath("HW_jdoe_attempt_2026-13-40-99-20-30_x.ipynb")
    assert understand(path, "90-tiny").submitted is None


@given(st.text(min_size=1, max_size=200))
def test_any_text_becomes_one_short_printable_line(text: str) -> None:
    found = clean(text)
    assert 0 < len(found) <= 100
    assert found.isprintable()
