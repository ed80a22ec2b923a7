"""The command line ``coursekit``: notebooks, exercises, the environment, and grading."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from coursekit.grading.grader import commands as teaching

app = typer.Typer(
    name="coursekit",
    help="From Loss to Silicon: notebooks, exercises and tools of the course.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
exercises = typer.Typer(help="Build the exercise notebooks from solutions/ (in a checkout).")
app.add_typer(exercises, name="exercises")
checkpoints = typer.Typer(help="The small trained models that come with the course.")
app.add_typer(checkpoints, name="checkpoints")
bench = typer.Typer(help="Measure on this machine what the course claims of others.")
app.add_typer(bench, name="bench")
out, err = Console(), Console(stderr=True)


def fail(message: str, code: int = 2) -> NoReturn:
    """Say what went wrong on standard error and leave with ``code``."""
    err.print(message, style="bold red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from coursekit import __version__

        out.print(f"coursekit {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Version.")
    ] = False,
) -> None:
    """From Loss to Silicon: notebooks, exercises and tools of the course."""


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Show the environment and what of the course will run in it."""
    from coursekit import doctor as surgery

    found = surgery.report()
    if as_json:
        typer.echo(json.dumps(found, indent=1))
    else:
        print_report(found, surgery.PACKAGES)
    if absent := found["missing"]:
        fail(f"Missing: {', '.join(absent)}. Install with: pip install {' '.join(absent)}", 1)


def print_report(found: dict, needed_for: dict[str, str]) -> None:
    """Print the doctor's report as a table."""
    table = Table(title=f"coursekit {found['coursekit']} on Python {found['python']}")
    for heading in ("package", "version", "needed for"):
        table.add_column(heading)
    for name, use in needed_for.items():
        table.add_row(name, found["packages"][name] or "not installed", use)
    table.add_row(
        "GPU",
        found["gpu"] or "none",
        "timing the kernels of 05-attention; all else runs on the CPU",
    )
    table.add_row(
        "bubblewrap", "found" if found["bubblewrap"] else "not found", "grading, on Linux"
    )
    out.print(table)
    out.print(f"{found['system']}, {found['cores']} cores, {found['executable']}", highlight=False)


@app.command()
def get(
    chapter: Annotated[
        str, typer.Argument(help="Stem, number or topic, such as 01-basics; or all.")
    ],
    folder: Annotated[Path, typer.Argument(help="Where to put them.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace files that you changed.")] = False,
) -> None:
    """Copy notebooks and their exercises out of the installed package."""
    from coursekit import chapters

    try:
        stems = chapters.available() if chapter == "all" else [chapters.resolve(chapter)]
    except LookupError as error:
        fail(str(error.args[0]))
    if not stems:
        fail("This installation carries no notebooks; in a checkout run `make notebooks` first.")
    for path in copy_notebooks(stems, folder, force):
        out.print(str(path), highlight=False, soft_wrap=True)


def copy_notebooks(stems: list[str], folder: Path, force: bool) -> list[Path]:
    """Copy the notebooks of these stems; refuse, before writing any, to lose a reader's changes."""
    from coursekit.chapters import shelf

    pairs = [
        (source, folder / room / source.name)
        for room in ("notebooks", "exercises")
        for stem in stems
        if (source := shelf() / room / f"{stem}.ipynb").is_file()
    ]
    changed = [t for s, t in pairs if t.exists() and t.read_bytes() != s.read_bytes()]
    if changed and not force:
        names = ", ".join(map(str, changed))
        fail(f"Nothing was copied: {names} exists and differs. Use another folder, or --force.", 1)
    parts = [(target.with_suffix(".part"), target) for _, target in pairs]
    try:
        for (source, target), (part, _) in zip(pairs, parts, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(source.read_bytes())
        for part, target in parts:
            part.replace(target)
    finally:
        for part, _ in parts:
            part.unlink(missing_ok=True)
    return [target for _, target in pairs]


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(help="An exercise notebook.")],
    full: Annotated[
        bool, typer.Option("--full", help="Show what was tried, came back and was wanted.")
    ] = False,
) -> None:
    """Run an exercise notebook and show the table of its checks.

    This runs the notebook's code on this machine: check only notebooks that you trust.
    """
    from coursekit.grading import check_notebook

    raise typer.Exit(check_notebook(notebook, full=full))


@exercises.command("build")
def exercises_build(root: Annotated[Path, typer.Option(help="The checkout.")] = Path()) -> None:
    """Generate the student notebooks and the public check data from solutions/."""
    from coursekit.grading import build

    for path in build(root):
        out.print(str(path), highlight=False, soft_wrap=True)


@exercises.command("check")
def exercises_check(root: Annotated[Path, typer.Option(help="The checkout.")] = Path()) -> None:
    """Fail when a generated file is out of date."""
    from coursekit.grading import stale

    if old := stale(root):
        names = ", ".join(map(str, old))
        fail(f"Out of date: {names}. Run `coursekit exercises build` and commit the result.", 1)


@checkpoints.command("list")
def checkpoints_list(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show each checkpoint, its size, and the processor time that its training took."""
    from coursekit.data.checkpoints import CHECKPOINTS

    if as_json:
        typer.echo(json.dumps(CHECKPOINTS, indent=1))
        return
    table = Table("name", "kB", "seed", "seconds")
    for name, entry in CHECKPOINTS.items():
        size, seconds = round(entry["bytes"] / 1000), round(entry["cpu_seconds"])
        table.add_row(name, str(size), str(entry["seed"]), str(seconds))
    out.print(table)


@checkpoints.command("build")
def checkpoints_build(
    name: Annotated[str, typer.Argument(help="As the list shows it.")],
    folder: Annotated[Path | None, typer.Option(help="Where to; else the package.")] = None,
) -> None:
    """Train a checkpoint again; print its metrics and those on record."""
    from coursekit.data import checkpoints as shelf

    before = shelf.CHECKPOINTS.get(name, {}).get("metrics")
    try:
        entry = shelf.build(name, folder or shelf.FOLDER)
    except KeyError as error:
        fail(str(error.args[0]))
    typer.echo(json.dumps({"before": before, "now": entry["metrics"]}, indent=1))


@checkpoints.command("verify")
def checkpoints_verify() -> None:
    """Compare every checkpoint's file with its hash."""
    from coursekit.data.checkpoints import CHECKPOINTS, verify

    for name in CHECKPOINTS:
        try:
            verify(name)
        except (FileNotFoundError, ValueError) as error:
            fail(str(error), 1)
        out.print(f"{name}: as recorded", highlight=False)


@app.command()
def facts(
    table: Annotated[str | None, typer.Argument(help="A table; without it, all are named.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="Only rows with COLUMN=VALUE; may be repeated.")
    ] = None,
    columns: Annotated[str | None, typer.Option(help="Columns to show, parted by commas.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: whole rows.")] = False,
) -> None:
    """Show the figures from outside that the course uses, with their sources."""
    from coursekit.data.tables import load_table, select, table_names

    if table is None:
        tables = [load_table(name) for name in table_names()]
        listed = [{"table": t.name, "rows": len(t), "holds": t.title} for t in tables]
        print_rows(listed, ["table", "rows", "holds"], as_json)
        return
    try:
        facts = load_table(table)
        rows = [dict(row) for row in select(facts, where or [])]
        picked = columns.split(",") if columns else [*facts.show, "as_of", "verified"]
        for name in picked:
            facts.column(name)
    except (KeyError, ValueError) as error:
        fail(str(error.args[0]))
    if len(rows) == 1 and not columns and not as_json:
        rows = [{"column": k, "value": v} for k, v in rows[0].items() if v is not None]
        picked = ["column", "value"]
    print_rows(rows, picked, as_json)


def print_rows(rows: list[dict], columns: list[str], as_json: bool) -> None:
    """Print rows, whole ones as JSON or these columns as a table."""
    if as_json:
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    table = Table()
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name == columns[0])
    for row in rows:
        table.add_row(*(shown(row[name]) for name in columns))
    out.print(table)


def shown(value: object) -> str:
    """A cell: nothing for what is missing, numbers as short as they go."""
    if value is None:
        return ""
    return escape(f"{value:g}" if type(value) is float else str(value))


@app.command()
def pretrain(
    config: Annotated[Path | None, typer.Argument(help="A TOML file.")] = None,
    example: Annotated[
        str | None, typer.Option(help="Print a file to start from: quick, book or gpt2.")
    ] = None,
) -> None:
    """Train a language model as a file says; killed and started again, it goes on.

    On several processes: torchrun --nproc-per-node 2 -m coursekit pretrain CONFIG
    """
    from coursekit.optional import require

    if (config is None) == (example is None):
        fail("Give a TOML file, or --example quick to have one printed.")
    try:
        require("torch")
        if example is not None:
            from coursekit.pretraining.run import example_config

            typer.echo(example_config(example), nl=False)
            return
        from coursekit.pretraining.progress import pretrain_with_bar
        from coursekit.pretraining.run import read_plan

        pretrain_with_bar(read_plan(str(config)), out)
    except (ImportError, ValueError, RuntimeError, FloatingPointError) as error:
        fail(str(error), 1)


@app.command()
def posttrain(
    config: Annotated[Path | None, typer.Argument(help="A TOML file.")] = None,
    example: Annotated[
        str | None, typer.Option(help="Print a file to start from: sft, lora, dpo or grpo.")
    ] = None,
) -> None:
    """Make an assistant of a language model as a file says; killed and started again, it goes on.

    On several processes: torchrun --nproc-per-node 2 -m coursekit posttrain CONFIG
    """
    from coursekit.optional import require

    if (config is None) == (example is None):
        fail("Give a TOML file, or --example sft to have one printed.")
    try:
        require("torch")
        from coursekit.posttraining import run

        if example is not None:
            typer.echo(run.example_config(example), nl=False)
            return
        from coursekit.pretraining.progress import with_bar

        plan = run.read_posttraining(str(config))
        steps = plan.training.steps
        with_bar(lambda tell: run.posttrain(plan, tell), steps, plan.folder, out)
    except (ImportError, ValueError, RuntimeError, FloatingPointError) as error:
        fail(str(error), 1)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="In English, in quotation marks.")],
    steps: Annotated[int, typer.Option(min=1, help="Tools that may be used.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: every step.")] = False,
) -> None:
    """Answer a question about the course from its own pages and tables, and say where it stands.

    It searches, reads, looks figures up and calculates, by rules that chapter 11 shows; no
    language model takes part. Where it finds no answer it says so, and leaves with the code 1.
    """
    from coursekit.optional import require

    try:
        require("torch")
        from coursekit.landscape import ask as answer

        trace = answer(question, max_steps=steps)
    except (ImportError, ValueError) as error:
        fail(str(error))
    if as_json:
        typer.echo(json.dumps(trace.to_dict(), indent=1, ensure_ascii=False))
    else:
        for step in trace.steps:
            err.print(f"{step.action.tool}: {step.action.argument}", style="dim", markup=False)
        if trace.answer:
            out.print(trace.answer, markup=False, highlight=False, soft_wrap=True)
            out.print("from " + ", ".join(trace.sources), style="dim", markup=False)
        else:
            err.print(f"No answer: {trace.ended}.", markup=False)
    if not trace.answer:
        raise typer.Exit(1)


@app.command("train-generative")
def train_generative(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which models, such as gan; without it, all.")
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="Where to; else the package.")] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Fewer steps, to try it out; needs --folder.")
    ] = None,
) -> None:
    """Train the models of 08-generative again, with three seeds each, and score them.

    It takes some ten minutes of one core. The classifier that judges is the package's.
    """
    from coursekit.optional import require

    try:
        require("torch")
    except ImportError as error:
        fail(str(error))
    if steps and folder is None:
        fail("With --steps, give a --folder: the course's own weights are trained to the end.")
    from coursekit.data import checkpoints as shelf
    from coursekit.generative.build_checkpoints import BUILDERS, headline

    known = [name.removeprefix("generative-") for name in BUILDERS]
    if wrong := [name for name in names or [] if name not in known]:
        fail(f"No model {wrong[0]!r}; there are {', '.join(known)}.")
    table = Table("model", "seconds", "now", "on record")
    for name in names or known:
        full = f"generative-{name}"
        old = shelf.CHECKPOINTS.get(full, {}).get("metrics")
        out.print(f"training {name} …", highlight=False)
        entry = shelf.save_checkpoint(full, BUILDERS[full](steps=steps), folder or shelf.FOLDER)
        lines = [headline_text(headline(m)) if m else "" for m in (entry["metrics"], old)]
        table.add_row(name, f"{entry['cpu_seconds']:.0f}", *lines)
    out.print(table)


def headline_text(scores: dict[str, float | None]) -> str:
    """Scores on lines of their own, without those that a model has not."""
    return "\n".join(f"{name} {value:.4g}" for name, value in scores.items() if value is not None)


teaching.register(app)


@bench.command("attention")
def bench_attention(
    result: Annotated[Path, typer.Option("--out", help="Where to write the results, as JSON.")],
    rounds: Annotated[int, typer.Option(min=1, help="Turns that each implementation takes.")] = 30,
) -> None:
    """Check, then time, the attention kernels beside torch's, on this machine's GPU."""
    from coursekit.optional import require

    try:
        torch, _ = require("torch"), require("triton")
    except ImportError as error:
        fail(str(error))
    if not torch.cuda.is_available():
        fail("torch sees no GPU here, and the kernels are timed on one. See `coursekit doctor`.")
    from coursekit.attention.bench import run

    run(result, torch.device("cuda"), rounds=rounds, tell=lambda line: out.print(line))
    out.print(f"written: {result}", highlight=False, soft_wrap=True)


def main() -> None:
    """Entry point of the console script: what a person can mend is said in a sentence."""
    from coursekit.grading.question import QuestionError

    try:
        app()
    except (OSError, QuestionError) as error:
        err.print(str(error), style="bold red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
