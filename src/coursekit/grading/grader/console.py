"""What the teacher's commands share: how they speak and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

ALL_DONE, NEEDS_A_PERSON, NOT_POSSIBLE = 0, 1, 2
out, err = Console(), Console(stderr=True)
Out = Annotated[Path, typer.Argument(metavar="OUT", help="What `coursekit grade --out` made.")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
Tier = Annotated[
    str | None, typer.Option(help="bubblewrap, container, user or unsafe; else the best here.")
]
Unsafe = Annotated[
    bool, typer.Option("--unsafe", help="Run submissions unprotected, with your rights.")
]
WARNING = (
    "--unsafe: every submission runs on this machine with your rights. It can read and change your "
    "files, this gradebook and its secret among them, and use your network. Grade only work that "
    "you would run yourself."
)


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
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        stop(str(error))


def say(text: str) -> None:
    """Print a line as it is."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def chosen(sandbox: str | None, unsafe: bool) -> str:
    """The tier to grade in; says what it means where it protects nothing."""
    from coursekit.grading.sandbox import choose

    tier = choose(sandbox, unsafe=unsafe or sandbox == "unsafe")
    if tier == "unsafe":
        err.print(WARNING, style="yellow", highlight=False, soft_wrap=True)
    return tier
