"""From the files of an export to submissions, without trusting a byte of them."""

from __future__ import annotations

import io
import json
import os
import stat
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from tinyclass import RIGHT, answers, hand_in, notebook

from coursekit.grading.grader import folders, notebooks
from coursekit.grading.grader.folders import SourceError
from coursekit.grading.grader.submissions import scan

NAME = "90-tiny"


def zip_of(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    """A zip with any names, and with symbolic links."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
        for name, target in (links or {}).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, target)
    return buffer.getvalue()


def test_one_file_a_student(tmp_path: Path) -> None:
    found = scan(hand_in(tmp_path / "in", anna=answers(), ben=answers(double="x = 1")), NAME)
    assert [(s.student, s.attempt, s.problem) for s in found] == [("anna", 1, ""), ("ben", 1, "")]
    assert found[0].code != found[1].code
    assert len(found[0].cells) == 4


def test_only_the_code_decides_what_is_the_same_work(tmp_path: Path) -> None:
    plain = answers()
    dressed = json.loads(plain)
    for number, cell in enumerate(dressed["cells"]):
        cell |= {"id": f"forged-{number}", "metadata": {"points": 100}}
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "All right."}]
    found = scan(hand_in(tmp_path, a=plain, b=json.dumps(dressed).encode()), NAME)
    assert found[0].code == found[1].code
    assert found[0].sha256 != found[1].sha256


def test_attempts_are_counted_in_the_order_of_time(tmp_path: Path) -> None:
    stamps = ("2026-03-01-09-00-00", "2026-03-01-08-00-00", "2026-02-28-23-00-00")
    for i, stamp in enumerate(stamps):
        name = f"HW_jdoe_attempt_{stamp}_w.ipynb"
        (tmp_path / name).write_bytes(answers(double=f"x = {i}"))
    found = scan(tmp_path, NAME, zone=timezone(timedelta(hours=1)))
    assert [s.attempt for s in found] == [1, 2, 3]
    assert [s.cells[1] for s in found] == ["x = 2", "x = 1", "x = 0"]
    assert found[0].submitted == datetime(2026, 2, 28, 22, tzinfo=UTC)


def test_canvas_counts_resubmissions_and_marks_late_ones(tmp_path: Path) -> None:
    for name in ("doe_LATE_7_90_w-1.ipynb", "doe_7_88_w.ipynb"):
        (tmp_path / name).write_bytes(answers())
    found = scan(tmp_path, NAME)
    assert [(s.student, s.attempt, s.marked_late) for s in found] == [
        ("7", 1, False),
        ("7", 2, True),
    ]


def test_nbgraders_timestamp_is_the_time(tmp_path: Path) -> None:
    room = tmp_path / "anna" / NAME
    room.mkdir(parents=True)
    (room / "w.ipynb").write_bytes(answers())
    (room / "timestamp.txt").write_text("2026-02-02 15:58:23.948203 America/New_York")
    assert scan(tmp_path, NAME)[0].submitted == datetime(2026, 2, 2, 20, 58, 23, 948203, tzinfo=UTC)


def test_gradescopes_metadata_names_the_student(tmp_path: Path) -> None:
    room = tmp_path / "assignment_5_export"
    (room / "submission_12").mkdir(parents=True)
    (room / "submission_12" / "w.ipynb").write_bytes(answers())
    (room / "submission_metadata.yml").write_text(
        "submission_12:\n  :submitters:\n  - :name: Anna Q\n    :sid: '0815'\n"
        "    :email: anna@example.org\n  :created_at: 2026-03-01 10:00:00.000000000 Z\n"
    )
    found = scan(tmp_path, NAME)[0]
    assert (found.student, found.name) == ("0815", "Anna Q")
    assert found.submitted == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_only_the_assignments_own_notebook_counts(tmp_path: Path) -> None:
    room = tmp_path / "90-tiny-anna"
    for folder, data in (
        ("exercises", answers()),
        ("notebooks", notebook("print('a chapter')")),
        ("other", notebook('check = Check("02-backprop")')),
    ):
        (room / folder).mkdir(parents=True)
        (room / folder / "x.ipynb").write_bytes(data)
    assert [s.file for s in scan(tmp_path, NAME)] == ["90-tiny-anna/exercises/x.ipynb"]


def test_a_zip_is_read_like_the_folder_in_it(tmp_path: Path) -> None:
    inner = zip_of({"w.ipynb": answers()})
    files = {"top/anna.ipynb": answers(), "top/ben/w.ipynb": answers(), "top/cleo.zip": inner}
    (tmp_path / "all.zip").write_bytes(zip_of(files))
    found = scan(tmp_path / "all.zip", NAME)
    assert {s.student: s.file for s in found} == {
        "anna": "anna.ipynb",
        "ben": "ben/w.ipynb",
        "cleo": "cleo.zip/w.ipynb",
    }
    assert all(not s.problem for s in found)


def test_a_zip_of_one_folder_a_student_is_unwrapped(tmp_path: Path) -> None:
    files = {f"top/{s}/w.ipynb": answers() for s in ("anna", "ben")}
    (tmp_path / "all.zip").write_bytes(zip_of(files))
    assert [s.student for s in scan(tmp_path / "all.zip", NAME)] == ["anna", "ben"]


def test_an_archive_cannot_leave_its_place(tmp_path: Path) -> None:
    bad = zip_of(
        {"../../out.ipynb": answers(), "/etc/abs.ipynb": answers(), "fine.ipynb": answers()},
        {"link.ipynb": "/etc/passwd"},
    )
    (tmp_path / "all.zip").write_bytes(bad)
    before = set(tmp_path.parent.rglob("*"))
    found = {Path(s.file).stem: s.problem for s in scan(tmp_path / "all.zip", NAME)}
    assert "leads out" in found["out"]
    assert "leads out" in found["abs"]
    assert "link" in found["link"]
    assert found["fine"] == ""
    assert set(tmp_path.parent.rglob("*")) == before


def test_links_pipes_and_devices_are_not_opened(tmp_path: Path) -> None:
    room = hand_in(tmp_path / "in", anna=answers())
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(answers())
    (room / "link.ipynb").symlink_to(secret)
    (room / "folder").symlink_to(tmp_path)
    os.mkfifo(room / "pipe.ipynb")
    found = {s.student: s.problem for s in scan(room, NAME)}
    assert found == {
        "anna": "",
        "link": "The file is a link; links are not followed.",
        "pipe": "This is not a regular file.",
    }


def test_sizes_are_checked_before_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MAX_BYTES", 2000)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.ipynb", b"0" * 1_000_000)
    room = hand_in(tmp_path / "in", huge=b"0" * 3000)
    (room / "bomb.zip").write_bytes(bomb.getvalue())
    assert all("larger than" in s.problem for s in scan(room, NAME))


def test_a_damaged_archive_is_one_problem_and_not_the_end(tmp_path: Path) -> None:
    room = hand_in(tmp_path / "in", anna=answers())
    (room / "ben.zip").write_bytes(zip_of({"w.ipynb": answers()})[:-40])
    found = {s.student: s.problem for s in scan(room, NAME)}
    assert found["anna"] == ""
    assert "cannot be read" in found["ben"]


def test_the_first_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        scan(tmp_path / "none", NAME)
    (tmp_path / "x.txt").write_text("no")
    with pytest.raises(SourceError, match="neither a folder"):
        scan(tmp_path / "x.txt", NAME)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"no json", "not a notebook"),
        (b"[" * 200_000, "not a notebook"),
        (b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not a notebook"),
        (b'{"worksheets": []}', "no list of cells"),
        (b'{"cells": {}}', "no list of cells"),
        (b'{"cells": []}', "no code cell"),
        (b'{"cells": [1, null, {"cell_type": "code", "source": 7}]}', ""),
        (b"\xff\xfe\x00", "not a notebook"),
        (notebook(*["x"] * 3000), "code cells"),
        (notebook("x" * (3 << 20)), "characters"),
    ],
)
def test_a_hostile_notebook_is_a_sentence_or_harmless(data: bytes, says: str) -> None:
    if says:
        with pytest.raises(notebooks.UnreadableError, match=says):
            notebooks.cells(data)
    else:
        assert notebooks.cells(data) == [""]


def test_half_a_surrogate_becomes_a_question_mark() -> None:
    data = b'{"cells": [{"cell_type": "code", "source": ["s = \\"\\ud800\\""]}]}'
    assert notebooks.cells(data) == ['s = "?"']


def test_the_order_of_cells_is_part_of_the_work() -> None:
    cells = list(RIGHT.values())
    assert notebooks.code_hash(cells) != notebooks.code_hash(cells[::-1])
