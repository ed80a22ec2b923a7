"""A Gradescope autograder: the archive to upload, and what runs inside Gradescope's container.

Gradescope unpacks the archive to ``/autograder/source``, runs ``setup.sh`` once as root when it
builds the image, and ``run_autograder`` for every submission, which finds the student's files in
``/autograder/submission`` and must write ``/autograder/results/results.json``. ``AUTOGRADER_ROOT``
moves all of it elsewhere.
"""

import json
import os
import secrets
import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from coursekit.grading.grader.bank import Bank
from coursekit.grading.grader.batch import Order, grade
from coursekit.grading.grader.gradebook import open_gradebook
from coursekit.grading.grader.policy import Policy
from coursekit.grading.grader.release import frozen, verified, zipped
from coursekit.grading.grader.seeds import KEY_BYTES
from coursekit.grading.grader.standing import Line, Standing, standings
from coursekit.grading.sandbox import choose

RELEASE = "release.zip"
SETUP = """\
#!/usr/bin/env bash
# Run once, as root, when Gradescope builds the image. Needs Python 3.11 or newer.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
cd "$root/source"
python=""
for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
  if "$name" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python="$name"; break
  fi
done
if [ -z "$python" ]; then
  apt-get update -qq && apt-get install -y -qq python3.11 python3.11-venv
  python=python3.11
fi
"$python" -m venv ${VENV_OPTIONS:-} "$root/venv"
unzip -q -o release.zip -d "$root/release" 2>/dev/null \\
  || "$python" -m zipfile -e release.zip "$root/release"
"$root/venv/bin/pip" install --quiet --disable-pip-version-check \\
  -c "$root/release/constraints.txt" "$root"/release/coursekit-*.whl__EXTRAS__
chmod 700 "$root/source" "$root/release"
"""
RUN = """\
#!/usr/bin/env bash
# Run for every submission.
root="${AUTOGRADER_ROOT:-/autograder}"
export COURSEKIT_IN_CONTAINER=1
exec "$root/venv/bin/python" -m coursekit.grading.grader.gradescope "$root"
"""


def archive(name: str, bank: Bank, wheel: Path | None, call_s: float, submission_s: float) -> bytes:
    """The zip to upload. It holds the references and a secret key: keep it from students."""
    torch = any("import torch" in text for text in bank.files.values())
    options = {"assignment": bank.assignment, "call_s": call_s, "submission_s": submission_s}
    files = {
        "setup.sh": SETUP.replace("__EXTRAS__", " torch" if torch else "").encode(),
        "run_autograder": RUN.encode(),
        RELEASE: frozen(name, bank, wheel),
        "options.json": json.dumps(options).encode(),
        "secret.key": secrets.token_bytes(KEY_BYTES),
    }
    return zipped(files, executable=("setup.sh", "run_autograder"))


def run(root: Path) -> dict[str, Any]:
    """Grade what lies in ``root/submission`` and write ``root/results/results.json``."""
    release = verified(root / "source" / RELEASE)
    options = json.loads((root / "source" / "options.json").read_text(encoding="utf-8"))
    tier = choose(os.environ.get("COURSEKIT_SANDBOX") or None, unsafe=False)
    with tempfile.TemporaryDirectory(prefix="grading-") as room:
        out = Path(room, "out")
        out.mkdir(mode=0o700)
        shutil.copyfile(root / "source" / "secret.key", out / "secret.key")
        order = Order(
            root / "submission",
            out,
            release.bank,
            tier,
            call_s=options["call_s"],
            submission_s=options["submission_s"],
            policy=Policy("best"),
            warm=False,
            student="submission",
        )
        grade(order)
        with open_gradebook(out) as book:
            found = results(next(iter(standings(book)), None), _student(root))
    (root / "results").mkdir(exist_ok=True)
    (root / "results" / "results.json").write_text(json.dumps(found), encoding="utf-8")
    return found


def _student(root: Path) -> str:
    """The first name in Gradescope's metadata, for the text above the tests."""
    try:
        data = json.loads((root / "submission_metadata.json").read_text(encoding="utf-8"))
        return str(data["users"][0]["name"])[:100]
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def results(standing: Standing | None, student: str = "") -> dict[str, Any]:
    """A standing in the form of Gradescope's ``results.json``."""
    if standing is None or standing.attempt is None:
        text = "There is no notebook (.ipynb) in this submission. Hand in the exercise notebook."
        return _result(0.0, text, [])
    if standing.attempt["problem"]:
        return _result(0.0, f"{standing.attempt['file']}: {standing.attempt['problem']}", [])
    cells = standing.result["cell_errors"] if standing.result else []
    lines = [f"{student}: {standing.attempt['file']}".removeprefix(": ")]
    lines += [f"code cell {n} stopped: {text}" for n, text in cells]
    if standing.waiting:
        lines.append(f"To be read by a person: {', '.join(standing.waiting)}.")
    code = [line for line in standing.lines if line.question["kind"] == "code"]
    return _result(
        sum(line.points or 0.0 for line in code),
        "\n".join(lines),
        [_test(number, line) for number, line in enumerate(code, 1)],
    )


def _result(score: float, output: str, tests: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "score": score,
        "output": output,
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"graded": datetime.now().astimezone().isoformat(timespec="seconds")},
    }


def _test(number: int, line: Line) -> dict[str, Any]:
    s = line.score
    parts = [("", s["says"]), ("tried", s["tried"]), ("came back", s["came"])]
    parts += [("wanted", s["wanted"]), ("hint", s["hint"])]
    text = "\n".join(f"{label}: {part}".removeprefix(": ") for label, part in parts if part)
    return {
        "number": str(number),
        "name": line.question["title"],
        "score": line.points or 0.0,
        "max_score": line.question["points"],
        "status": "passed" if line.points == line.question["points"] else "failed",
        "output": text,
        "output_format": "text",
        "visibility": "visible",
    }


if __name__ == "__main__":
    run(Path(sys.argv[1]))
