"""``exercise-list``: a chapter's exercises, from the checks that ship in the library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class ExerciseList(SphinxDirective):
    """List the questions of the chapter named by the argument."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Build the table."""
        path = Path("src/coursekit/grading/checks") / f"{self.arguments[0]}.json"
        source = Path(self.env.srcdir, path)
        self.env.note_dependency(str(source))
        if not source.is_file():
            raise self.error(f"{path} is missing; `coursekit exercises build` makes it.")
        questions = json.loads(source.read_text(encoding="utf8"))["questions"]
        rows = "\n".join(self._row(i, q) for i, q in enumerate(questions, start=1))
        text = f"| | exercise | asks | trains | points |\n|--:|---|---|---|--:|\n{rows}\n"
        return self.parse_text_to_nodes(text)

    @staticmethod
    def _row(number: int, question: dict[str, Any]) -> str:
        kind = " (open-ended)" if question.get("kind") == "manual" else ""
        asks = question["asks"].replace("|", "\\|")
        return (
            f"| {number} | `{question['id']}`{kind} | {asks} "
            f"| {{ref}}`{question['section']}` | {question['points']} |"
        )


def setup(app: Any) -> None:
    """Register the directive."""
    app.add_directive("exercise-list", ExerciseList)
