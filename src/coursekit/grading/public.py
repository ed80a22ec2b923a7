"""The public check data of an assignment: what a student's notebook knows of its questions.

It holds inputs, the values wanted, and what each known mistake answers with the hint that it earns.
No line of a solution is in it: values only.
"""

import difflib
import hashlib
import inspect
import json
import textwrap
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from typing import Any

import numpy as np

from coursekit.grading import wire
from coursekit.grading.compare import Close
from coursekit.grading.question import Case, Question, QuestionError
from coursekit.grading.run import Outcome, attempt, make_driver
from coursekit.grading.show import value_text

FORMAT = 1


@dataclass(frozen=True)
class PublicCase:
    """One set of public inputs, in wire form, and the value wanted for it."""

    name: str
    inputs: Any
    wanted: Any
    part: str = ""


@dataclass(frozen=True)
class KnownMistake:
    """What one wrong answer gives on every public case, in their order."""

    hint: str
    outcomes: list[Outcome]


@dataclass(frozen=True)
class PublicQuestion:
    """A question as the practice check sees it."""

    id: str
    title: str
    asks: str
    points: int
    section: str
    section_title: str
    kind: str
    parameters: list[str]
    driver: str
    compare: Close
    seconds: float
    cases: list[PublicCase]
    mistakes: list[KnownMistake]
    explain: str
    rubric: list[tuple[int, str]]
    parts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Assignment:
    """An assignment's name, the page it belongs to, and its questions by id."""

    name: str
    page: str
    questions: dict[str, PublicQuestion]

    def __getitem__(self, id: str) -> PublicQuestion:
        """Return the question called ``id``, or say which exist."""
        if type(id) is str and id in self.questions:
            return self.questions[id]
        near = difflib.get_close_matches(id, self.questions, n=1) if type(id) is str else []
        guess = f" Did you mean {near[0]!r}?" if near else ""
        known = ", ".join(self.questions)
        raise ValueError(f"{self.name} has no question {value_text(id)}.{guess} It has: {known}.")


def available() -> list[str]:
    """Names of the assignments whose check data this installation carries."""
    folder = files("coursekit.grading") / "checks"
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".json"))


def load(assignment: str) -> Assignment:
    """Read the check data that came with the package; ``ValueError`` for an unknown name."""
    if type(assignment) is not str or assignment not in available():
        known = ", ".join(available()) or "none"
        raise ValueError(
            f"There is no assignment {value_text(assignment)}. Assignments here: {known}."
        )
    path = files("coursekit.grading") / "checks" / f"{assignment}.json"
    return from_json(json.loads(path.read_text(encoding="utf-8")))


def from_json(data: dict[str, Any]) -> Assignment:
    """Rebuild an assignment from parsed check data."""
    if data.get("format") != FORMAT:
        raise ValueError(
            f"The check data has format {data.get('format')!r}, and this coursekit reads {FORMAT}. "
            "Update coursekit to the version that came with the notebook."
        )
    questions = [read_question(item) for item in data["questions"]]
    return Assignment(data["assignment"], data["page"], {q.id: q for q in questions})


def read_question(item: dict[str, Any]) -> PublicQuestion:
    """Rebuild one question from what :func:`publish` returned."""
    cases = [PublicCase(**{**c, "wanted": wire.decode(c["wanted"])}) for c in item["cases"]]
    mistakes = [
        KnownMistake(m["hint"], [_outcome(o) for o in m["outcomes"]]) for m in item["mistakes"]
    ]
    rubric = [(points, text) for points, text in item["rubric"]]
    made = {"compare": Close(**item["compare"]), "cases": cases, "mistakes": mistakes}
    return PublicQuestion(**{**item, **made, "rubric": rubric})


def _outcome(node: dict[str, Any]) -> Outcome:
    value = wire.decode(node.get("value"))
    return Outcome(value, error=node.get("error", ""), changed=node.get("changed", False))


def publish(q: Question, section_title: str = "", seed: int | None = None) -> dict[str, Any]:
    """Run the reference and every mistake of ``q`` on its shown cases; return JSON data.

    The inputs come from ``seed``; without one, from a seed that belongs to the question's id.

    Raises
    ------
    QuestionError
        If the reference fails, no case is shown, a variant is not accepted, a mistake is not
        caught, or two mistakes cannot be told apart by the cases shown.
    """
    item: dict[str, Any] = {
        name: getattr(q, name) for name in ("id", "title", "asks", "points", "section", "kind")
    }
    item |= {"section_title": section_title, "parameters": [], "driver": ""}
    item |= {"compare": asdict(q.compare), "seconds": q.seconds, "cases": [], "mistakes": []}
    item |= {"explain": textwrap.dedent(q.explain).strip(), "rubric": [list(r) for r in q.rubric]}
    if q.parts:
        item["parts"] = q.parts
    if q.kind == "code":
        item["parameters"] = _parameters(q)
        item["driver"] = driver_source(q)
        item["cases"], item["mistakes"] = _tried(q, seed_of(q.id) if seed is None else seed)
    return item


def seed_of(text: str) -> int:
    """A seed that depends on ``text`` alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def draw(q: Question, seed: int) -> list[Case]:
    """All cases of ``q`` for one seed."""
    assert q.cases is not None
    return list(q.cases(np.random.default_rng(seed)))


def driver_source(q: Question) -> str:
    """The text of the question's driver, or nothing."""
    return textwrap.dedent(inspect.getsource(q.driver)) if q.driver else ""


def outcomes(q: Question, answer: Any, cases: list[Case]) -> list[Outcome]:
    """What ``answer`` gives on each case."""
    driver = make_driver(driver_source(q))
    return [attempt(answer, wire.encode(c.inputs), driver, 10.0) for c in cases]


def _parameters(q: Question) -> list[str]:
    if q.driver:
        return list(inspect.signature(q.driver).parameters)[1:]
    assert q.reference is not None
    return list(inspect.signature(q.reference).parameters)


def _tried(q: Question, seed: int) -> tuple[list[dict], list[dict]]:
    cases = [c for c in draw(q, seed) if c.shown]
    if not cases:
        raise QuestionError(f"question {q.id!r} shows no case; a practice check needs one.")
    if {c.part for c in cases} != (set(q.parts) or {""}):
        raise QuestionError(
            f"question {q.id!r}: the cases shown belong to the parts "
            f"{sorted({c.part for c in cases})}, and `parts` has {sorted(q.parts)}."
        )
    wanted = _wanted(q, cases)
    for number, variant in enumerate(q.variants, 1):
        if not all_agree(q.compare, outcomes(q, variant, cases), wanted):
            raise QuestionError(f"question {q.id!r} does not accept its variant {number}.")
    wrong = {hint: outcomes(q, answer, cases) for hint, answer in q.mistakes.items()}
    _tell_apart(q, wanted, wrong)
    rows = zip(cases, wanted, strict=True)
    return (
        [_shown(c, w) for c, w in rows],
        [{"hint": h, "outcomes": [_written(o) for o in found]} for h, found in wrong.items()],
    )


def _wanted(q: Question, cases: list[Case]) -> list[Outcome]:
    wanted = outcomes(q, q.reference, cases)
    for c, outcome in zip(cases, wanted, strict=True):
        if outcome.error or outcome.changed:
            what = outcome.error or "changing its inputs"
            message = f"{outcome.message} {outcome.line}".strip()
            raise QuestionError(
                f"question {q.id!r}: the reference fails on {c.name!r} with {what} {message}"
            )
    return wanted


def _tell_apart(q: Question, wanted: list[Outcome], wrong: dict[str, list[Outcome]]) -> None:
    earlier = {"the reference": wanted}
    for hint, found in wrong.items():
        for name, others in earlier.items():
            if all_agree(q.compare, found, others):
                raise QuestionError(
                    f"question {q.id!r}: on the cases shown, the mistake {hint!r} answers like "
                    f"{name!r}. Show a case on which they differ."
                )
        earlier[hint] = found


def earned(q: PublicQuestion, right: list[bool]) -> int:
    """Points for the public cases that are ``right``, one truth value a case."""
    parts = [c.part for c in q.cases]
    return earned_by(q.points, q.parts, list(zip(parts, right, strict=True)))


def earned_by(points: int, parts: dict[str, int], right: list[tuple[str, bool]]) -> int:
    """Points for cases, each given as its part and whether it is right.

    Without ``parts`` it is all ``points`` or none. A part earns its own when all its cases are
    right and there is one.

    >>> earned_by(3, {"values": 2, "gradient": 1}, [("values", True), ("gradient", False)])
    2
    >>> earned_by(3, {}, [("", True), ("", False)])
    0
    """
    worth = parts or {"": points}
    of = {name: [good for part, good in right if part == name] for name in worth}
    return sum(worth[name] for name, cases in of.items() if cases and all(cases))


def all_agree(compare: Close, found: list[Outcome], others: list[Outcome]) -> bool:
    """Whether two answers came to the same on every case."""
    return all(agree(compare, a, b) for a, b in zip(found, others, strict=True))


def agree(compare: Close, found: Outcome, other: Outcome) -> bool:
    """Whether two calls ended alike: same value, or same error, and inputs changed or not."""
    if (found.error, found.changed) != (other.error, other.changed):
        return False
    return bool(found.error) or not compare.difference(found.value, other.value)


def _shown(c: Case, wanted: Outcome) -> dict[str, Any]:
    node = {"name": c.name, "inputs": wire.encode(c.inputs), "wanted": wire.encode(wanted.value)}
    return node | ({"part": c.part} if c.part else {})


def _written(outcome: Outcome) -> dict[str, Any]:
    node: dict[str, Any] = (
        {"error": outcome.error} if outcome.error else {"value": wire.encode(outcome.value)}
    )
    return node | ({"changed": True} if outcome.changed else {})
