"""The teacher's commands: ``coursekit grade`` and what follows it.

Nothing heavy is imported before a command runs, so that ``coursekit --help`` stays fast.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from coursekit.grading.grader.batch import Engine, Order, Progress

out, err = Console(), Console(stderr=True)
ALL_DONE, NEEDS_A_PERSON, NOT_POSSIBLE = 0, 1, 2
Out = Annotated[Path, typer.Argument(help="The folder that `coursekit grade --out` made.")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]


def stop(message: str, code: int = NOT_POSSIBLE) -> NoReturn:
    """Say what went wrong on standard error and leave."""
    err.print(message, style="bold red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def sentences() -> Iterator[None]:
    """Turn the errors that a teacher can mend into one sentence and exit code 2."""
    try:
        yield
    except typer.Exit:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        stop(str(error))


def say(text: str) -> None:
    """Print a line as it is."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


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
    sandbox: Annotated[
        str | None, typer.Option(help="bubblewrap, container, user or unsafe; else the best.")
    ] = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Run submissions unprotected, with your rights.")
    ] = False,
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
    mtime: Annotated[bool, typer.Option("--mtime", help="A file's own time counts.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Grade what is graded once more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Grade a folder of notebooks: gradebook, feedback pages, class report.

    Started again, it goes on where it ended. Exit code 0: all graded; 1: something needs a person;
    2: it could not be done.
    """
    from coursekit.grading.grader import batch

    if in_container:
        os.environ["COURSEKIT_IN_CONTAINER"] = "1"
    with sentences():
        order = _order(locals())
        if order.tier == "unsafe":
            err.print(UNSAFE, style="yellow", highlight=False, soft_wrap=True)
        progress = _shown(lambda tell: batch.grade(order, _engine(engine, jobs, scheduler), tell))
        _finish(folder, progress, as_json)


UNSAFE = (
    "--unsafe: every submission runs on this machine with your rights. It can read and change your "
    "files, this gradebook's secret among them, and use your network. Grade only work that you "
    "would run yourself."
)


def _order(given: dict[str, Any]) -> Order:
    """The order behind the options."""
    from coursekit.grading.grader import policy
    from coursekit.grading.grader.bank import collect
    from coursekit.grading.grader.batch import Order
    from coursekit.grading.sandbox import choose

    if given["attempts"] not in policy.CHOICES:
        known = ", ".join(policy.CHOICES)
        raise ValueError(f"--attempts is {given['attempts']!r}; one of {known} is wanted.")
    unsafe = given["unsafe"] or given["sandbox"] == "unsafe"
    rule = policy.Policy(
        given["attempts"],
        policy.parse_due(given["due"]) if given["due"] else None,
        given["late_days"],
        given["late_penalty"] / 100,
    )
    return Order(
        submissions=given["submissions"],
        out=given["folder"],
        bank=collect(given["assignment"], given["public"], given["questions"]),
        tier=choose(given["sandbox"], unsafe=unsafe),
        policy=rule,
        call_s=given["timeout"],
        submission_s=given["total"],
        warm=not given["cold"],
        again=given["again"],
        mtime=given["mtime"],
    )


def _engine(name: str, jobs: int, scheduler: str) -> Engine:
    from coursekit.grading.grader.processes import grade_locally

    if name == "local":
        return lambda todo, setup: grade_locally(todo, setup, jobs)
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
