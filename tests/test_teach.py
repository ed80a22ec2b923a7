"""What a teacher reads about the exercises is what the exercises are."""

from __future__ import annotations

import json
import re
from pathlib import Path


def published(root: Path) -> dict[str, list[dict]]:
    """Questions of every chapter, in the order of its notebook."""
    folder = root / "src" / "coursekit" / "grading" / "checks"
    return {
        p.stem: json.loads(p.read_text(encoding="utf-8"))["questions"]
        for p in sorted(folder.glob("*.json"))
    }


def test_the_plan_names_every_exercise_by_its_number_once(root: Path) -> None:
    text = (root / "book" / "teach.md").read_text(encoding="utf-8")
    named = [(int(n), name) for n, name in re.findall(r"\b(\d+),? `([a-z0-9-]+)`", text)]
    wanted = [
        (number, question["id"])
        for questions in published(root).values()
        for number, question in enumerate(questions, start=1)
    ]
    assert sorted(named) == sorted(wanted)


def test_the_plan_states_the_points(root: Path) -> None:
    text = (root / "book" / "teach.md").read_text(encoding="utf-8")
    for questions in published(root).values():
        by_kind = {"code": 0, "manual": 0}
        for question in questions:
            by_kind[question["kind"]] += question["points"]
        assert re.search(rf"carry {by_kind['code']} points.*? {by_kind['manual']} by hand", text)


def test_schedules_name_exercises_that_exist(root: Path) -> None:
    text = (root / "book" / "teach.md").read_text(encoding="utf-8")
    ids = {question["id"] for questions in published(root).values() for question in questions}
    rows = [line for line in text.splitlines() if re.match(r"\| (\d+|[MTWF]\w+day) \|", line)]
    schedules = [row for row in rows if not re.search(r"\b\d+,? `", row)]  # the plan has numbers
    bare = re.sub(r"\{\w+\}`[^`]*`", "", "\n".join(schedules))
    named = re.findall(r"`([\w-]+)`", bare)
    assert len(schedules) == 12 + 5
    assert len(named) >= 30
    assert set(named) - ids == set()


def test_the_weights_of_the_assignments_add_to_one(root: Path) -> None:
    text = (root / "book" / "teach.md").read_text(encoding="utf-8")
    table = text.split("(sec-teach-weights)=")[1].split("\n\n")[1]
    assert sum(int(share) for share in re.findall(r"\| (\d+) % \|", text)) == 100, table
