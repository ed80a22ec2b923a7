"""A GitHub Classroom assignment that grades itself on every push.

Two files go into the template repository: the workflow, and a frozen release beside it. A student
can change both in their own copy, as GitHub's documentation warns; the workflow is for quick
feedback, and the points that count are those of ``coursekit grade`` over the cloned repositories.
"""

import base64
import json
from pathlib import Path
from typing import Any

from coursekit.grading.grader.bank import Bank
from coursekit.grading.grader.release import frozen
from coursekit.grading.grader.standing import Standing

RELEASE = ".github/coursekit/release.zip"
WORKFLOW = ".github/workflows/classroom.yml"
TEXT = """\
# Made by `coursekit classroom __NAME__`: grades the notebook on every push and tells the classroom.
# For quick feedback: whoever owns the repository can change this file. What counts is what the
# teacher grades from the cloned repositories with `coursekit grade`.
name: Autograding Tests
on: [push, workflow_dispatch]
permissions:
  checks: write
  actions: read
  contents: read
jobs:
  run-autograding-tests:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    if: github.actor != 'github-classroom[bot]'
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - name: Install
        run: |
          set -e
          room="${RUNNER_TEMP:-/tmp}/coursekit"
          python -m venv $VENV_OPTIONS "$room/venv"
          python -m zipfile -e __RELEASE__ "$room/release"
          "$room/venv/bin/pip" install --quiet "$room"/release/coursekit-*.whl__EXTRAS__
      - name: Sandbox
        run: |
          command -v bwrap || sudo apt-get install -y -qq bubblewrap
          sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 || true
      - name: Grade
        id: grade
        run: |
          room="${RUNNER_TEMP:-/tmp}/coursekit"
          status=0
          "$room/venv/bin/coursekit" grade . --assignment __NAME__ --out "$room/out" \\
            --student "${GITHUB_ACTOR:-student}" --attempts best --release __RELEASE__ || status=$?
          test "$status" -le 1
          export="$room/venv/bin/coursekit gradebook export $room/out --format"
          $export summary >> "$GITHUB_STEP_SUMMARY"
          $export classroom >> "$GITHUB_OUTPUT"
      - name: Report
        uses: classroom-resources/autograding-grading-reporter@v1
        env:
          GRADE_RESULTS: "${{ steps.grade.outputs.result }}"
        with:
          runners: grade
"""


def files(name: str, bank: Bank, wheel: Path | None) -> dict[str, bytes]:
    """The two files of the template repository.

    Raises
    ------
    ValueError
        If the questions hold private ones: everything in the template is the students' to read.
    """
    if any(path.startswith("private/") for path in bank.files):
        raise ValueError(
            "A classroom's template is read by every student, so private questions cannot go into "
            "it. Leave --questions out here, and use it when you grade the cloned repositories."
        )
    return {RELEASE: frozen(name, bank, wheel), WORKFLOW: workflow(bank).encode()}


def workflow(bank: Bank) -> str:
    """The workflow's text."""
    torch = any("import torch" in text for text in bank.files.values())
    filled = {"__NAME__": bank.assignment, "__RELEASE__": RELEASE}
    filled |= {"__EXTRAS__": " torch" if torch else ""}
    text = TEXT
    for mark, value in filled.items():
        text = text.replace(mark, value)
    return text


def summary(class_: list[Standing], column: str) -> str:
    """A Markdown table for the page of the run; ids, statuses and points only."""
    lines = [f"# {column}", "", "| question | status | points |", "|---|---|---|"]
    for standing in class_:
        for line in standing.lines:
            points = "to be read" if line.points is None else f"{line.points:g}"
            status = line.score.get("status", "not graded")
            question = line.question
            lines.append(f"| {question['id']} | {status} | {points} / {question['points']:g} |")
        lines.append(f"\n**{standing.total:g} of {standing.possible:g} points.**\n")
    return "\n".join(lines) + "\n"


def outcome(class_: list[Standing], column: str) -> str:
    """``result=…`` as GitHub Classroom's reporter reads it: base64 of JSON, a test a question.

    Free answers are left out; a person reads them.
    """
    lines = [line for s in class_ for line in s.lines if line.question["kind"] == "code"]
    tests = [_test(line) for line in lines]
    found: dict[str, Any] = {
        "version": 1,
        "status": "pass" if tests and all(t["status"] == "pass" for t in tests) else "fail",
        "max_score": sum(line.question["points"] for line in lines),
        "tests": tests,
    }
    return f"result={base64.b64encode(json.dumps(found).encode()).decode()}\n"


def _test(line: Any) -> dict[str, Any]:
    full = line.points == line.question["points"]
    says = " ".join([line.score.get("says", ""), line.score.get("hint", "")]).strip()
    return {
        "name": line.question["title"],
        "status": "pass" if full else "fail",
        "score": line.points or 0.0,
        "message": says,
        "test_code": f"coursekit grade: {line.question['id']}",
        "filename": "",
        "line_no": 0,
        "execution_time": "",
    }
