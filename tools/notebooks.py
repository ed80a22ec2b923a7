"""Pair, execute and check the notebooks: ``book/<stem>.md`` becomes ``notebooks/<stem>.ipynb``.

    python tools/notebooks.py build [STEM ...] [--force]   execute what changed
    python tools/notebooks.py check                        fail when a pair is out of step

A notebook is stale when its Markdown, a library file that it (indirectly) imports, or a pinned
version changed. What decides its outputs (its code cells, those files, those versions) has a digest
in the notebook's metadata: where only the words around the code changed, the outputs are kept and
no kernel starts. Whatever could differ between two runs of the same code (times, random ids, widget
models) is taken out, so that a rerun changes no byte.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from rich.console import Console

ROOT = Path(__file__).resolve().parents[1]
CELL_TIMEOUT_S = 120
# One thread each: sums come out in one order, and two notebooks at a time do not fight for cores.
ENVIRONMENT = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
ANSI = re.compile(r"\x1b\[[0-9;]*m")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class FailedNotebookError(ValueError):
    """A notebook did not run to its end; the message says where and why."""


def stems(root: Path = ROOT) -> list[str]:
    """Names of the notebooks: every page of book/ that carries a jupytext header."""
    pages = sorted((root / "book").glob("*.md"))
    return [p.stem for p in pages if "jupytext:" in p.read_text(encoding="utf-8")[:400]]


def source_notebook(stem: str, root: Path = ROOT) -> nbformat.NotebookNode:
    """The Markdown page as a notebook without outputs, with ids that depend on place alone."""
    nb = jupytext.read(root / "book" / f"{stem}.md", fmt="md:myst")
    nb.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    nb.nbformat, nb.nbformat_minor = 4, 5
    for place, cell in enumerate(nb.cells):
        cell["id"] = hashlib.sha256(f"{stem}/{place}".encode()).hexdigest()[:8]
    return nb


# --- what a notebook depends on -------------------------------------------------------------------


def imported_names(tree: ast.AST) -> Iterator[str]:
    """Dotted names of every ``coursekit`` module or member that the code imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("coursekit"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("coursekit"):
            yield str(node.module)
            yield from (f"{node.module}.{a.name}" for a in node.names)


def module_file(name: str, root: Path) -> Path | None:
    """File of the module of this dotted name, or None where the name is no module."""
    base = root / "src" / Path(*name.split("."))
    return next((f for f in (base / "__init__.py", base.with_suffix(".py")) if f.is_file()), None)


def parents_and_self(name: str) -> Iterator[str]:
    """``a.b.c`` gives ``a``, ``a.b``, ``a.b.c``: importing a module imports its packages."""
    parts = name.split(".")
    yield from (".".join(parts[: i + 1]) for i in range(len(parts)))


def library_files(names: Iterable[str], root: Path = ROOT) -> list[Path]:
    """Library files reached from these imports, data files beside them included."""
    waiting = [full for name in names for full in parents_and_self(name)]
    files: set[Path] = set()
    while waiting:
        file = module_file(waiting.pop(), root)
        if file is None or file in files:
            continue
        files.add(file)
        found = imported_names(ast.parse(file.read_text(encoding="utf-8")))
        waiting += [full for name in found for full in parents_and_self(name)]
    packages = {f.parent for f in files} - {root / "src" / "coursekit"}
    data = {
        f
        for package in packages
        for f in package.rglob("*")
        if f.is_file() and f.suffix not in {".py", ".pyc"}
    }
    return sorted(files | data)


def code_of(nb: nbformat.NotebookNode) -> str:
    """The notebook's Python code, every IPython magic replaced by ``pass``."""
    cells = (cell.source for cell in nb.cells if cell.cell_type == "code")
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", "\n".join(cells), flags=re.MULTILINE)


def digest_of_inputs(nb: nbformat.NotebookNode, root: Path = ROOT) -> str:
    """Digest of all that decides the outputs: code cells, library files, pinned versions."""
    digest = hashlib.sha256()
    for cell in nb.cells:
        if cell.cell_type == "code":
            digest.update(f"{cell.source}\0{cell.metadata}\0".encode())
    files = library_files(imported_names(ast.parse(code_of(nb))), root)
    for file in [*files, root / "constraints.txt"]:
        digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def executed(stem: str, root: Path = ROOT) -> nbformat.NotebookNode | None:
    """The committed notebook, if its outputs are those of today's code, library and versions."""
    path = root / "notebooks" / f"{stem}.ipynb"
    if not path.is_file():
        return None
    try:
        done = nbformat.read(path, as_version=4)
    except nbformat.reader.NotJSONError:  # a merge left its marks in it
        return None
    source = source_notebook(stem, root)
    same = sources(done, "code") == sources(source, "code")
    recorded = done.metadata.get("coursekit", {}).get("inputs")
    return done if same and recorded == digest_of_inputs(source, root) else None


def sources(nb: nbformat.NotebookNode, *kinds: str) -> list[str]:
    """Sources of the cells of these kinds, in order."""
    return [cell.source for cell in nb.cells if cell.cell_type in kinds]


def is_current(stem: str, root: Path = ROOT) -> bool:
    """Whether the committed notebook was made from exactly the page and the library of today."""
    done, kinds = executed(stem, root), ("code", "markdown", "raw")
    return done is not None and sources(done, *kinds) == sources(
        source_notebook(stem, root), *kinds
    )


# --- executing ------------------------------------------------------------------------------------


def normalise(nb: nbformat.NotebookNode) -> None:
    """Take out of the outputs what two runs of the same code need not share."""
    nb.metadata.pop("widgets", None)
    for cell in nb.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
            if output.output_type == "error":  # the frames name paths of this machine
                output["traceback"] = [f"{output.ename}: {output.evalue}"]


def execute(nb: nbformat.NotebookNode, folder: Path, tell: Console, stem: str) -> None:
    """Run every cell in a fresh kernel started in ``folder``."""
    code_cells = sum(c.cell_type == "code" for c in nb.cells)
    with tell.status(f"{stem}: starting a kernel") as status:
        done = 0

        def step(cell: nbformat.NotebookNode, cell_index: int) -> None:
            nonlocal done
            done += 1
            status.update(f"{stem}: cell {done} of {code_cells}")

        client = NotebookClient(
            nb,
            timeout=CELL_TIMEOUT_S,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            record_timing=False,
            store_widget_state=False,
            coalesce_streams=True,  # what is printed in two parts is one output in any case
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            on_cell_execute=step,
        )
        try:
            client.execute(env={**os.environ, **ENVIRONMENT})
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise FailedNotebookError(
                f"{stem}: code cell {done} of {code_cells} failed; the notebook was left alone.\n"
                + ANSI.sub("", str(error))
            ) from error


def keep_outputs(nb: nbformat.NotebookNode, done: nbformat.NotebookNode) -> None:
    """Give the page's code cells the outputs that the same cells had, on the same kernel."""
    nb.metadata = done.metadata
    pairs = zip(
        (cell for cell in nb.cells if cell.cell_type == "code"),
        (cell for cell in done.cells if cell.cell_type == "code"),
        strict=True,
    )
    for cell, before in pairs:
        cell["outputs"], cell["execution_count"] = before.outputs, before.execution_count


def build(
    stem: str, root: Path = ROOT, tell: Console | None = None, *, force: bool = False
) -> float:
    """Pair one notebook, executed unless only its words changed; return the seconds it took."""
    tell = tell or Console(stderr=True)
    nb = source_notebook(stem, root)
    inputs = digest_of_inputs(nb, root)
    start = time.perf_counter()
    (root / "notebooks").mkdir(exist_ok=True)
    done = None if force else executed(stem, root)
    if done is not None:
        keep_outputs(nb, done)
    else:
        execute(nb, root / "notebooks", tell, stem)
    normalise(nb)
    nb.metadata["coursekit"] = {"inputs": inputs}
    target = root / "notebooks" / f"{stem}.ipynb"
    part = target.with_suffix(".part")
    part.write_text(nbformat.writes(nb, version=4) + "\n", encoding="utf-8")
    part.replace(target)
    return time.perf_counter() - start


def orphans(root: Path = ROOT) -> list[str]:
    """Notebooks whose Markdown page is gone."""
    return sorted({p.stem for p in (root / "notebooks").glob("*.ipynb")}.difference(stems(root)))


def stale(root: Path = ROOT) -> list[str]:
    """Stems whose notebook is missing or was made from other inputs."""
    return [stem for stem in stems(root) if not is_current(stem, root)]


def command_build(wanted: list[str], force: bool) -> int:
    """Execute the stale notebooks among ``wanted`` (all when empty)."""
    tell = Console(stderr=True)
    known = stems()
    if unknown := sorted(set(wanted) - set(known)):
        tell.print(f"No page {', '.join(unknown)} in book/. Notebooks: {', '.join(known)}.")
        return 2
    for stem in wanted or known:
        if not force and is_current(stem):
            tell.print(f"{stem}: unchanged")
            continue
        try:
            tell.print(f"{stem}: made in {build(stem, tell=tell, force=force):.1f} s")
        except FailedNotebookError as error:
            tell.print(str(error), markup=False, highlight=False)
            return 1
    return 0


def command_check() -> int:
    """Report every notebook that is out of step with its page."""
    problems = [f"notebooks/{s}.ipynb is stale: run `make notebooks`" for s in stale()]
    problems += [f"notebooks/{s}.ipynb has no book/{s}.md: delete it" for s in orphans()]
    print("\n".join(problems) or f"{len(stems())} notebooks in step with their pages")
    return 1 if problems else 0


def main() -> int:
    """Parse the command line and run it."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("build")
    make.add_argument("stem", nargs="*")
    make.add_argument("--force", action="store_true")
    commands.add_parser("check")
    args = parser.parse_args()
    return command_build(args.stem, args.force) if args.command == "build" else command_check()


if __name__ == "__main__":
    sys.exit(main())
