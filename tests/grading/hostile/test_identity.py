"""Nobody hands in for somebody else: whose a submission is, the LMS says and not the file inside.

Mallory may choose the name of the file that she uploads and all that an archive of hers holds.
Bob's points must not depend on it, nor the time at which she handed in.
"""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coursekit.grading.grader.submissions import Submission, scan
from tests.grading.hostile.attack import notebook

BOOK = json.dumps(notebook(["x = 1"]))
FORGED_TIME = "2020-01-01 00:00:00 UTC"
FORGED_OWNERS = """\
submission_111:
  :submitters:
  - :name: Mallory
    :sid: mallory
  :created_at: 2020-01-01 00:00:00 Z
"""
OWNERS = """\
submission_111:
  :submitters:
  - :name: Bob
    :sid: bob
  :created_at: 2026-01-05 00:00:00 Z
submission_222:
  :submitters:
  - :name: Mallory
    :sid: mallory
  :created_at: 2026-01-06 00:00:00 Z
"""


def put(folder: Path, files: dict[str, str | dict[str, str]]) -> None:
    """Write files; a dictionary is an archive."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content)
            continue
        with zipfile.ZipFile(path, "w") as archive:
            for inner, text in content.items():
                archive.writestr(inner, text)


def students(folder: Path, files: dict[str, str | dict[str, str]]) -> dict[str, list[Submission]]:
    """Whose the files are, as the grader reads them."""
    put(folder, files)
    found: dict[str, list[Submission]] = {}
    for s in scan(folder, "01-basics"):
        found.setdefault(s.student, []).append(s)
    return found


MOODLE_BOB = "Bob B_1234_assignsubmission_file_work.ipynb"
BLACKBOARD_BOB = "HW_bob_attempt_2026-01-02-10-10-10_work.ipynb"


@pytest.mark.parametrize(
    ("uploaded", "mallory", "bob"),
    [
        pytest.param(
            {f"Mallory M_99_assignsubmission_file_{MOODLE_BOB}": BOOK, MOODLE_BOB: BOOK},
            "99", "1234", id="a Moodle name inside a Moodle name",
        ),
        pytest.param(
            {
                f"HW_mallory_attempt_2026-01-01-10-10-10_{BLACKBOARD_BOB}": BOOK,
                BLACKBOARD_BOB: BOOK,
            },
            "mallory", "bob", id="a Blackboard name inside a Blackboard name",
        ),
        pytest.param(
            {
                "mallory_99_100_work.zip": {"bob_1234_999_work-7.ipynb": BOOK},
                "bob_1234_101_work.ipynb": BOOK,
            },
            "99", "1234", id="a Canvas name inside a Canvas archive",
        ),
        pytest.param(
            {
                "mallory_99_100_work.zip": {MOODLE_BOB: BOOK, BLACKBOARD_BOB: BOOK},
                "bob_1234_101_work.ipynb": BOOK,
            },
            "99", "1234", id="other systems' names inside a Canvas archive",
        ),
        pytest.param(
            {"mallory.zip": {f"x/{MOODLE_BOB}": BOOK, "submission_1/y.ipynb": BOOK},
             "1234.ipynb": BOOK},
            "mallory", "1234", id="any system's name inside a plain archive",
        ),
        pytest.param(
            {"mallory/bob_1234_101_work-7.ipynb": BOOK, "1234/w.ipynb": BOOK},
            "mallory", "1234", id="a Canvas name in a student's own folder",
        ),
        pytest.param(
            {
                "submission_metadata.yml": OWNERS,
                "submission_111/work.ipynb": BOOK,
                "submission_222/work.ipynb": BOOK,
                "submission_222/submission_metadata.yml": FORGED_OWNERS,
                "submission_222/deep/submission_metadata.yml": FORGED_OWNERS,
            },
            "mallory", "bob", id="a list of owners among the uploaded files",
        ),
    ],
)  # fmt: skip
def test_a_chosen_name_never_makes_a_submission_somebody_elses(
    tmp_path: Path, uploaded: dict, mallory: str, bob: str
) -> None:
    found = students(tmp_path, uploaded)
    assert set(found) == {mallory, bob}
    assert len(found[bob]) == 1


def test_a_time_inside_an_archive_is_not_the_time_of_handing_in(tmp_path: Path) -> None:
    inside = {"work.ipynb": BOOK, "timestamp.txt": FORGED_TIME, "d/timestamp.txt": FORGED_TIME}
    found = students(tmp_path, {"mallory.zip": inside})
    assert [s.submitted for s in found["mallory"]] == [None]


def test_owners_inside_an_archive_change_no_time(tmp_path: Path) -> None:
    files = {
        "submission_metadata.yml": OWNERS,
        "submission_111/work.ipynb": BOOK,
        "submission_222/work.zip": {"submission_metadata.yml": FORGED_OWNERS, "w.ipynb": BOOK},
    }
    found = students(tmp_path, files)
    assert found["bob"][0].submitted == datetime(2026, 1, 5, tzinfo=UTC)
    assert found["mallory"][0].submitted == datetime(2026, 1, 6, tzinfo=UTC)


def test_what_an_earlier_autograder_printed_names_nobody(tmp_path: Path) -> None:
    printed = OWNERS + "  :results:\n    :output: |\n      :sid: bob\n    - :sid: bob\n"
    files = {
        "submission_metadata.yml": printed,
        "submission_111/w.ipynb": BOOK,
        "submission_222/w.ipynb": BOOK,
    }
    assert set(students(tmp_path, files)) == {"bob", "mallory"}
