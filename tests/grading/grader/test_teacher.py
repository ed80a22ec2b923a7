"""What a teacher does with a gradebook: exports, marks by hand, equal code, audits, replays."""

from __future__ import annotations

import base64
import csv
import io
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinyclass import NAME, QUESTIONS, RIGHT, answers, command
from typer.testing import CliRunner

from coursekit import cli
from coursekit.grading.grader.export import FORMS, export
from coursekit.grading.grader.gradebook import GradebookError, contents, open_gradebook
from coursekit.grading.grader.manual import Mark, give
from coursekit.grading.grader.roster import read_roster
from coursekit.grading.grader.similar import alike, shape
from coursekit.grading.grader.standing import standings
from coursekit.grading.grader.tables import FORMULA, csv_text, read_csv, safe

run = CliRunner().invoke


@pytest.fixture
def out(graded: Path, tmp_path: Path) -> Path:
    """A gradebook to change."""
    return Path(shutil.copytree(graded, tmp_path / "out"))


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@given(st.text())
def test_no_cell_is_a_formula(text: str) -> None:
    cell = rows_of(csv_text(["a", "b"], [[text, "x"]]))[0]["a"]
    assert not cell.lstrip(" ").startswith(FORMULA)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "=cmd|' /C x'!A0"])
def test_a_formula_becomes_text(text: str) -> None:
    assert safe(text).startswith("'")


def test_numbers_stay_numbers() -> None:
    assert (safe(-2.5), safe(3.0), safe(0), safe(7.25)) == ("-2.5", "3", "0", "7.25")


ROSTERS = {
    "canvas": "Student,ID,SIS User ID,SIS Login ID,Section,HW (9)\n"
    '    Points Possible,,,,,10\n"Q, Anna",101,u1,anna,A,\nZoe,102,u2,zoe,A,\n',
    "moodle": "Identifier,Full name,Email address,Status,Grade,Feedback comments\n"
    "Participant 101,Anna Q,a@x.org,,,\nParticipant 102,Zoe,z@x.org,,,\n",
    "blackboard": '"Last Name","First Name","Username","Student ID","Last Access"\n'
    '"Q","Anna","101","m1",""\n"Z","Zoe","102","m2",""\n',
}
FILES = {
    "canvas": "qanna_101_555_w.ipynb",
    "moodle": "Anna Q_101_assignsubmission_file_/w.ipynb",
    "blackboard": "HW_101_attempt_2026-01-02-10-20-30_w.ipynb",
}


@pytest.mark.parametrize("system", list(ROSTERS))
def test_what_comes_from_a_system_goes_back_to_it(
    system: str, own_questions: Path, tmp_path: Path
) -> None:
    """Its class list, its file names, and a file that it reads: the same ids throughout."""
    roster, file = tmp_path / "class.csv", tmp_path / "in" / FILES[system]
    roster.write_text(ROSTERS[system], encoding="utf-8")
    file.parent.mkdir(parents=True)
    file.write_bytes(answers(essay='essay = ""'))
    folder = tmp_path / "out"
    run(cli.app, command(tmp_path / "in", folder, own_questions, "--roster", str(roster)))
    found = run(cli.app, ["gradebook", "export", str(folder), "-f", system, "--column", "HW (9)"])
    rows = rows_of(found.stdout)
    column = "Grade" if system == "moodle" else "HW (9)"
    points = {"7", "0"} if system != "canvas" else {"7", "0", "10"}
    assert {row[column] for row in rows} == points
    before, after = rows_of(ROSTERS[system]), rows_of(found.stdout)
    for name in set(before[0]) & set(after[0]) - {"HW (9)", "Grade", "Feedback comments"}:
        strip = [{r[name].strip() for r in table} for table in (before, after)]
        assert strip[0] == strip[1], name


def test_blackboards_own_download_is_read(tmp_path: Path) -> None:
    path = tmp_path / "gc.xls"
    path.write_bytes(ROSTERS["blackboard"].replace(",", "\t").encode("utf-16"))
    assert list(read_roster(path)) == ["101", "102"]


def test_a_roster_without_an_id_says_which_columns_came(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text("surname,room\nQ,1\n")
    with pytest.raises(ValueError, match="surname, room; a column student or id"):
        read_roster(path)
    path.write_text("student\nanna\nanna\n")
    with pytest.raises(ValueError, match="twice"):
        read_roster(path)


def test_points_are_not_exported_while_a_person_has_to_look(graded: Path) -> None:
    with open_gradebook(graded) as book:
        rows = {r["ID"]: r[NAME] for r in rows_of(export(book, "canvas"))}
        plain = {r["student"]: r for r in rows_of(export(book, "plain"))}
    assert rows["s0"] == ""  # the essay is unread
    assert rows["broken"] == ""
    assert (plain["s0"]["total"], plain["s0"]["to read"]) == ("7", "essay")
    assert "not a notebook" in plain["broken"]["look at"]


def test_every_form_can_be_written(graded: Path, tmp_path: Path) -> None:
    for form in FORMS:
        path = tmp_path / f"{form}.txt"
        found = run(cli.app, ["gradebook", "export", str(graded), "-f", form, "--to", str(path)])
        assert found.exit_code == 0, found.output
        assert path.stat().st_size > 50
    wrong = run(cli.app, ["gradebook", "export", str(graded), "-f", "pdf"])
    assert wrong.exit_code == 2
    assert "plain, canvas, moodle" in wrong.output


def test_json_says_everything_for_machines(graded: Path) -> None:
    found = json.loads(run(cli.app, ["gradebook", "export", str(graded), "-f", "json"]).stdout)
    students = {s["student"]: s for s in found["students"]}
    assert students["wrong"]["questions"]["double"]["hint"] == "Twice, not squared."
    assert students["half"]["questions"]["both"]["points"] == 2.0


def test_the_classroom_reads_its_result(graded: Path) -> None:
    text = run(cli.app, ["gradebook", "export", str(graded), "-f", "classroom"]).stdout
    key, _, value = text.strip().partition("=")
    found = json.loads(base64.b64decode(value))
    assert key == "result"
    assert found["version"] == 1
    assert found["max_score"] == 8 * 7
    assert sum(t["score"] for t in found["tests"]) == 4 * 7 + 5 + 5 + 4
    assert {t["status"] for t in found["tests"]} == {"pass", "fail"}


def test_a_sheet_goes_out_is_filled_in_and_comes_back(out: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "marks.csv"
    run(cli.app, ["gradebook", "manual", str(out), "--sheet", str(sheet)])
    rows = read_csv(sheet)
    assert {r["student"] for r in rows} == {"s0", "s1", "s2", "copy", "starter", "wrong", "half"}
    assert rows[0]["answer"] == "Because adding is commutative."
    for row in rows:
        row |= {"points": "1,5", "comment": "=HYPERLINK(1)"}
    sheet.write_text(csv_text(list(rows[0]), [list(r.values()) for r in rows]), encoding="utf-8")
    found = run(cli.app, ["gradebook", "manual", str(out), "--csv", str(sheet), "--by", "T"])
    assert "7 recorded" in found.output
    with open_gradebook(out) as book:
        assert {s.student: s.total for s in standings(book)}["s0"] == 8.5
        assert book.rows("SELECT comment FROM manual")[0]["comment"] == "=HYPERLINK(1)"


@pytest.mark.parametrize(
    ("mark", "says"),
    [
        (Mark("nobody", "essay", 1.0), "No student 'nobody'"),
        (Mark("s0", "poem", 1.0), "there are double, both, essay"),
        (Mark("s0", "essay", 4.0), "0 to 3"),
        (Mark("s0", "essay", -1.0), "0 to 3"),
    ],
)
def test_a_mark_that_cannot_be_records_nothing(out: Path, mark: Mark, says: str) -> None:
    with open_gradebook(out) as book:
        with pytest.raises(GradebookError, match=says):
            give(book, [Mark("s0", "essay", 1.0), mark])
        assert book.rows("SELECT * FROM manual") == []


def test_a_comment_alone_leaves_the_points(out: Path) -> None:
    with open_gradebook(out) as book:
        give(book, [Mark("wrong", "double", None, "Look again.")])
        assert {s.student: s.raw for s in standings(book)}["wrong"] == 5.0
        give(book, [Mark("wrong", "double", 1.0, "Half of it.")])
        assert {s.student: s.raw for s in standings(book)}["wrong"] == 6.0


def test_a_mark_on_an_older_attempt_is_pointed_out(out: Path) -> None:
    with open_gradebook(out) as book:
        give(book, [Mark("s0", "essay", 1.0)])
        other = book.rows("SELECT hash FROM codes WHERE hash NOT IN (SELECT code FROM manual)")
        with book.transaction() as db:
            db.execute("UPDATE manual SET code = ?", (other[0]["hash"],))
        unsure = {s.student: s.unsure for s in standings(book)}["s0"]
    assert unsure == ["essay: graded by hand on another attempt"]


LONG = """
def both(values):
    total = 0
    largest = values[0]
    for index, value in enumerate(values):
        total = total + value
        if value > largest and index > 0:
            largest = value
        elif value == largest:
            largest = largest + 0
    result = (total, largest)
    print("sum", result[0], "largest", result[1])
    return result
"""


def test_renaming_and_reformatting_hide_nothing() -> None:
    renamed = LONG.replace("total", "a").replace("largest", "b").replace("index", "k")
    renamed = renamed.replace("    ", "  ") + "\n# mine\n"
    assert shape(LONG) == shape(renamed)
    other = RIGHT["both"] + "\n" + "x = [i * 2 for i in range(9)]\n" * 9
    pairs = alike({"a": [LONG], "b": [renamed], "c": [other]}, [])
    assert [(p.first, p.second, p.share) for p in pairs] == [("a", "b", 1.0)]


def test_what_everybody_was_given_is_not_copied() -> None:
    assert alike({"a": [LONG], "b": [LONG]}, starter=[LONG]) == []


def test_short_answers_have_only_one_form() -> None:
    assert alike({"a": list(RIGHT.values()), "b": list(RIGHT.values())}, []) == []


def test_a_form_that_many_found_is_the_common_way() -> None:
    assert alike({str(i): [LONG] for i in range(6)}, []) == []


def test_code_that_python_cannot_read_is_compared_as_far_as_it_goes() -> None:
    assert shape("x = (1,\n")[:3] == ["n", "=", "("]
    assert shape('s = """open') is not None
    assert isinstance(shape("\x00\x0c'\\"), list)


def test_the_report_of_equal_code_names_the_groups(out: Path) -> None:
    found = run(cli.app, ["gradebook", "similar", str(out)])
    assert found.exit_code == 0, found.output
    assert "copy, s0" in (out / "similar.html").read_text()


def test_an_audit_gives_versions_seeds_and_reasons(graded: Path) -> None:
    told = run(cli.app, ["audit", str(graded), "--student", "half"]).output
    for part in ("numpy", "coursekit", "seed", "both: 2 of 5 (partly right, private)"):
        assert part in told
    assert "below zero, largest: wrong the values differ" in told
    found = json.loads(run(cli.app, ["audit", str(graded), "--student", "half", "--json"]).stdout)
    question = next(q for q in found["questions"] if q["id"] == "both")
    assert [e["inputs"] for e in question["evidence"]] == ["public", "fresh", "fresh", "fresh"]
    assert found["result"]["versions"]["python"]
    assert run(cli.app, ["audit", str(graded), "--student", "nobody"]).exit_code == 2


def test_a_replay_gives_the_identical_score_and_writes_nothing(graded: Path) -> None:
    before = contents(graded / "gradebook.sqlite")
    found = run(cli.app, ["regrade", str(graded), "--sandbox", "unsafe", "--json"])
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert (told["replayed"], told["differs"]) == (6, {})
    assert set(told["versions"]) <= {"coursekit"}  # whose source may be under edit
    assert contents(graded / "gradebook.sqlite") == before


def test_a_replay_finds_a_score_that_was_changed(out: Path) -> None:
    db = sqlite3.connect(out / "gradebook.sqlite")
    db.execute("UPDATE scores SET points = 2, status = 'passed' WHERE status = 'wrong'")
    db.execute('UPDATE results SET versions = \'{"python": "2.7"}\'')
    db.commit()
    db.close()
    found = run(cli.app, ["regrade", str(out), "--student", "wrong", "--sandbox", "unsafe"])
    assert found.exit_code == 1
    assert "double: points was 2.0, now 0.0" in found.output
    assert "python was 2.7" in found.output


def test_a_replay_needs_no_secret_and_no_questions_folder(out: Path, own_questions: Path) -> None:
    """The gradebook alone holds code, questions and seeds."""
    (out / "secret.key").unlink()
    args = ["regrade", str(out), "--student", "s0", "--sandbox", "unsafe", "--json"]
    assert json.loads(run(cli.app, args).stdout)["differs"] == {}


@pytest.mark.parametrize(
    "args",
    [["gradebook", "report"], ["gradebook", "feedback"], ["regrade"], ["gradebook", "export"]],
)
def test_a_folder_without_a_gradebook_is_a_sentence(args: list[str], tmp_path: Path) -> None:
    found = run(cli.app, [*args, str(tmp_path), *(["--unsafe"] if args == ["regrade"] else [])])
    assert found.exit_code == 2
    assert "no gradebook" in found.output
    assert list(tmp_path.iterdir()) == []


def test_feedback_of_one_student(out: Path) -> None:
    shutil.rmtree(out / "feedback")
    assert run(cli.app, ["gradebook", "feedback", str(out), "--student", "s1"]).exit_code == 0
    assert [p.name for p in (out / "feedback").iterdir()] == ["s1.html"]
    assert run(cli.app, ["gradebook", "feedback", str(out), "--student", "x"]).exit_code == 2


def test_a_private_question_takes_the_place_of_the_public_one(tmp_path: Path, root: Path) -> None:
    from coursekit.grading.grader.bank import collect, opened, private_ids

    own = tmp_path / "own" / "01-basics"
    own.mkdir(parents=True)
    text = QUESTIONS.replace('id="double"', 'id="ridge"').replace('asks="double"', 'asks="ridge"')
    (own / "questions.py").write_text(text)
    bank = collect("01-basics", root / "solutions", tmp_path / "own")
    plain = collect("01-basics", root / "solutions")
    with opened(bank) as mixed, opened(plain) as public:
        before, after = [q.id for q in public], [q.id for q in mixed]
        assert after == [*before, "both", "essay"]
        assert {q.id: q for q in mixed}["ridge"].title == "Twice as much"
    assert private_ids(bank) == {"ridge", "both", "essay"}
    assert bank.digest != plain.digest
