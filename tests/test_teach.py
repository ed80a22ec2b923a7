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
