"""Which tests prove an equation and which functions compute it, read without importing them."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LABEL = re.compile(r"\$\$[ \t]*\(([^)\s]+)\)[ \t]*$", re.MULTILINE)  # ends $$ … $$ (label)
FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
ROLE = re.compile(r":eq:`([^`]+)`")


@dataclass(frozen=True, order=True)
class Place:
    """A function in the sources: `path` relative to the repository, its line, its dotted name."""

    path: str
    line: int
    name: str


@dataclass(frozen=True)
class Ledger:
    """Labels in the book, and the tests and functions that name each."""

    labels: dict[str, str]  # label -> page, relative to the repository
    tests: dict[str, list[Place]]
    functions: dict[str, list[Place]]

    def problems(self) -> list[str]:
        """Say what is unproved and what names an equation that does not exist."""
        unproved = [
            f'{page}: equation {label} has no test; mark one with @pytest.mark.equation("{label}").'
            for label, page in sorted(self.labels.items())
            if label not in self.tests
        ]
        unknown = [
            f"{place.path}:{place.line}: {place.name} names {label}, an equation which no page has."
            for found in (self.tests, self.functions)
            for label, places in sorted(found.items())
            for place in places
            if label not in self.labels
        ]
        return unproved + unknown


def read_ledger(root: Path) -> Ledger:
    """Read book/, tests/ and src/ below `root`."""
    return Ledger(
        labels=labels_in_book(root),
        tests=_by_label(root, "tests", marks),
        functions=_by_label(root, "src", docstring_roles),
    )


def labels_in_book(root: Path) -> dict[str, str]:
    """Labels of the equations on the pages; ValueError when two equations share one."""
    found: dict[str, str] = {}
    for page in sorted((root / "book").glob("*.md")):
        for label in LABEL.findall(FENCE.sub("", page.read_text(encoding="utf8"))):
            if label in found:
                raise ValueError(
                    f"{page.name}: the label {label} is taken by {found[label]}; pick another."
                )
            found[label] = page.relative_to(root).as_posix()
    return found


def numbers(labels: dict[str, str]) -> dict[str, str]:
    """Number of each equation: ``1.3`` is the third of chapter 01, ``3`` that of any other page."""
    count: dict[str, int] = defaultdict(int)
    found = {}
    for label, page in labels.items():
        count[page] += 1
        chapter = Path(page).stem.partition("-")[0]
        found[label] = f"{int(chapter)}.{count[page]}" if chapter.isdigit() else str(count[page])
    return found


def marks(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    """Yield (label, line, name) for each ``@pytest.mark.equation("label")`` on a test."""
    decorators = set()
    for name, node in _definitions(tree):
        for decorator in node.decorator_list:
            if _is_mark(decorator):
                decorators.add(decorator)
                yield _literal(decorator), node.lineno, name
    for node in ast.walk(tree):
        if _is_mark(node) and node not in decorators:
            raise ValueError(
                f"line {node.lineno}: use pytest.mark.equation as a decorator of the test."
            )


def docstring_roles(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    """Yield (label, line, name) for each :eq: role in a public docstring."""
    for name, node in _definitions(tree):
        if not any(part.startswith("_") for part in name.split(".")):
            for label in dict.fromkeys(ROLE.findall(ast.get_docstring(node) or "")):
                yield label, node.lineno, name


def _definitions(
    tree: ast.AST, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + node.name, node
            yield from _definitions(node, f"{prefix}{node.name}.")


def _is_mark(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.equation"


def _literal(call: ast.Call) -> str:
    if (
        len(call.args) == 1
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    ):
        return call.args[0].value
    raise ValueError(f"line {call.lineno}: pytest.mark.equation takes one literal label, a string.")


def _by_label(root: Path, folder: str, find) -> dict[str, list[Place]]:
    found = defaultdict(list)
    for path in sorted((root / folder).rglob("*.py")):
        relative = path.relative_to(root).as_posix()
        try:
            for label, line, name in find(ast.parse(path.read_text(encoding="utf8"), relative)):
                found[label].append(Place(relative, line, name))
        except ValueError as error:
            raise ValueError(f"{relative}, {error}") from error
    return dict(found)
