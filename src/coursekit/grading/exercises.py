"""Generate what students get from what teachers write.

``solutions/NN-name/`` holds a master notebook (``notebook.md``, MyST Markdown) and the questions.
From them come ``exercises/NN-name.ipynb``, without any solution, and the public check data inside
the package. In the master notebook

- ``<!-- question: some-id -->`` becomes the question's heading, points and section,
- what stands between ``# solution begin`` and ``# solution end`` becomes ``...``,
- a cell tagged ``solution`` is left out.

A generated file depends on its sources only: same cell ids, same bytes, every time.
"""

import ast
import copy
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from coursekit.grading.compare import ROUNDED
from coursekit.grading.public import FORMAT, publish
from coursekit.grading.question import Question, QuestionError, chapter_folders, load_questions
from coursekit.grading.report import counted, link

SITE = "https://loss-to-silicon.github.io/course"
BLOCK = re.compile(
    r"^(?P<indent>[ \t]*)# solution begin\n.*?^[ \t]*# solution end$", re.DOTALL | re.MULTILINE
)
MARKER = re.compile(r"^[ \t]*# solution (begin|end)\n?", re.MULTILINE)
HEADING = re.compile(r"^<!-- question: (?P<id>[\w-]+) -->$", re.MULTILINE)
CHECKED = re.compile(r"""^check\(["']([\w-]+)["']\)$""", re.MULTILINE)
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def build(root: str | Path = ".") -> list[Path]:
    """Write every exercise notebook and its check data under ``root`` that is out of date.

    Returns
    -------
    list of Path
        The files written; empty when all were up to date.

    Raises
    ------
    QuestionError
        If a question or a master notebook is not as it must be; nothing is written then.
    """
    changed = _changed(Path(root))
    for path, text in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    return [path for path, _ in changed]


def stale(root: str | Path = ".") -> list[Path]:
    """List the generated files under ``root`` that differ from what ``build`` would write."""
    return [path for path, _ in _changed(Path(root))]


def _changed(root: Path) -> list[tuple[Path, str]]:
    folders = chapter_folders(root)
    if not folders:
        raise QuestionError(f"{root.resolve()} has no solutions/*/questions; give the checkout.")
    wanted = [pair for folder in folders for pair in _files(root, folder)]
    return [(path, text) for path, text in wanted if not _same(path, text)]


def _files(root: Path, folder: Path) -> list[tuple[Path, str]]:
    stem, questions = folder.name, load_questions(folder)
    sections = section_titles(root, stem)
    for q in questions:
        if sections and q.section not in sections:
            known = ", ".join(sections)
            raise QuestionError(
                f"question {q.id!r} trains {q.section!r}, which book/{stem}.md does not have. "
                f"It has: {known}."
            )
    data = {"format": FORMAT, "assignment": stem, "page": page(stem)}
    checks = root / "src" / "coursekit" / "grading" / "checks" / f"{stem}.json"
    data["questions"] = [_published(q, sections.get(q.section, ""), checks) for q in questions]
    master = read_master(folder)
    _validate(master, questions, folder)
    student = student_edition(master, questions, stem, sections)
    return [
        (root / "exercises" / f"{stem}.ipynb", notebook_text(student)),
        (checks, data_text(data)),
    ]


def _published(q: Question, section_title: str, checks: Path) -> dict[str, Any]:
    """The check data of a question; as they are where what it needs does not exist."""
    if not q.needs or find_spec(q.needs):
        return publish(q, section_title)
    old = json.loads(checks.read_text(encoding="utf-8"))["questions"] if checks.is_file() else []
    found = [item for item in old if item["id"] == q.id]
    if not found:
        raise QuestionError(f"question {q.id!r} needs {q.needs}, which is not installed here.")
    return found[0]


def page(stem: str) -> str:
    """Address of a published chapter."""
    return f"{SITE}/notebooks/{stem}.html"


def section_titles(root: Path, stem: str) -> dict[str, str]:
    """Targets of a chapter's sections with their headings; empty before the chapter is written."""
    path = root / "book" / f"{stem}.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return dict(re.findall(r"^\((sec-[\w-]+)\)=\n+#+ +(.+?) *$", text, re.MULTILINE))


def read_master(folder: Path) -> Any:
    """Read ``notebook.md`` as a notebook."""
    try:
        import jupytext
    except ImportError as error:
        raise QuestionError(
            'Building exercises needs jupytext: pip install -e ".[dev]" in the checkout.'
        ) from error
    path = folder / "notebook.md"
    if not path.is_file():
        raise QuestionError(f"{path} does not exist; it is the master of the exercise notebook.")
    return jupytext.read(path, fmt="md:myst")


def student_edition(
    master: Any, questions: list[Question], stem: str, sections: dict[str, str]
) -> Any:
    """The notebook that students get: starters in place of solutions."""
    kept = [c for c in master.cells if "solution" not in c.metadata.get("tags", [])]
    return _edition(kept, lambda text: BLOCK.sub(r"\g<indent>...", text), questions, stem, sections)


def solved_edition(
    master: Any, questions: list[Question], stem: str, sections: dict[str, str]
) -> Any:
    """The same notebook with its solutions, for the tests and for teachers."""
    return _edition(master.cells, lambda text: MARKER.sub("", text), questions, stem, sections)


def _edition(
    cells: list[Any],
    rewrite: Callable[[str], str],
    questions: list[Question],
    stem: str,
    sections: dict[str, str],
) -> Any:
    import nbformat

    order = {q.id: (number, q) for number, q in enumerate(questions, 1)}
    asked = {q.asks for q in questions}
    part, seen, made = "intro", Counter[str](), []
    for old in cells:
        cell = copy.deepcopy(old)
        if cell.cell_type == "markdown":
            part = _part(old.source, part)
            cell.source = HEADING.sub(
                lambda m: _heading(*order[m["id"]], stem, sections), old.source
            )
        cell.source = rewrite(cell.source)
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": list(tags)} if tags else {}
        base = f"{part}-{_role(cell, asked)}"
        seen[base] += 1
        cell.id = base if seen[base] == 1 else f"{base}-{seen[base]}"
        made.append(cell)
    return nbformat.v4.new_notebook(cells=made, metadata=METADATA, nbformat_minor=5)


def _part(text: str, before: str) -> str:
    """The part of the notebook that a text cell begins, for the ids of its cells."""
    if heading := HEADING.search(text):
        return heading["id"]
    if text.startswith("## "):
        return re.sub(r"[^a-z0-9]+", "-", text.splitlines()[0].lower()).strip("-")[:48]
    return before


def _role(cell: Any, asked: set[str]) -> str:
    if cell.cell_type == "markdown":
        return "text"
    if CHECKED.search(cell.source):
        return "check"
    return "answer" if _defined(cell.source) & asked else "code"


def _heading(number: int, q: Question, stem: str, sections: dict[str, str]) -> str:
    points = counted(q.points)
    by = ", read by a person" if q.kind == "manual" else ""
    title = sections.get(q.section, "this section of the chapter")
    where = f"[{title}]({link(page(stem), q.section)})"
    return f"## {number}. {q.title}\n\n*{points}{by}. Trains {where}.*"


def _validate(master: Any, questions: list[Question], folder: Path) -> None:
    """Every question has its heading, its check and its name in the notebook, each once."""
    path = folder / "notebook.md"
    markdown = "\n".join(c.source for c in master.cells if c.cell_type == "markdown")
    code = "\n".join(c.source for c in master.cells if c.cell_type == "code")
    ids = [q.id for q in questions]
    for what, found in (
        ("heading <!-- question: … -->", HEADING.findall(markdown)),
        ('check("…")', CHECKED.findall(code)),
    ):
        if found != ids:
            missing, extra = set(ids) - set(found), set(found) - set(ids)
            why = f"missing: {sorted(missing)}; unknown: {sorted(extra)}; or another order"
            raise QuestionError(
                f"{path} must hold one {what} for each question, in the order of the questions "
                f"({why})."
            )
    if len(MARKER.findall(code)) != 2 * len(BLOCK.findall(code)):
        raise QuestionError(f"{path}: a '# solution begin' or '# solution end' lacks its partner.")
    starter = _defined(BLOCK.sub(r"\g<indent>...", code))
    for q in questions:
        if q.asks not in starter:
            raise QuestionError(f"{path} gives no starter for {q.asks!r} (question {q.id!r}).")


def _defined(code: str) -> set[str]:
    """Names that a notebook's code defines at the top level, magics left out."""
    plain = re.sub(r"^(\s*)[%!].*$", r"\1pass", code, flags=re.MULTILINE)
    names: set[str] = set()
    for node in ast.parse(plain).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def notebook_text(notebook: Any) -> str:
    """A notebook as JSON text, the way Jupyter writes it."""
    import nbformat

    return nbformat.writes(notebook).rstrip("\n") + "\n"


def data_text(data: dict[str, Any]) -> str:
    """Check data as JSON text: one line per field, per case and per mistake."""
    blocks = [_block(q) for q in data["questions"]]
    head = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in data.items() if k != "questions"]
    return "{\n" + ",\n".join(head) + ',\n"questions": [\n' + ",\n".join(blocks) + "\n]\n}\n"


def _block(item: dict[str, Any]) -> str:
    lines = []
    for key, value in item.items():
        if key in ("cases", "mistakes") and value:
            rows = ",\n".join("    " + json.dumps(row, ensure_ascii=False) for row in value)
            lines.append(f"  {json.dumps(key)}: [\n{rows}\n  ]")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    return " {\n" + ",\n".join(lines) + "\n }"


def _same(path: Path, text: str) -> bool:
    """Whether the file says what ``text`` says, last bits of floating-point results forgiven.

    Another processor or NumPy may round the 16th digit differently, or the 7th of what was computed
    in float32, which is no reason to rebuild.
    """
    if not path.is_file():
        return False
    old = path.read_text(encoding="utf-8")
    if old == text or path.suffix != ".json":
        return old == text
    try:
        return _near(json.loads(old), json.loads(text))
    except ValueError:
        return False


def _near(a: Any, b: Any, slack: tuple[float, float] = (1e-9, 1e-12)) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        inside = ROUNDED.get(str(a.get("dtype")), slack)
        return a.keys() == b.keys() and all(_near(a[k], b[k], inside) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(_near(x, y, slack) for x, y in zip(a, b, strict=True))
    if not isinstance(a, float):
        return a == b
    if _is_single(a) and _is_single(b):
        slack = max(slack, ROUNDED["float32"])
    return math.isclose(a, b, rel_tol=slack[0], abs_tol=slack[1])


def _is_single(x: float) -> bool:
    """Whether float32 holds ``x`` exactly, as it does what was computed in it."""
    with np.errstate(over="ignore"):
        return float(np.float32(x)) == x
