"""Measure three graders on the same submissions, in one run on one core, and say so in the guide.

    python benchmarks/grading.py measure [--submissions 100] [--envs FOLDER]    (half an hour)
    python benchmarks/grading.py page                   write the figures into book/grade.md

otter-grader and nbgrader run in environments of their own, which are made when they are not in
FOLDER. The questions and the submissions are translated into each grader's own form
(``graders/``); every grader must find the same points, or nothing is measured. Ours draws fresh
inputs for every submission and runs the code in its sandbox; the others run it in their own process
on fixed inputs, in the way that needs the least time. The machine should be idle; where it is not,
``chrt -f 1`` before the command keeps the one core that it uses free of others.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from graders import others
from graders.clock import timed
from graders.submissions import ASSIGNMENT, Exercise, Student, exercises, students

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "grading.json"
PAGE = ROOT / "book" / "grade.md"
BLOCK = re.compile(r"(<!-- measured:begin -->\n).*?(<!-- measured:end -->)", re.DOTALL)
OTHERS, KINDS = ("otter-grader", "nbgrader"), ("numpy", "torch")


def ours(room: Path, people: list[Student], *options: str) -> float:
    """``coursekit grade``, as a teacher calls it: gradebook, feedback pages and report."""
    command = [sys.executable, "-m", "coursekit", "grade", str(room.parent / "work")]
    command += ["--assignment", ASSIGNMENT, "--out", str(room), "--jobs", "1", *options]
    spent = timed(command, ROOT)
    book = sqlite3.connect(room / "gradebook.sqlite")
    query = """SELECT student, question, points FROM submissions JOIN scores USING (code)"""
    found: dict[str, dict[str, float]] = {}
    for student, question, points in book.execute(query):
        found.setdefault(student, {})[question] = points
    book.close()
    (room / "found.json").write_text(json.dumps(found), encoding="utf-8")
    return spent


def rate(seconds: float, number: int) -> dict[str, float]:
    """Seconds in all and a submission, and submissions a minute, on one core."""
    each = seconds / number
    return {"seconds": round(seconds, 1), "each": round(each, 3), "a_minute": round(60 / each, 1)}


def measure(kind: str, number: int, envs: Path, work: Path) -> dict:
    """Grade ``number`` submissions of one kind with every grader, and compare what they find."""
    made = exercises(ROOT)
    people = students(made, number, torch=kind == "torch")
    pins = [f"{name}=={version(name).split('+')[0]}" for name in ("numpy", "torch")]
    bins = {name: others.environment(envs, name, pins) for name in OTHERS}
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **installed(bins)},
        "assignment": ASSIGNMENT,
        "questions": [e.q.id for e in made],
        "submissions": number,
        "graders": compared(made, people, bins, work),
    }


def compared(
    made: list[Exercise], people: list[Student], bins: dict[str, Path], work: Path
) -> dict[str, dict[str, float]]:
    """What each grader needs for these submissions; all must find the points that are right."""
    others.write_plain(work / "work", made, people)
    rooms = {name: work / name for name in ("otter-run", "otter-loop", "nbgrader", "cold", "warm")}
    for room in rooms.values():
        room.mkdir()
    otter = bins["otter-grader"]
    spent = {
        "coursekit, cold": ours(rooms["cold"], people, "--cold"),
        "coursekit, warm": ours(rooms["warm"], people),
        "otter-grader": others.otter_command(rooms["otter-run"], otter, made, people),
        "otter-grader, in a loop": others.otter_loop(rooms["otter-loop"], otter, made, people),
        **others.nbgrader(rooms["nbgrader"], bins["nbgrader"], made, people),
    }
    for name, room in rooms.items():
        if wrong := others.wrong_points(room, people):
            sys.exit(f"{name} finds other points:\n" + "\n".join(wrong[:10]))
    return {name: rate(seconds, len(people)) for name, seconds in spent.items()}


def installed(bins: dict[str, Path]) -> dict[str, str]:
    """Versions of the graders, as their environments have them."""
    found = {"coursekit": version("coursekit"), "numpy": version("numpy")}
    for name, bin in bins.items():
        ask = f"from importlib.metadata import version; print(version({name!r}))"
        done = subprocess.run(
            [bin / "python", "-c", ask], capture_output=True, text=True, check=True
        )
        found[name] = done.stdout.strip()
    return found


def times(record: dict, heat: str) -> dict[str, float]:
    """How many times as fast as each of the others coursekit is."""
    each = {name: found["each"] for name, found in record["graders"].items()}
    own = each[f"coursekit, {heat}"]
    slower = {name: each[name] for name in ("otter-grader", "otter-grader, in a loop", "nbgrader")}
    slower["nbgrader with its feedback pages"] = each["nbgrader"] + each["nbgrader, feedback"]
    return {name: seconds / own for name, seconds in slower.items()}


WHAT = {"numpy": "Notebooks that import NumPy", "torch": "The same notebooks with `import torch`"}
HEATS = {"cold": "With a new Python for each submission", "warm": "Warm, the default,"}


def sentences(records: dict[str, dict]) -> str:
    """The guide's words for the figures."""
    r = records["numpy"]
    v = r["versions"]
    lines = [
        f"Measured on {r['machine']}, Python {v['python']}, {r['date']} "
        f"(`benchmarks/results/grading.json`). Each submission answers {len(r['questions'])} "
        "questions of chapter 01, right, wrong or not at all. Every grader has one core and finds "
        f"the same points; the time is that of its whole run. coursekit {v['coursekit']} draws new "
        "inputs for each submission, runs it in its sandbox and writes the feedback pages. "
        f"otter-grader {v['otter-grader']} (`otter run`, or its Python interface in a loop that "
        f"you would have to write) and nbgrader {v['nbgrader']} compare on fixed inputs, in the "
        "student's process.",
        "",
    ]
    for kind in KINDS:
        lines += [f"{WHAT[kind]}, {records[kind]['submissions']} submissions:", ""]
        lines += [*rows(records[kind]), "", *(compare(records[kind], heat) for heat in HEATS), ""]
    return "\n".join(lines)


def rows(record: dict) -> list[str]:
    """The table of one kind of notebooks."""
    head = ["| grader | a submission | submissions a minute |", "|---|---|---|"]
    found = record["graders"].items()
    return head + [f"| {name} | {g['each']:.2f} s | {g['a_minute']:.0f} |" for name, g in found]


def compare(record: dict, heat: str) -> str:
    """How many times as fast, in a sentence."""
    listed = ", ".join(
        f"{n:.1f} times as fast as {name}" for name, n in times(record, heat).items()
    )
    return f"{HEATS[heat]} coursekit is {listed}.\n"


def measured() -> dict[str, dict] | None:
    """The committed figures; None where nothing was measured yet."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else None


def fill(page: str, records: dict[str, dict] | None) -> str:
    """The page with the figures in their place; with none, the place is empty."""
    if not BLOCK.search(page):
        raise ValueError(f"{PAGE.name} has lost its measured:begin and measured:end marks")
    words = sentences(records) if records else ""
    return BLOCK.sub(lambda found: found[1] + words + found[2], page)


def main() -> None:
    """Parse the command line and run it."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("command", choices=["measure", "page"])
    parser.add_argument("--kind", choices=KINDS, action="append", help="one kind; else all")
    parser.add_argument("--submissions", type=int, default=100)
    parser.add_argument("--envs", type=Path, help="folder of the other graders' environments")
    given = parser.parse_args()
    for kind in (given.kind or KINDS) if given.command == "measure" else ():
        work = Path(tempfile.mkdtemp(prefix="grading-"))
        try:
            found = measure(kind, given.submissions, given.envs or work / "envs", work)
        finally:
            shutil.rmtree(work)
        kept = {**(measured() or {}), kind: found}
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), measured()), encoding="utf-8")


if __name__ == "__main__":
    main()
