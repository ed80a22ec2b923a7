"""The verdict: computed here, outside the sandbox, on inputs that the submission has never seen.

Every answer meets two kinds of inputs. First the public ones of the practice check: where it fails
there, the student may be shown everything, as in the notebook. Then fresh inputs from the secret
seed: where it fails there, the student learns what kind of difference there was and which known
mistake it looks like, and no value. All public calls come before the first fresh one, so that
nothing which is shown was produced by code that had seen a hidden input.
"""

from dataclasses import dataclass, replace
from typing import Any

from coursekit.grading import wire
from coursekit.grading.diagnose import (
    MISSING,
    PASSED,
    WRITTEN,
    Diagnosis,
    absent,
    written,
)
from coursekit.grading.diagnose import judge as explain
from coursekit.grading.grader.compared import RIGHT, compared, hint_of, stopped
from coursekit.grading.grader.desk import Desk
from coursekit.grading.grader.notebooks import one_text
from coursekit.grading.grader.verdict import NOT_RUN, PARTLY, STOPPED, WRONG, Verdict
from coursekit.grading.public import PublicQuestion, draw, earned_by
from coursekit.grading.question import Case, Question
from coursekit.grading.run import Outcome, make_driver
from coursekit.grading.sandbox import SandboxDied

LONGEST_TEXT = 20_000


@dataclass(frozen=True)
class Asked:
    """A question with what is public of it, the seeds of its fresh inputs, and its time."""

    q: Question
    public: PublicQuestion
    seeds: list[int]
    seconds: float  # one call's


def judge(desk: Desk, asked: list[Asked]) -> list[Verdict]:
    """Judge every question of one submission."""
    found = {a.q.id: Verdict(a.q.id, a.q.points) for a in asked}
    try:
        defined = desk.defined([a.q.asks for a in asked])
    except SandboxDied as death:
        for verdict in found.values():
            verdict.says = f"The notebook could not be run to its end: {death.reason}."
        return list(found.values())
    for a in asked:
        if a.q.kind == "manual":
            _read(desk, a, found[a.q.id])
    code = [a for a in asked if a.q.kind == "code"]
    right = {a.q.id: _on_public_inputs(desk, a, defined, found[a.q.id]) for a in code}
    for a in code:
        if earned_by(a.q.points, a.q.parts, right[a.q.id]):
            _on_fresh_inputs(desk, a, right[a.q.id], found[a.q.id])
    return list(found.values())


def _read(desk: Desk, a: Asked, verdict: Verdict) -> None:
    """Keep the text of a free answer for the teacher."""
    try:
        text = desk.text(a.q.asks)
    except SandboxDied as death:
        verdict.status, verdict.says = STOPPED, stopped(death, a.seconds)
        return
    verdict.text = one_text(text or "")[:LONGEST_TEXT]
    diagnosis = absent(a.public, []) if text is None else written(a.public, verdict.text)
    verdict.status, verdict.says = diagnosis.status, diagnosis.says
    if diagnosis.status == WRITTEN:
        verdict.says = f"{len(verdict.text.split())} words, which your teacher reads."


def _on_public_inputs(
    desk: Desk, a: Asked, defined: dict[str, str], verdict: Verdict
) -> list[tuple[str, bool]]:
    """Explain as the notebook's check would; return each case's part and whether it is right."""
    if defined.get(a.q.asks, "missing") == "missing":
        functions = [name for name, kind in defined.items() if kind in ("function", "class")]
        _show(verdict, absent(a.public, functions))
        verdict.status = MISSING
        return []
    try:
        tried = _tried(desk, a, [c.inputs for c in a.public.cases])
        diagnosis = _explained(desk, a, tried)
    except SandboxDied as death:
        verdict.status, verdict.says = STOPPED, stopped(death, a.seconds)
        verdict.evidence.append({"inputs": "public", "stopped": death.reason})
        return []
    _show(verdict, diagnosis)
    rows = [
        [c.name, *compared(a.q.compare, found, Outcome(c.wanted))]
        for c, found in zip(a.public.cases, tried, strict=False)
    ]
    verdict.evidence.append({"inputs": "public", "cases": rows})
    good = [row[1] == RIGHT for row in rows] + [False] * (len(a.public.cases) - len(rows))
    return [(c.part, right) for c, right in zip(a.public.cases, good, strict=True)]


def _explained(desk: Desk, a: Asked, tried: list[Outcome]) -> Diagnosis:
    """The practice diagnosis of what came out of the sandbox."""
    public = replace(a.public, seconds=a.seconds)
    return explain(public, tried, lambda case: _call(desk, a, case.inputs))


def _show(verdict: Verdict, diagnosis: Diagnosis) -> None:
    verdict.status = WRONG if diagnosis.status == "not yet" else diagnosis.status
    for name in ("says", "case", "tried", "came", "wanted", "hint"):
        setattr(verdict, name, one_text(getattr(diagnosis, name)))


def _tried(desk: Desk, a: Asked, inputs: list[Any]) -> list[Outcome]:
    """What came of each call; after one that never ends no more are made."""
    found: list[Outcome] = []
    for each in inputs:
        found.append(_call(desk, a, each))
        if found[-1].error == "TimeLimit":
            break
    return found


def _call(desk: Desk, a: Asked, inputs: Any) -> Outcome:
    return desk.call(a.q.asks, inputs, a.public.driver, a.seconds)


def _on_fresh_inputs(desk: Desk, a: Asked, right: list[tuple[str, bool]], verdict: Verdict) -> None:
    """Draw inputs from every seed; a part earns its points where no case of it was ever wrong."""
    for repetition, seed in enumerate(a.seeds):
        record: dict[str, Any] = {"inputs": "fresh", "repetition": repetition, "seed": seed}
        verdict.evidence.append(record)
        try:
            right = right + _one_drawing(desk, a, record, verdict)
        except SandboxDied as death:
            record["stopped"] = death.reason
            verdict.status, verdict.says = STOPPED, stopped(death, a.seconds)
            return
        if not earned_by(a.q.points, a.q.parts, right):
            return
    _earn(a, right, verdict)


def _one_drawing(
    desk: Desk, a: Asked, record: dict[str, Any], verdict: Verdict
) -> list[tuple[str, bool]]:
    """Try the cases of one seed; return each one's part and whether it is right."""
    cases = draw(a.q, record["seed"])
    inputs = [wire.encode(c.inputs) for c in cases]
    wanted = wanted_of(a, inputs)
    if failing := [w.error for w in wanted if w.error]:
        record["reference"] = failing[0]  # not the student's fault: this drawing is left out
        return []
    found = _tried(desk, a, inputs)
    rows = [
        [c.name, *compared(a.q.compare, f, w)]
        for c, f, w in zip(cases, found, wanted, strict=False)
    ]
    record["cases"] = rows
    if wrong := [row for row in rows if row[1] != RIGHT]:
        _fails(a, wrong[0], cases, found, verdict)
    good = [row[1] == RIGHT for row in rows] + [False] * (len(cases) - len(rows))
    return [(c.part, each) for c, each in zip(cases, good, strict=True)]


def wanted_of(a: Asked, inputs: list[Any]) -> list[Outcome]:
    """What the reference gives on each of the inputs, or the error by which it failed."""
    driver, found = make_driver(a.public.driver), []
    for each in inputs:
        try:
            found.append(Outcome(driver(a.q.reference, *wire.decode(each))))
        except Exception as error:
            found.append(Outcome(error=type(error).__name__))
    return found


def _fails(
    a: Asked, wrong: list[str], cases: list[Case], found: list[Outcome], verdict: Verdict
) -> None:
    if verdict.status != PASSED:
        return  # the public inputs, or an earlier drawing, have said what is wrong
    verdict.status, verdict.case = WRONG, wrong[0]
    verdict.says = (
        f"Right on the public inputs, but not on fresh ones of the kind {wrong[0]!r}: {wrong[2]}."
    )
    verdict.hint = hint_of(a.q, cases, found)


def _earn(a: Asked, right: list[tuple[str, bool]], verdict: Verdict) -> None:
    drawn = sum(len(e.get("cases", [])) for e in verdict.evidence if e["inputs"] == "fresh")
    if not drawn:
        verdict.status = NOT_RUN
        verdict.says = "The question's own reference failed; your teacher has been told."
        return
    verdict.points = float(earned_by(a.q.points, a.q.parts, right))
    if verdict.points < a.q.points:
        verdict.status = PARTLY
    else:
        verdict.says = f"Right on the public inputs and on {drawn} fresh ones."
