"""``coursekit grade``, and where the teacher's other commands are added to the command line.

Nothing heavy is imported before a command runs, so that ``coursekit --help`` stays fast.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coursekit.grading.grader import book_commands, course_commands
from coursekit.grading.grader.console import (
    ALL_DONE,
    NEEDS_A_PERSON,
    AsJson,
    Tier,
    Unsafe,
    chosen,
    err,
    say,
    sentences,
)

if TYPE_CHECKING:
    from coursekit.grading.grader.bank import Bank
    from coursekit.grading.grader.batch import Engine, Order, Progress


STARTED_BY = "COURSEKIT_RELEASE"


def grade(
    submissions: Annotated[Path, typer.Argument(help="A folder or a zip of notebooks.")],
    assignment: Annotated[str, typer.Option("--assignment", "-a", help="Such as 02-backprop.")],
    folder: Annotated[Path, typer.Option("--out", "-o", help="Gradebook and feedback go here.")],
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes at a time.")] = 1,
    engine: Annotated[str, typer.Option(help="local, or dask.")] = "local",
    scheduler: Annotated[str, typer.Option(help="Dask's, as tcp://HOST:PORT.")] = "",
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that one call may take.")] = 10,
    total: Annotated[float, typer.Option(min=1, help="Seconds that a submission may take.")] = 300,
    questions: Annotated[
        Path | None, typer.Option(help="Your own questions, over the public ones.")
    ] = None,
    public: Annotated[
        Path | None, typer.Option(help="Public questions, else the checkout's.")
    ] = None,
    release: Annotated[Path | None, typer.Option(help="Grade with a frozen release.")] = None,
    sandbox: Tier = None,
    unsafe: Unsafe = False,
    in_container: Annotated[
        bool, typer.Option("--in-container", help="This machine is a throw-away container.")
    ] = False,
    cold: Annotated[bool, typer.Option("--cold", help="A new Python for every session.")] = False,
    due: Annotated[str, typer.Option(help="Such as '2026-05-01 18:00+02:00'.")] = "",
    late_days: Annotated[int, typer.Option(min=0, help="Days late that cost nothing.")] = 0,
    late_penalty: Annotated[
        float, typer.Option(min=0, max=100, help="Percent that each later day costs.")
    ] = 100,
    attempts: Annotated[str, typer.Option(help="last, best or last-on-time.")] = "last",
    roster: Annotated[
        Path | None, typer.Option(help="CSV of the class, as the LMS has it.")
    ] = None,
    student: Annotated[str, typer.Option(help="Everything here is this student's.")] = "",
    mtime: Annotated[bool, typer.Option("--mtime", help="A file's own time counts.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Grade what is graded once more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Grade a folder of notebooks: gradebook, feedback pages, class report.

    Started again, it goes on where it ended. Exit code 0: all graded; 1: something needs a person;
    2: it could not be done.
    """
    from coursekit.grading.grader import batch
    from coursekit.grading.grader.outputs import write_outputs

    if in_container:
        os.environ["COURSEKIT_IN_CONTAINER"] = "1"
    given = locals()
    with sentences():
        if release is not None:
            _as_frozen(release, assignment, folder)
        order = _order(given)
        progress = _shown(lambda tell: batch.grade(order, _engine(engine, jobs, scheduler), tell))
        write_outputs(folder)
        _finish(folder, progress, as_json)


def _order(given: dict[str, Any]) -> Order:
    """The order behind the options."""
    from coursekit.grading.grader import policy
    from coursekit.grading.grader.batch import Order
    from coursekit.grading.grader.roster import read_roster

    if given["attempts"] not in policy.CHOICES:
        known = ", ".join(policy.CHOICES)
        raise ValueError(f"--attempts is {given['attempts']!r}; one of {known} is wanted.")
    rule = policy.Policy(
        given["attempts"],
        policy.parse_due(given["due"]) if given["due"] else None,
        given["late_days"],
        given["late_penalty"] / 100,
    )
    return Order(
        submissions=given["submissions"],
        out=given["folder"],
        bank=_bank(given),
        tier=chosen(given["sandbox"], given["unsafe"]),
        policy=rule,
        roster=read_roster(given["roster"]) if given["roster"] else {},
        call_s=given["timeout"],
        submission_s=given["total"],
        warm=not given["cold"],
        again=given["again"],
        mtime=given["mtime"],
        student=given["student"],
    )


def _as_frozen(path: Path, assignment: str, folder: Path) -> None:
    """Go on with the library of the release: start this command again with it, if it is another."""
    from coursekit.grading.grader import release as releases

    found = releases.verified(path)
    if found.manifest["assignment"] != assignment:
        raise ValueError(
            f"{path} is a release of {found.manifest['assignment']}, not {assignment}."
        )
    for name, (then, now) in releases.drifted(found).items():
        err.print(
            f"{name} was {then} when this was frozen and is {now}; last digits may differ. "
            "Install the release's constraints.txt to grade as then.",
            highlight=False,
        )
    if not releases.is_running(found):
        if os.environ.get(STARTED_BY) == found.digest:
            raise ValueError(f"The library in {path} cannot be started; it was changed on the way.")
        site = releases.unpacked(found, folder)
        mine = {"PYTHONPATH": str(site.resolve()), STARTED_BY: found.digest}
        arguments = [sys.executable, "-m", "coursekit", *sys.argv[1:]]
        os.execve(sys.executable, arguments, {**os.environ, **mine})


def _bank(given: dict[str, Any]) -> Bank:
    from coursekit.grading.grader.bank import collect
    from coursekit.grading.grader.release import verified

    if given["release"] is None:
        return collect(given["assignment"], given["public"], given["questions"])
    if given["questions"] or given["public"]:
        raise ValueError("A release has its own questions; leave --questions and --public out.")
    return verified(given["release"]).bank


def _engine(name: str, jobs: int, scheduler: str) -> Engine:
    if name == "local":
        from coursekit.grading.grader.processes import grade_locally

        return lambda todo, setup: grade_locally(todo, setup, jobs)
    if name == "dask":
        from coursekit.grading.grader.dask_engine import grade_on_dask

        if not scheduler:
            raise ValueError(
                "--engine dask needs the cluster's address: --scheduler tcp://HOST:PORT."
            )
        return lambda todo, setup: grade_on_dask(todo, setup, scheduler)
    raise ValueError(f"--engine is {name!r}; local or dask is wanted.")


def _shown(work: Any) -> Progress:
    """Do the work behind a progress bar (on standard error, and only in a terminal)."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(TextColumn("grading"), *columns, console=err) as bar:
        task = bar.add_task("grading", total=None)
        return work(lambda p: bar.update(task, total=p.total, completed=p.done))


def _finish(folder: Path, progress: Progress, as_json: bool) -> None:
    """Say how it ended; exit code 1 where a person must look."""
    from coursekit.grading.grader.gradebook import open_gradebook
    from coursekit.grading.grader.standing import standings

    with open_gradebook(folder) as book:
        found = standings(book)
    unsure = {s.student: s.unsure for s in found if s.unsure}
    summary = {
        "graded now": progress.done,
        "students": len(found),
        "to read": sum(bool(s.waiting) for s in found),
        "needs a person": unsure,
        "out": str(folder),
    }
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        _summarise(summary)
    raise typer.Exit(NEEDS_A_PERSON if unsure else ALL_DONE)


def _summarise(summary: dict[str, Any]) -> None:
    say(
        f"{summary['graded now']} graded now; {summary['students']} students; free answers of "
        f"{summary['to read']} to read."
    )
    for student, reasons in summary["needs a person"].items():
        for reason in reasons:
            say(f"  {student}: {reason}")
    say(f"Everything is in {summary['out']}.")


def register(app: typer.Typer) -> None:
    """Add the teacher's commands to the command line."""
    app.command()(grade)
    book_commands.register(app)
    course_commands.register(app)
