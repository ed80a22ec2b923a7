"""Measure three graders on the same submissions, in one run on one core, and say so in the guide.

    python benchmarks/grading.py measure [--submissions 30] [--envs FOLDER]    (about 15 minutes)
    python benchmarks/grading.py page                   write the figures into book/grade.md

otter-grader and nbgrader run in environments of their own, which are made when they are not in
FOLDER. The questions and the submissions are translated into each grader's own form
(``graders/``); every grader must find the same points, or nothing is measured. Ours draws fresh
inputs for every submission and runs the code in its sandbox; the others run it in their own process
on fixed inputs, in the way that needs the least time.
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
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from graders import others
from graders.clock import Spent, timed
from graders.submissions import ASSIGNMENT, Exercise, Student, exercises, students

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "grading.json"
PAGE = ROOT / "book" / "grade.md"
BLOCK = re.compile(r"(<!-- measured:begin -->\n).*?(<!-- measured:end -->)", re.DOTALL)
COLD_BAR, WARM_BAR = 3, 20
OTHERS = ("otter-grader", "nbgrader")


def ours(room: Path, people: list[Student], *options: str) -> Spent:
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


def rate(spent: Spent, number: int) -> dict[str, float]:
    """Seconds a submission and submissions a minute, on one core."""
    each = spent.wall / number
    return {**asdict(spent), "seconds_each": round(each, 3), "per_minute": round(60 / each, 1)}


def measure(number: int, envs: Path, work: Path) -> dict:
    """Grade ``number`` submissions with every grader and compare what they found."""
    made = exercises(ROOT)
    people = students(made, number)
    pins = [f"numpy=={version('numpy')}"]
    bins = {name: others.environment(envs, name, pins) for name in OTHERS}
    others.write_plain(work / "work", made, people)
    rooms = {name: work / name for name in ("otter-run", "otter-loop", "nbgrader", "cold", "warm")}
    for room in rooms.values():
        room.mkdir()
    spent = {
        "ours, cold": ours(rooms["cold"], people, "--cold"),
        "ours, warm": ours(rooms["warm"], people),
        "otter-grader": others.otter_command(
            rooms["otter-run"], bins["otter-grader"], made, people
        ),
        "otter-grader, in one process": others.otter_loop(
            rooms["otter-loop"], bins["otter-grader"], made, people
        ),
        **others.nbgrader(rooms["nbgrader"], bins["nbgrader"], made, people),
    }
    for name, room in rooms.items():
        if wrong := others.wrong_points(room, people):
            sys.exit(f"{name} finds other points:\n" + "\n".join(wrong[:10]))
    return record(spent, made, people, bins)


def record(
    spent: dict[str, Spent], made: list[Exercise], people: list[Student], bins: dict[str, Path]
) -> dict:
    """Everything that was measured, with what it was measured on."""
    rates = {name: rate(s, len(people)) for name, s in spent.items()}
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "load_average": [round(x, 1) for x in os.getloadavg()],
        "versions": {"python": platform.python_version(), **installed(bins)},
        "assignment": ASSIGNMENT,
        "questions": [e.q.id for e in made],
        "submissions": len(people),
        "graders": rates,
        "times_faster": {
            heat: {
                name: round(rates[name]["seconds_each"] / rates[f"ours, {heat}"]["seconds_each"], 1)
                for name in rates
                if not name.startswith("ours")
            }
            for heat in ("cold", "warm")
        },
    }


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


def sentences(record: dict) -> str:
    """The guide's words for the figures."""
    rows = "\n".join(
        f"| {name} | {r['seconds_each']:.2f} s | {r['per_minute']:.0f} | {r['cpu']:.0f} s |"
        for name, r in record["graders"].items()
    )
    v, faster = record["versions"], record["times_faster"]
    cold, warm = (faster[heat] for heat in ("cold", "warm"))
    return (
        f"Measured on {record['machine']}, Python {v['python']}, {record['date']}, by "
        f"`benchmarks/grading.py` (`benchmarks/results/grading.json`): {record['submissions']} "
        f"submissions of {len(record['questions'])} questions each, one core, the whole run from "
        f"the first import to the last file. otter-grader {v['otter-grader']}, nbgrader "
        f"{v['nbgrader']}, coursekit {v['coursekit']}; all find the same points.\n\n"
        "| grader | a submission | submissions a minute | processor time in all |\n"
        f"|---|---|---|---|\n{rows}\n\n"
        f"With a new Python for every submission coursekit is {cold['otter-grader']:.0f} times as "
        f"fast as otter-grader and {cold['nbgrader']:.0f} times as fast as nbgrader; with its warm "
        f"sandbox, the default, {warm['otter-grader']:.0f} and {warm['nbgrader']:.0f} times.\n"
    )


def measured() -> dict | None:
    """The committed figures; None where nothing was measured yet."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else None


def fill(page: str, record: dict | None) -> str:
    """The page with the figures in their place; with none, the place is empty."""
    if not BLOCK.search(page):
        raise ValueError(f"{PAGE.name} has lost its measured:begin and measured:end marks")
    words = sentences(record) if record else ""
    return BLOCK.sub(lambda found: found[1] + words + found[2], page)


def main() -> None:
    """Parse the command line and run it."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("command", choices=["measure", "page"])
    parser.add_argument("--submissions", type=int, default=30)
    parser.add_argument("--envs", type=Path, help="folder of the other graders' environments")
    given = parser.parse_args()
    if given.command == "measure":
        work = Path(tempfile.mkdtemp(prefix="grading-"))
        try:
            found = measure(given.submissions, given.envs or work / "envs", work)
        finally:
            shutil.rmtree(work)
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(sentences(found))
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), measured()), encoding="utf-8")


if __name__ == "__main__":
    main()
