"""How a question is written: one decorator over one class.

A chapter's ``solutions/NN-name/questions.py`` reads like this::

    @question(id="squared-error", title="The squared error", asks="squared_error",
              points=1, section="sec-basics-ingredients")
    class SquaredError:
        def reference(predictions, y):
            return np.mean((predictions - y) ** 2)

        def cases(rng):
            yield case("five values", rng.normal(size=5), rng.normal(size=5))
            yield case("one value", rng.normal(size=1), rng.normal(size=1), shown=False)

        mistakes = {"You summed; the mean divides by the number of examples.": summed, …}
        variants = [with_a_loop, with_a_dot_product]
        explain = "…"

``reference`` is the right answer, ``cases(rng)`` yields its inputs (``shown=False`` keeps one for
graders), ``mistakes`` are wrong answers with the hint that each earns, ``variants`` right answers
written differently. Where the answer is a class or draws a picture, ``driver(answer, *inputs)``
uses it and returns plain values; it is sent as text, so it must import what it needs. A question
with ``kind="manual"`` has a ``rubric`` instead.

Optional, with their defaults: ``compare = Close()``; ``seconds = 0.8`` for all cases of one check
together; for the grader ``memory_mb = 1024`` and ``repetitions = 3``, how often it draws new
inputs. ``parts = {"values": 2, "gradient": 1}`` gives partial credit: every case names its part,
``case("large", x, part="gradient")``, and a part earns its points when all of its cases are right.
Without parts it is all the points or none. ``needs = "triton"`` names a package that exists on
some systems only: elsewhere the question's check data stay as they are, and its tests are left out.

A chapter of many questions has a folder ``questions/`` in place of the file, one file a theme; the
files are read in the order of their names, ``1_formulas.py``, ``2_checking.py``, and so on.
"""

import importlib.util
import keyword
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coursekit.grading.compare import Close

KINDS = ("code", "manual")
FEWEST_MISTAKES = 4
FEWEST_VARIANTS = 2


class QuestionError(ValueError):
    """A question is not written as it must be; the message says what to change."""


@dataclass(frozen=True)
class Case:
    """One set of inputs. ``shown`` cases are in the practice check, the others only graded."""

    name: str
    inputs: tuple
    shown: bool = True
    part: str = ""


def case(name: str, *inputs: Any, shown: bool = True, part: str = "") -> Case:
    """Make a case: a name that says what is special about it, and the answer's arguments.

    ``part`` names the part of the question that the case belongs to, where it has ``parts``.
    """
    return Case(name, inputs, shown, part)


@dataclass(frozen=True)
class Question:
    """A validated question, as ``@question`` makes it."""

    id: str
    title: str
    asks: str
    points: int
    section: str
    kind: str = "code"
    reference: Callable | None = None
    cases: Callable[[Any], Iterator[Case]] | None = None
    compare: Close = field(default_factory=Close)
    mistakes: dict[str, Callable] = field(default_factory=dict)
    variants: list[Callable] = field(default_factory=list)
    driver: Callable | None = None
    explain: str = ""
    rubric: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.8
    memory_mb: int = 1024
    repetitions: int = 3
    parts: dict[str, int] = field(default_factory=dict)
    needs: str = ""


def question(
    *, id: str, title: str, asks: str, points: int, section: str, kind: str = "code"
) -> Callable[[type], Question]:
    """Turn a class into a :class:`Question`, or raise :class:`QuestionError` saying what to fix."""

    def build(cls: type) -> Question:
        fixed = {name: value for name, value in vars(cls).items() if not name.startswith("_")}
        known = set(Question.__dataclass_fields__) - {"id", "title", "asks", "points", "section"}
        extra = set(fixed) - known - _helpers(fixed)
        named = (
            f"defines {sorted(extra)}: neither part of a question nor a listed mistake or variant"
        )
        _require(not extra, id, named)
        made = Question(
            id=id,
            title=title,
            asks=asks,
            points=points,
            section=section,
            kind=kind,
            **{name: value for name, value in fixed.items() if name in known},
        )
        validate(made)
        return made

    return build


def _helpers(fixed: dict[str, Any]) -> set[str]:
    """Names of functions and classes that ``mistakes`` and ``variants`` list by value."""
    listed = [*dict(fixed.get("mistakes", {})).values(), *fixed.get("variants", [])]
    return {name for name, value in fixed.items() if any(value is item for item in listed)}


def validate(q: Question) -> None:
    """Raise :class:`QuestionError` unless ``q`` is complete."""
    slug = bool(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", q.id)) and len(q.id) <= 48
    _require(slug, q.id, "needs an id of lower-case words joined by hyphens, like 'log-softmax'")
    name = q.asks.isidentifier() and not keyword.iskeyword(q.asks)
    _require(name, q.id, f"asks for {q.asks!r}, which is not a Python name")
    _require(bool(q.title.strip()), q.id, "needs a title")
    whole = type(q.points) is int and q.points > 0
    _require(whole, q.id, f"gives {q.points!r} points; a whole number above 0 is wanted")
    target = q.section.startswith("sec-")
    _require(target, q.id, f"names section {q.section!r}; a target 'sec-…' of the page is wanted")
    _require(q.kind in KINDS, q.id, f"is of kind {q.kind!r}; {' or '.join(KINDS)} is wanted")
    (_validate_code if q.kind == "code" else _validate_manual)(q)


def _validate_code(q: Question) -> None:
    _require(callable(q.reference), q.id, "needs a `reference`: the right answer")
    _require(callable(q.cases), q.id, "needs `cases(rng)`, which yields case(name, *inputs)")
    _require(
        len(q.mistakes) >= FEWEST_MISTAKES and all(map(callable, q.mistakes.values())),
        q.id,
        f"has {len(q.mistakes)} mistakes; at least {FEWEST_MISTAKES} are wanted, as "
        '{"The hint.": wrong_function}',
    )
    _require(
        len(q.variants) >= FEWEST_VARIANTS and all(map(callable, q.variants)),
        q.id,
        f"has {len(q.variants)} variants; at least {FEWEST_VARIANTS} right answers written "
        "differently are wanted, so that the check does not insist on one way",
    )
    for name, low in (("seconds", 0.0), ("memory_mb", 1), ("repetitions", 1)):
        value = getattr(q, name)
        good = type(value) in (int, float) and value >= low and value > 0
        _require(good, q.id, f"has {name} = {value!r}; a number above 0 is wanted")
    total = sum(q.parts.values())
    fits = not q.parts or (total == q.points and min(q.parts.values()) > 0)
    _require(fits, q.id, f"gives {q.points} points, but its parts {q.parts} add up to {total}")
    for hint in q.mistakes:
        kind = hint[:1].isupper() and hint.endswith(".") and len(hint) <= 200
        _require(kind, q.id, f"has the hint {hint!r}; one sentence of at most 200 signs is wanted")
    _require(isinstance(q.compare, Close), q.id, "needs `compare = Close(rtol=…, atol=…)`")
    _require(not q.rubric, q.id, "is graded by code, so it takes no `rubric`")


def _validate_manual(q: Question) -> None:
    _require(bool(q.rubric), q.id, "is graded by hand and needs a `rubric`: [(points, 'what')]")
    total = sum(points for points, _ in q.rubric)
    _require(total == q.points, q.id, f"gives {q.points} points, but its rubric adds up to {total}")
    _require(not q.mistakes, q.id, "is graded by hand, so it takes no `mistakes`")


def _require(holds: bool, id: str, message: str) -> None:
    if not holds:
        raise QuestionError(f"question {id!r} {message}.")


def chapter_folders(root: Path) -> list[Path]:
    """Every ``solutions/NN-name`` under ``root`` that declares questions, in order."""
    named = [
        path for name in ("questions.py", "questions") for path in root.glob(f"solutions/*/{name}")
    ]
    return sorted(path.parent for path in named)


def question_files(folder: Path) -> list[Path]:
    """The files of ``folder`` that declare questions, one or all of ``questions/``."""
    one, many = Path(folder) / "questions.py", sorted(Path(folder).glob("questions/*.py"))
    if one.is_file() and many:
        raise QuestionError(f"{one} and {many[0].parent} both exist; keep the file or the folder.")
    if not one.is_file() and not many:
        raise QuestionError(f"{one} does not exist; a chapter's questions are declared there.")
    return many or [one]


def load_questions(folder: Path, overlay: Path | None = None) -> list[Question]:
    """Read a chapter's questions and return them in the order in which they stand.

    ``overlay`` is a folder of the same form with a teacher's own questions, which go over the
    chapter's as :func:`overlaid` says.
    """
    found = [q for path in question_files(folder) for q in _declared(path)]
    ids = [q.id for q in found]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise QuestionError(f"{folder} declares {', '.join(twice)} twice; ids must differ.")
    return found if overlay is None else overlaid(found, load_questions(overlay))


def overlaid(questions: list[Question], own: list[Question]) -> list[Question]:
    """Put a teacher's ``own`` questions over a chapter's.

    A question with the id of one of the chapter takes its place, others are added at the end.

    Raises
    ------
    QuestionError
        If a replacement asks for another name or is of another kind: the notebooks that students
        have would not fit it.
    """
    new = {q.id: q for q in own}
    for old in questions:
        q = new.get(old.id, old)
        same = (q.asks, q.kind) == (old.asks, old.kind)
        said = f"asks for {q.asks!r} ({q.kind}), but the chapter's, which it replaces, for "
        _require(same, q.id, f"{said}{old.asks!r} ({old.kind}). Give it an id of its own")
    known = {q.id for q in questions}
    return [new.get(q.id, q) for q in questions] + [q for q in own if q.id not in known]


def _declared(path: Path) -> list[Question]:
    name = "_".join(["questions_of", *path.with_suffix("").parts[-3:]])
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found = [value for value in vars(module).values() if isinstance(value, Question)]
    if not found:
        raise QuestionError(f"{path} declares no question; put @question(…) over a class.")
    return found
