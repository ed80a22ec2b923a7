"""Commands on a gradebook that exists: regrade, audit, and ``coursekit gradebook …``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from coursekit.grading.grader.console import (
    ALL_DONE,
    NEEDS_A_PERSON,
    AsJson,
    Out,
    Tier,
    Unsafe,
    chosen,
    say,
    sentences,
    stop,
)

Student = Annotated[str, typer.Option("--student", help="Only this student.")]
book_app = typer.Typer(help="Work with a gradebook: export, report, feedback, manual, similar.")


def regrade(
    folder: Out,
    student: Student = "",
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes at a time.")] = 1,
    sandbox: Tier = None,
    unsafe: Unsafe = False,
    as_json: AsJson = False,
) -> None:
    """Replay from the stored code, questions and seeds, and compare with what was recorded.

    Nothing is changed. Exit code 0: every score is the same; 1: some differ.
    """
    from coursekit.grading.grader.audit import regrade as replay
    from coursekit.grading.grader.gradebook import open_gradebook

    with sentences():
        tier = chosen(sandbox, unsafe)
        with open_gradebook(folder) as book:
            found = replay(book, folder, tier, jobs, student)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _tell_replay(found)
    raise typer.Exit(NEEDS_A_PERSON if found["differs"] else ALL_DONE)


def _tell_replay(found: dict) -> None:
    same = found["replayed"] - len(found["differs"])
    say(f"{found['replayed']} replayed, {same} with identical scores.")
    for code, lines in found["differs"].items():
        for line in lines:
            say(f"  {code[:12]} {line}")
    for name, (before, now) in found["versions"].items():
        say(f"  {name} was {before or 'unknown'} and is {now or 'unknown'} now.")


def audit(
    folder: Out,
    student: Annotated[str, typer.Option("--student", help="Whose attempt.")],
    as_json: AsJson = False,
) -> None:
    """Show what ran, with which versions and seeds, and why each point was given."""
    from coursekit.grading.grader import audit as audits
    from coursekit.grading.grader.gradebook import open_gradebook

    with sentences(), open_gradebook(folder) as book:
        found = audits.audit(book, student)
        if as_json:
            typer.echo(json.dumps(found, indent=1))
        else:
            say(audits.text(found))


@book_app.command("export")
def export(
    folder: Out,
    form: Annotated[
        str, typer.Option("--format", "-f", help="plain, canvas, moodle, blackboard or json.")
    ] = "plain",
    column: Annotated[str, typer.Option(help="The assignment's column in the LMS.")] = "",
    to: Annotated[Path | None, typer.Option(help="A file; else it is printed.")] = None,
) -> None:
    """Write the points as CSV for a learning management system, or as JSON."""
    from coursekit.grading.grader.export import export as make
    from coursekit.grading.grader.gradebook import open_gradebook
    from coursekit.grading.grader.pages import write

    with sentences(), open_gradebook(folder) as book:
        text = make(book, form, column)
        if to is None:
            typer.echo(text, nl=False)
        else:
            write(to, text)
            say(str(to))


@book_app.command("report")
def report(folder: Out) -> None:
    """Write the class report: distribution, hardest questions, commonest mistakes."""
    from coursekit.grading.grader.gradebook import open_gradebook
    from coursekit.grading.grader.report import write_report

    with sentences(), open_gradebook(folder) as book:
        say(str(write_report(book, folder)))


@book_app.command("feedback")
def feedback(folder: Out, student: Student = "") -> None:
    """Write the feedback pages again, with points and comments given by hand since."""
    from coursekit.grading.grader.feedback import write_feedback
    from coursekit.grading.grader.gradebook import open_gradebook

    with sentences(), open_gradebook(folder) as book:
        written = write_feedback(book, folder, student)
    if not written:
        stop(f"No submission of {student or 'anybody'} is in {folder}.")
    say(f"{len(written)} pages in {folder / 'feedback'}")


@book_app.command("manual")
def manual(
    folder: Out,
    student: Student = "",
    question: Annotated[str, typer.Option(help="The question's id.")] = "",
    points: Annotated[float | None, typer.Option(help="From 0 to the question's.")] = None,
    comment: Annotated[str, typer.Option(help="What the student reads.")] = "",
    by: Annotated[str, typer.Option(help="Who grades.")] = "",
    sheet: Annotated[
        Path | None, typer.Option(help="Write a CSV of all free answers, to fill in.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Read such a CSV.")] = None,
) -> None:
    """Give points or a comment by hand: for one answer, or for a filled-in sheet.

    They belong to the student and the question, and survive every regrading. Points by hand go
    before the grader's, on questions that code grades too.
    """
    from coursekit.grading.grader import manual as hand
    from coursekit.grading.grader.gradebook import open_gradebook
    from coursekit.grading.grader.outputs import write_outputs
    from coursekit.grading.grader.pages import write

    with sentences():
        with open_gradebook(folder) as book:
            if sheet is not None:
                write(sheet, hand.sheet(book))
                say(f"Fill in points and comment in {sheet}, then give it with --csv.")
                return
            if csv is not None:
                marks = hand.read_sheet(csv)
            elif student and question and (points is not None or comment):
                marks = [hand.Mark(student, question, points, comment)]
            else:
                stop("Give --student, --question and --points or --comment; or --sheet; or --csv.")
            hand.give(book, marks, by)
        write_outputs(folder)
    say(f"{len(marks)} recorded; feedback, report and grades.csv are written anew.")


@book_app.command("similar")
def similar(
    folder: Out,
    starter: Annotated[
        Path | None, typer.Option(help="The notebook that students were given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a report of equal code. It is for a person to read and decides nothing."""
    from dataclasses import asdict

    from coursekit.grading.grader import notebooks
    from coursekit.grading.grader import similar as alike
    from coursekit.grading.grader.gradebook import open_gradebook

    with sentences(), open_gradebook(folder) as book:
        given = (
            notebooks.cells(starter.read_bytes())
            if starter
            else alike.starter_cells(book.meta("assignment"))
        )
        pairs = alike.write_similar(book, folder, given)
    if as_json:
        typer.echo(json.dumps([asdict(p) for p in pairs]))
    else:
        say(f"{len(pairs)} pairs; read {folder / 'similar.html'}")


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(regrade)
    app.command()(audit)
    app.add_typer(book_app, name="gradebook")
