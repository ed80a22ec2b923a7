"""Commands that pack an assignment: freeze, gradescope, classroom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coursekit.grading.grader.console import say, sentences

Assignment = Annotated[str, typer.Argument(help="Such as 02-backprop.")]
Questions = Annotated[Path | None, typer.Option(help="Your own questions, over the public ones.")]
Wheel = Annotated[
    Path | None, typer.Option(help="The library; else it is built from the checkout.")
]


def freeze(
    name: Annotated[str, typer.Argument(help="The release's name, such as 2026-spring.")],
    assignment: Annotated[str, typer.Option("--assignment", "-a", help="Such as 02-backprop.")],
    folder: Annotated[Path, typer.Option("--out", "-o", help="Where the zip goes.")],
    questions: Questions = None,
    wheel: Wheel = None,
) -> None:
    """Pack library, questions and versions, to grade the same a year later."""
    import hashlib

    from coursekit.grading.grader import release
    from coursekit.grading.grader.bank import collect

    with sentences():
        data = release.frozen(name, collect(assignment, None, questions), wheel)
        path = _kept(folder / f"{assignment}-{name}.zip", data)
    say(f"{path}\nsha256 {hashlib.sha256(data).hexdigest()}")
    say(f"Tag the commit too: git tag {assignment}-{name}")


def gradescope(
    assignment: Assignment,
    to: Annotated[Path, typer.Option("--out", "-o", help="The zip to upload.")],
    questions: Questions = None,
    wheel: Wheel = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that one call may take.")] = 10,
    total: Annotated[float, typer.Option(min=1, help="Seconds that a submission may take.")] = 300,
) -> None:
    """Make a Gradescope autograder archive."""
    from coursekit.grading.grader import gradescope as scope
    from coursekit.grading.grader.bank import collect

    with sentences():
        bank = collect(assignment, None, questions)
        path = _kept(to, scope.archive("gradescope", bank, wheel, timeout, total))
    say(f"{path}: upload it as the autograder. It holds the answers; keep it from students.")


def classroom(
    assignment: Assignment,
    folder: Annotated[Path, typer.Option("--out", "-o", help="The template repository.")],
    wheel: Wheel = None,
) -> None:
    """Make a GitHub Classroom workflow, and the release that it grades with."""
    from coursekit.grading.grader import classroom as room
    from coursekit.grading.grader.bank import collect

    with sentences():
        for name, data in room.files("classroom", collect(assignment), wheel).items():
            say(str(_kept(folder / name, data)))
    say("Commit both. Students can change them; grade the cloned repositories for marks.")


def _kept(path: Path, data: bytes) -> Path:
    """Write a file as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    return part.replace(path)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (freeze, gradescope, classroom):
        app.command()(command)
