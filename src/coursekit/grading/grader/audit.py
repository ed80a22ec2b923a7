"""Disputes: what ran and why each point was given, and the same again from the stored seeds."""

import json
from pathlib import Path
from typing import Any

from coursekit.grading.grader import seeds
from coursekit.grading.grader.bank import opened
from coursekit.grading.grader.gradebook import Gradebook, GradebookError
from coursekit.grading.grader.pages import number
from coursekit.grading.grader.processes import grade_locally
from coursekit.grading.grader.standing import Standing, standings
from coursekit.grading.grader.verdict import Result
from coursekit.grading.grader.versions import versions
from coursekit.grading.grader.work import Job, Setup

COMPARED = ("points", "status", "case", "hint")


def one(book: Gradebook, student: str) -> Standing:
    """The standing of ``student``; ``GradebookError`` where there is none."""
    found = {s.student: s for s in standings(book)}
    if student not in found:
        raise GradebookError(f"No student {student!r} is in this gradebook.")
    return found[student]


def audit(book: Gradebook, student: str) -> dict[str, Any]:
    """All that was recorded on the attempt of ``student`` that counts."""
    s = one(book, student)
    found: dict[str, Any] = {"student": s.student, "name": s.name, "attempts": s.attempts}
    found |= {"counts": s.attempt, "total": s.total, "possible": s.possible, "factor": s.factor}
    if not s.result or not s.attempt:
        return found | {"result": None, "questions": []}
    evidence = book.rows(
        "SELECT question, number, record FROM evidence WHERE code = ? ORDER BY question, number",
        s.attempt["code"],
    )
    found["result"] = {k: v for k, v in s.result.items() if k != "code"}
    found["run"] = book.rows("SELECT * FROM runs WHERE id = ?", s.result["run"])[0]
    found["questions"] = [_question(line, evidence) for line in s.lines]
    return found


def _question(line: Any, evidence: list[dict[str, Any]]) -> dict[str, Any]:

    records = [json.loads(e["record"]) for e in evidence if e["question"] == line.question["id"]]
    return {
        "id": line.question["id"],
        "points": line.points,
        "possible": line.question["points"],
        "private": bool(line.question["private"]),
        "score": {k: v for k, v in line.score.items() if k not in ("code", "question")},
        "manual": line.manual,
        "evidence": records,
    }


def text(found: dict[str, Any]) -> str:
    """An audit as lines to read."""
    lines = [f"{found['student']} {found['name']}".strip()]
    lines.append(f"total {number(found['total'])} of {number(found['possible'])}")
    if found["factor"] < 1:
        lines.append(f"lateness leaves {100 * found['factor']:.0f} %")
    for a in found["attempts"]:
        counts = " (counts)" if found["counts"] and a["file"] == found["counts"]["file"] else ""
        lines.append(f"attempt {a['attempt']}: {a['file']}{counts} {a['problem']}".rstrip())
    result = found["result"]
    if not result:
        return "\n".join([*lines, "no result"])
    lines.append(f"graded {result['graded']} in sandbox {result['sandbox']}, {result['seconds']} s")
    lines.append("versions: " + ", ".join(f"{k} {v}" for k, v in result["versions"].items()))
    lines.append(f"questions: {result['bank']}")
    lines += [f"event: {event}" for event in result["events"]]
    lines += [f"code cell {n} stopped: {what}" for n, what in result["cell_errors"]]
    for q in found["questions"]:
        lines += _question_lines(q)
    return "\n".join(lines)


def _question_lines(q: dict[str, Any]) -> list[str]:
    points = "to be read" if q["points"] is None else number(q["points"])
    own = ", private" if q["private"] else ""
    score = q["score"]
    status = score.get("status", "not graded")
    lines = [f"\n{q['id']}: {points} of {number(q['possible'])} ({status}{own})"]
    lines += [f"  {score[key]}" for key in ("says", "hint") if score.get(key)]
    if q["manual"]:
        m = q["manual"]
        given = "no points" if m["points"] is None else f"{number(m['points'])} points"
        lines.append(f"  by hand, {m['at']} {m['grader']}: {given}. {m['comment']}".rstrip())
    for e in q["evidence"]:
        seed = f", seed {e['seed']}" if "seed" in e else ""
        lines.append(f"  {e['inputs']} inputs{seed}")
        lines += [f"    {name}: {said} {why}".rstrip() for name, said, why in e.get("cases", [])]
        lines += [f"    stopped: {e['stopped']}"] if "stopped" in e else []
        lines += [f"    the reference failed: {e['reference']}"] if "reference" in e else []
    return lines


def regrade(
    book: Gradebook, out: Path, tier: str, workers: int = 1, student: str = ""
) -> dict[str, Any]:
    """Replay what was graded, with the stored code, questions and seeds, and compare.

    Nothing is written. Each entry of ``differs`` says what was and what came now; ``versions`` says
    what of the environment has changed since.
    """
    chosen = [one(book, student)] if student else standings(book)
    codes = {s.attempt["code"] for s in chosen if s.attempt and s.result and not s.result["failed"]}
    before = {c: _recorded(book, c) for c in sorted(codes)}
    differs: dict[str, list[str]] = {}
    changed: dict[str, list[str]] = {}
    for bank in sorted({r["bank"] for r in before.values()}):
        jobs = [_job(book, code, out) for code, r in before.items() if r["bank"] == bank]
        for result in grade_locally(jobs, _setup(book, bank, tier), workers):
            if found := _differences(before[result.code]["scores"], result):
                differs[result.code] = found
            changed |= _changed(before[result.code]["versions"], result.versions)
    return {"replayed": len(before), "differs": differs, "versions": changed}


def _recorded(book: Gradebook, code: str) -> dict[str, Any]:

    row = book.rows("SELECT bank, versions FROM results WHERE code = ?", code)[0]
    scores = book.rows("SELECT * FROM scores WHERE code = ?", code)
    found = {s["question"]: s for s in scores}
    return {"bank": row["bank"], "versions": json.loads(row["versions"]), "scores": found}


def _job(book: Gradebook, code: str, out: Path) -> Job:
    """The job as it was: stored seeds, and from the secret those that were never reached."""
    found, _ = book.bank(book.rows("SELECT bank FROM results WHERE code = ?", code)[0]["bank"])
    rows = book.rows(
        "SELECT question, seed FROM evidence WHERE code = ? AND seed IS NOT NULL "
        "ORDER BY question, number",
        code,
    )
    stored: dict[str, list[int]] = {}
    for row in rows:
        stored.setdefault(row["question"], []).append(row["seed"])
    drawn = stored
    if (out / "secret.key").is_file():
        secret = seeds.secret_of(out)
        with opened(found) as questions:
            drawn = seeds.drawn(secret, found.assignment, code, questions)
        for question, new in drawn.items():
            new[: len(stored.get(question, []))] = stored.get(question, [])
    return Job(code, book.cells(code), drawn)


def _setup(book: Gradebook, bank: str, tier: str) -> Setup:

    found, practice = book.bank(bank)
    run = book.rows("SELECT options FROM runs ORDER BY id DESC LIMIT 1")[0]
    options = json.loads(run["options"])
    return Setup(
        found.assignment,
        found.files,
        practice,
        tier,
        options["call_s"],
        options["submission_s"],
        options["warm"],
        tuple(options["preload"]),
        options["limits"],
    )


def _differences(before: dict[str, dict[str, Any]], result: Result) -> list[str]:
    return [
        f"{v.question}: {key} was {before[v.question][key]!r}, now {getattr(v, key)!r}"
        for v in result.verdicts
        for key in COMPARED
        if before.get(v.question, {}).get(key) != getattr(v, key)
    ]


def _changed(before: dict[str, str], now: dict[str, str]) -> dict[str, list[str]]:
    names = {*before, *now, *versions()}
    return {
        name: [before.get(name, ""), now.get(name, "")]
        for name in sorted(names)
        if before.get(name) != now.get(name)
    }
