"""Fresh inputs: a secret of the teacher's decides what every submission is asked."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from coursekit.grading.question import Question

KEY_BYTES = 32


def seed(secret: bytes, assignment: str, code: str, question: str, repetition: int) -> int:
    """The seed of one drawing of one question's cases, below 2**63.

    Parameters
    ----------
    secret
        The key of :func:`secret_of`.
    code
        Hash of the submission's code (:func:`coursekit.grading.grader.notebooks.code_hash`). Two
        equal notebooks meet equal inputs, so that they cannot differ in their scores; whoever
        changes a line meets new ones.

    Examples
    --------
    >>> a, b = (seed(b"k" * 32, "01-basics", "ab12", "ridge", r) for r in (0, 1))
    >>> a != b, a < 2**63
    (True, True)
    """
    text = "|".join([assignment, code, question, str(repetition)])
    return int.from_bytes(hmac.new(secret, text.encode(), hashlib.sha256).digest()[:8], "big") >> 1


def drawn(
    secret: bytes, assignment: str, code: str, questions: list[Question]
) -> dict[str, list[int]]:
    """All seeds of one submission, by question."""
    return {
        q.id: [seed(secret, assignment, code, q.id, r) for r in range(q.repetitions)]
        for q in questions
        if q.kind == "code"
    }


def secret_of(out: Path) -> bytes:
    """The key in ``out/secret.key``; made on the first call, readable by its owner only.

    It is complete or absent at every moment: whoever is killed in between leaves no half of a key.

    Raises
    ------
    ValueError
        If the file does not hold 32 bytes.
    """
    path = out / "secret.key"
    if not path.exists():
        _make(path)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValueError(
            f"{path} holds {len(key)} bytes and {KEY_BYTES} are wanted. Put the file of the first "
            "run back; with another key every submission would meet other inputs."
        )
    return key


def _make(path: Path) -> None:
    part = path.with_name(f"secret.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)  # never replaces a key that another process made meanwhile
    except FileExistsError:
        pass
    finally:
        part.unlink()
