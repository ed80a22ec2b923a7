"""The questions of an assignment as the grader holds them: public ones, and a teacher's over them.

They travel as text (``Bank.files``): to the grader's worker processes, into the gradebook, and into
a frozen release. What is graded is therefore always what was recorded.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from coursekit.grading.question import Question, QuestionError, load_questions, question_files

ROOMS = ("public", "private")


@dataclass(frozen=True)
class Bank:
    """Question files by name, ``public/questions.py`` and so on, and their hash."""

    assignment: str
    files: dict[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 of all the files' names and texts."""
        text = json.dumps([self.assignment, sorted(self.files.items())])
        return hashlib.sha256(text.encode()).hexdigest()


def collect(assignment: str, public: Path | None = None, private: Path | None = None) -> Bank:
    """Read the question files of ``assignment``.

    Parameters
    ----------
    public
        A folder that holds ``NAME/questions.py`` or ``NAME/questions/``, such as a checkout's
        ``solutions``; without one, the checkout that this package or this command runs in.
    private
        The teacher's own folder of the same form. A question with the id of a public one takes its
        place, others are added. An assignment may exist here alone.

    Raises
    ------
    QuestionError
        If no folder has the assignment.
    """
    folders = dict(zip(ROOMS, (public or _checkout(assignment), private), strict=True))
    files: dict[str, str] = {}
    for room, folder in folders.items():
        home = folder / assignment if folder else None
        if home and home.is_dir():
            for path in question_files(home):
                name = path.relative_to(home).as_posix()
                files[f"{room}/{name}"] = path.read_text(encoding="utf-8")
    if not files:
        raise QuestionError(_nowhere(assignment, folders))
    return Bank(assignment, files)


def _nowhere(assignment: str, folders: dict[str, Path | None]) -> str:
    tried = ", ".join(str(f / assignment) for f in folders.values() if f)
    where = f"; looked in {tried}" if tried else ", and this is no checkout of the course"
    return (
        f"There are no questions for {assignment!r}{where}. Run the command in a checkout, name "
        "your own folder with --questions, or use a frozen release with --release."
    )


def _checkout(assignment: str) -> Path | None:
    """The ``solutions`` folder around this command, or around this (editable) installation."""
    around = [Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents]
    return next((p / "solutions" for p in around if (p / "solutions" / assignment).is_dir()), None)


@contextmanager
def opened(bank: Bank) -> Iterator[list[Question]]:
    """Questions of ``bank``, loaded from a folder that lasts as long as the block.

    The order is that of the public files; a private question stands where the one stood that it
    replaces, a new one at the end.
    """
    with tempfile.TemporaryDirectory(prefix="questions-") as room:
        for name, text in bank.files.items():
            path = Path(room, bank.digest[:12], name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        yield list(_merged(Path(room, bank.digest[:12])).values())


def _merged(folder: Path) -> dict[str, Question]:
    found: dict[str, Question] = {}
    for room in ROOMS:
        if (folder / room).is_dir():
            found |= {q.id: q for q in load_questions(folder / room)}
    return found


def private_ids(bank: Bank) -> set[str]:
    """Ids of the questions that come from the teacher's own folder."""
    own = {name: text for name, text in bank.files.items() if name.startswith("private/")}
    if not own:
        return set()
    with opened(Bank(bank.assignment, own)) as questions:
        return {q.id for q in questions}
