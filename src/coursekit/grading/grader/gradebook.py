"""The gradebook: one SQLite file, written by one process, complete after every submission.

Everything that a dispute may ask for is in it: the code that was graded, the questions as they then
were, every seed, and why each point was given. Whoever is killed while writing leaves the last
complete state behind.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coursekit.grading.grader.bank import Bank
from coursekit.grading.grader.submissions import Submission
from coursekit.grading.grader.verdict import Result, Verdict

VERSION = 1
NAME = "gradebook.sqlite"
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE banks (digest TEXT PRIMARY KEY, files BLOB NOT NULL, practice BLOB NOT NULL) STRICT;
CREATE TABLE questions (
    id TEXT PRIMARY KEY, position INTEGER NOT NULL, title TEXT NOT NULL, asks TEXT NOT NULL,
    kind TEXT NOT NULL, points REAL NOT NULL, private INTEGER NOT NULL, retired INTEGER NOT NULL,
    section TEXT NOT NULL, section_title TEXT NOT NULL, rubric TEXT NOT NULL
) STRICT;
CREATE TABLE students (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, roster TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE TABLE codes (hash TEXT PRIMARY KEY, cells BLOB NOT NULL) STRICT;
CREATE TABLE submissions (
    file TEXT PRIMARY KEY, student TEXT NOT NULL REFERENCES students (id),
    attempt INTEGER NOT NULL, submitted TEXT, marked_late INTEGER NOT NULL,
    sha256 TEXT NOT NULL, code TEXT REFERENCES codes (hash), problem TEXT NOT NULL,
    present INTEGER NOT NULL
) STRICT;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, started TEXT NOT NULL, ended TEXT, options TEXT NOT NULL,
    versions TEXT NOT NULL
) STRICT;
CREATE TABLE results (
    code TEXT PRIMARY KEY REFERENCES codes (hash), bank TEXT NOT NULL REFERENCES banks (digest),
    generation INTEGER NOT NULL, run INTEGER NOT NULL REFERENCES runs (id),
    graded TEXT NOT NULL, sandbox TEXT NOT NULL, versions TEXT NOT NULL, events TEXT NOT NULL,
    cell_errors TEXT NOT NULL, output TEXT NOT NULL, seconds REAL NOT NULL, peak_mb REAL NOT NULL,
    failed INTEGER NOT NULL
) STRICT;
CREATE TABLE scores (
    code TEXT NOT NULL REFERENCES results (code) ON DELETE CASCADE,
    question TEXT NOT NULL REFERENCES questions (id),
    possible REAL NOT NULL, points REAL NOT NULL, status TEXT NOT NULL, says TEXT NOT NULL,
    "case" TEXT NOT NULL, tried TEXT NOT NULL, came TEXT NOT NULL, wanted TEXT NOT NULL,
    hint TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (code, question)
) STRICT;
CREATE TABLE evidence (
    code TEXT NOT NULL, question TEXT NOT NULL, number INTEGER NOT NULL, seed INTEGER,
    record TEXT NOT NULL, PRIMARY KEY (code, question, number),
    FOREIGN KEY (code, question) REFERENCES scores (code, question) ON DELETE CASCADE
) STRICT;
CREATE TABLE manual (
    student TEXT NOT NULL REFERENCES students (id),
    question TEXT NOT NULL REFERENCES questions (id),
    points REAL, comment TEXT NOT NULL, grader TEXT NOT NULL, at TEXT NOT NULL, code TEXT,
    PRIMARY KEY (student, question)
) STRICT;
"""
TIMELESS = {
    "questions": "*",
    "students": "*",
    "submissions": "*",
    "codes": "hash",
    "results": "code, bank, generation, sandbox, events, cell_errors, failed",
    "scores": "*",
    "evidence": "*",
    "manual": "student, question, points, comment, grader",
}


class GradebookError(ValueError):
    """The gradebook cannot be used for what was asked; the message says what to do."""


class Gradebook:
    """A connection to a gradebook. Use :func:`open_gradebook`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.db = connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block's writes or none of them."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of a query as dictionaries."""
        return [dict(row) for row in self.db.execute(query, values)]

    def meta(self, key: str, default: Any = None) -> Any:
        """A value that was stored with :meth:`set_meta`."""
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else default

    def set_meta(self, **values: Any) -> None:
        """Store values (inside a transaction of the caller's)."""
        rows = [(key, json.dumps(value)) for key, value in values.items()]
        self.db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    def add_bank(self, bank: Bank, practice: list[dict], private: set[str]) -> None:
        """Record the questions; those that exist no more are retired, and their points stay."""
        packed = pack(bank.files), pack(practice)
        self.db.execute("INSERT OR IGNORE INTO banks VALUES (?, ?, ?)", (bank.digest, *packed))
        self.db.execute("UPDATE questions SET retired = 1")
        for position, q in enumerate(practice):
            row = (q["id"], position, q["title"], q["asks"], q["kind"], q["points"])
            more = (int(q["id"] in private), 0, q["section"], q["section_title"])
            _insert(self.db, "questions", (*row, *more, json.dumps(q["rubric"])))

    def bank(self, digest: str) -> tuple[Bank, list[dict]]:
        """The questions recorded under ``digest``, and what is public of them."""
        row = self.db.execute("SELECT files, practice FROM banks WHERE digest = ?", (digest,))
        files, practice = row.fetchone()
        return Bank(self.meta("assignment"), unpack(files)), unpack(practice)

    def add_submissions(self, found: list[Submission], roster: dict[str, dict]) -> None:
        """Record what lies in the folder now; what lay there before is kept and not counted."""
        self.db.execute("UPDATE submissions SET present = 0")
        for student, row in roster.items():
            _insert(self.db, "students", (student, row.get("name", ""), json.dumps(row)))
        for s in found:
            self._add_submission(s)

    def _add_submission(self, s: Submission) -> None:
        self.db.execute(
            "INSERT INTO students (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE "
            "SET name = CASE WHEN name = '' THEN excluded.name ELSE name END",
            (s.student, s.name),
        )
        if s.code:
            packed = (s.code, pack(s.cells))
            self.db.execute("INSERT OR IGNORE INTO codes VALUES (?, ?)", packed)
        when = s.submitted.isoformat() if s.submitted else None
        row = (s.file, s.student, s.attempt, when, int(s.marked_late), s.sha256)
        _insert(self.db, "submissions", (*row, s.code or None, s.problem, 1))

    def cells(self, code: str) -> list[str]:
        """The code cells of a submission."""
        found = self.db.execute("SELECT cells FROM codes WHERE hash = ?", (code,)).fetchone()
        return unpack(found[0])

    def pending(self) -> list[str]:
        """Hashes of the codes that are handed in and have no result of this generation."""
        query = """
            SELECT DISTINCT s.code FROM submissions s LEFT JOIN results r ON r.code = s.code
            WHERE s.present AND s.code IS NOT NULL
              AND (r.code IS NULL OR r.generation != ?) ORDER BY s.code"""
        return [row["code"] for row in self.rows(query, self.meta("generation", 0))]

    def record(self, result: Result, run: int, bank: str, now: str) -> None:
        """Write one submission's result in one transaction, over an older one if there is one."""
        with self.transaction() as db:
            db.execute("DELETE FROM results WHERE code = ?", (result.code,))
            row = (result.code, bank, self.meta("generation", 0), run, now, result.sandbox)
            more = map(json.dumps, (result.versions, result.events, result.cell_errors))
            measured = (result.output, result.seconds, result.peak_mb, int(result.failed))
            _insert(db, "results", (*row, *more, *measured))
            for verdict in result.verdicts:
                _record_verdict(db, result.code, verdict)

    def close(self) -> None:
        """Close the file."""
        self.db.close()


def _record_verdict(db: sqlite3.Connection, code: str, v: Verdict) -> None:
    row = (code, v.question, v.possible, v.points, v.status, v.says, v.case)
    _insert(db, "scores", (*row, v.tried, v.came, v.wanted, v.hint, v.text))
    for number, record in enumerate(v.evidence):
        line = (code, v.question, number, record.get("seed"), json.dumps(record))
        _insert(db, "evidence", line)


def _insert(db: sqlite3.Connection, table: str, row: tuple) -> None:
    """Insert a row, or update the one with its key (REPLACE would delete what refers to it)."""
    names = [column[1] for column in db.execute(f"PRAGMA table_info({table})")]
    keys = [column[1] for column in db.execute(f"PRAGMA table_info({table})") if column[5]]
    quoted = ", ".join(f'"{name}"' for name in names)
    kept = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in keys)
    marks = ", ".join("?" * len(names))
    db.execute(
        f"INSERT INTO {table} ({quoted}) VALUES ({marks}) "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {kept}",
        row,
    )


def pack(value: Any) -> bytes:
    """JSON, compressed."""
    return zlib.compress(json.dumps(value).encode())


def unpack(data: bytes) -> Any:
    """What :func:`pack` packed."""
    return json.loads(zlib.decompress(data))


@contextmanager
def open_gradebook(out: Path, *, create: bool = False) -> Iterator[Gradebook]:
    """Open the gradebook of the folder ``out``.

    Raises
    ------
    GradebookError
        If there is none and ``create`` is false, or a newer coursekit made it.
    """
    path = out / NAME
    if not create and not path.is_file():
        raise GradebookError(
            f"{out} holds no gradebook; `coursekit grade … --out {out}` makes one."
        )
    book = Gradebook(_connect(path))
    try:
        _prepare(book, path)
        yield book
    finally:
        book.close()


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=30, isolation_level=None)
    db.row_factory = sqlite3.Row
    for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        db.execute(f"PRAGMA {setting}")
    return db


def _prepare(book: Gradebook, path: Path) -> None:
    """Make the tables, all in one transaction, unless they exist."""
    with book.transaction() as db:
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, VERSION):
            raise GradebookError(
                f"{path} has version {found}, and this coursekit knows {VERSION}. Use the "
                "coursekit that made it."
            )
        if found == 0:
            for statement in SCHEMA.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")


def contents(path: Path) -> dict[str, list[list[Any]]]:
    """All that a gradebook says, without times, measured seconds and runs.

    Two gradings of the same submissions with the same secret have equal contents, however often
    either was interrupted.
    """
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return {
            table: sorted(map(list, db.execute(f"SELECT {columns} FROM {table}")), key=repr)
            for table, columns in TIMELESS.items()
        }
    finally:
        db.close()
