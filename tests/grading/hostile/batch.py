"""A batch of hostile and honest submissions, graded as a teacher would, and what is left of it.

The folder of a batch holds

- ``work``: the submissions, attacks among honest ones,
- ``out``: where the grader writes, ``questions``: the teacher's own questions,
- ``canary``: files and sockets that nobody may touch.

Folders are readable by their owner only, as in the containers of Gradescope. Every batch has a
token of its own: attacks write it wherever they can, so whatever they left is found by its name.
"""

import contextlib
import functools
import hashlib
import json
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import coursekit
from coursekit.grading import wire
from coursekit.grading.public import publish
from coursekit.grading.question import load_questions
from tests.grading.hostile.attack import HERE, Attack, notebook

ASSIGNMENT = "90-hostile"
ROOT = HERE.parents[2]
POINTS = {"mean-square": 2, "ranks": 2, "counts": 1, "account": 2}
MARK = "# an honest answer"
RIGHT = {
    "mean-square": "def mean_square(x):\n    return (x**2).mean()",
    "ranks": "import numpy as np\ndef ranks(x):\n    return np.argsort(np.argsort(x))",
    "counts": "def counts(words):\n    return {word: words.count(word) for word in words}",
    "account": (
        "class Account:\n    balance = 0.0\n    def pay(self, amount):\n"
        "        if self.balance + amount >= 0:\n            self.balance += amount\n"
        "        return self.balance"
    ),
}
HONEST = {
    "honest-right": set(RIGHT),
    "honest-half": {"mean-square", "counts"},
    "honest-wrong": set(),
}


@dataclass
class Canary:
    """A folder and sockets on the loopback address that nobody may touch."""

    folder: Path
    token: str
    port: int = 0
    reached: list[str] = field(default_factory=list)

    def state(self) -> dict[str, str]:
        """Names, modes and contents of everything in the folder."""
        found = {".": oct(self.folder.stat().st_mode)}
        for path in sorted(self.folder.rglob("*")):
            about = path.lstat()
            text = path.read_bytes() if path.is_file() else b""
            found[path.name] = f"{oct(about.st_mode)} {hashlib.sha256(text).hexdigest()}"
        return found


@contextmanager
def canaries(folder: Path, token: str) -> Iterator[Canary]:
    """Lay out the folder and listen: TCP and UDP at one port, and two local sockets."""
    folder.mkdir()
    for number in range(3):
        (folder / f"file{number}").write_text(secrets.token_hex(16))
    canary = Canary(folder, token)
    tcp = socket.create_server(("127.0.0.1", 0))
    canary.port = tcp.getsockname()[1]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", canary.port))
    local = [socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
    for one, address in zip(local, (str(folder / "socket"), f"\0{token}"), strict=True):
        one.bind(address)
        one.listen()
    ears = {"tcp": tcp, "udp": udp, "path": local[0], "name": local[1]}
    for name, ear in ears.items():
        threading.Thread(target=_listen, args=(canary, name, ear), daemon=True).start()
    try:
        yield canary
    finally:
        for ear in ears.values():
            with contextlib.suppress(OSError):
                ear.shutdown(socket.SHUT_RDWR)
            ear.close()


def _listen(canary: Canary, name: str, ear: socket.socket) -> None:
    while True:
        try:
            if ear.type == socket.SOCK_DGRAM:
                _, sender = ear.recvfrom(1000)
                if not sender:  # shut down
                    return
                ear.sendto(b"reached", sender)
            else:
                ear.accept()[0].close()
        except OSError:
            return
        canary.reached.append(name)


@dataclass
class Row:
    """What the gradebook says of one submission."""

    file: str
    points: dict[str, float]
    status: dict[str, str]
    texts: dict[str, str]
    words: str

    @property
    def total(self) -> float:
        """Points of all questions together."""
        return sum(self.points.values())


@dataclass
class Graded:
    """One grading of a batch: the gradebook's rows by file, and what happened outside."""

    room: Path
    places: dict[str, str]
    rows: dict[str, Row]
    status: int
    printed: str
    seconds: float
    before: dict[str, str]
    after: dict[str, str]
    reached: list[str]
    left_processes: list[str]
    left_files: list[str]
    tier: str = ""
    attacks: list[Attack] = field(default_factory=list)


def places_of(room: Path, canary: Canary) -> dict[str, str]:
    """What an attacker may know: every path, the port, and the public inputs with their answers."""
    return {
        "OUT": str(room / "out"),
        "BATCH": str(room / "work"),
        "QUESTIONS": str(room / "questions"),
        "CANARY": str(canary.folder),
        "REPO": str(ROOT),
        "PORT": str(canary.port),
        "TOKEN": canary.token,
        "PUBLIC": json.dumps(public_answers()),
    }


def public_answers() -> list[dict]:
    """The public inputs of every question, as text, and the wanted answers."""
    found = []
    for q in load_questions(HERE / "questions" / ASSIGNMENT):
        for case in publish(q)["cases"]:
            (given,) = wire.decode(case["inputs"])
            wanted = wire.decode(case["wanted"])
            plain = [
                np.asarray(v).tolist() if isinstance(v, np.ndarray) else v for v in (given, wanted)
            ]
            wanted = float(plain[1]) if isinstance(plain[1], np.floating) else plain[1]
            found.append({"asks": q.asks, "inputs": json.dumps(plain[0]), "wanted": wanted})
    return found


def lay_out(room: Path, attacks: Iterable[Attack], places: dict[str, str]) -> None:
    """Write the honest submissions and the attacks, and the questions beside them."""
    for name in ("work", "out", "questions"):
        (room / name).mkdir(mode=0o700)
    shutil.copytree(HERE / "questions", room / "questions", dirs_exist_ok=True)
    for name, right in HONEST.items():
        cells = [f"{MARK} of {name}", *(RIGHT[q] if q in right else "..." for q in RIGHT)]
        (room / "work" / f"{name}.ipynb").write_text(json.dumps(notebook(cells)))
    for attack in attacks:
        attack.write(room / "work", places)


@functools.cache
def interpreter(tier: str) -> tuple[str, str, str]:
    """A Python for which the tier is usable, its path of packages, and else why there is none.

    The tier "user" needs one that other users can run, which one below a home is not.
    """
    reasons = []
    sites = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
    path = ":".join([str(Path(coursekit.__file__).parents[1]), *sites])
    for program in (sys.executable, shutil.which("python3", path="/usr/bin")):
        ask = f"from coursekit.grading.sandbox import available; print(available()[{tier!r}])"
        told = {**os.environ, "PYTHONPATH": path, "COURSEKIT_IN_CONTAINER": "1"}
        done = subprocess.run(
            [program or "", "-c", ask], env=told, capture_output=True, text=True, check=False
        )
        reasons.append(done.stdout.strip() or done.stderr.strip()[-200:])
        if not reasons[-1]:
            return program or "", path, ""
    return "", "", reasons[0]


def command(room: Path, tier: str, *options: str) -> list[str]:
    """The command that a teacher types."""
    return [
        *(interpreter(tier)[0], "-m", "coursekit", "grade", str(room / "work")),
        *("--assignment", ASSIGNMENT, "--questions", str(room / "questions")),
        *(
            "--out",
            str(room / "out"),
            "--sandbox",
            tier,
            "--timeout",
            "3",
            "--total",
            "30",
            *options,
        ),
    ]


def grade(room: Path, attacks: list[Attack], tier: str, *options: str) -> Graded:
    """Grade a batch and look at everything that it may have touched."""
    token = f"ck{secrets.token_hex(5)}"
    room.chmod(0o700)
    with canaries(room / "canary", token) as canary:
        places = places_of(room, canary)
        lay_out(room, attacks, places)
        before, start = canary.state(), time.time()
        told = {"COURSEKIT_CANARY": f"{token}-environment", "COURSEKIT_IN_CONTAINER": "1"}
        told["PYTHONPATH"] = interpreter(tier)[1]
        done = subprocess.run(
            command(room, tier, *options),
            env={**os.environ, **told},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=1800,
            check=False,
        )
        seconds = time.time() - start
        return Graded(
            room=room,
            places=places,
            rows=rows(room / "out" / "gradebook.sqlite") if done.returncode in (0, 1) else {},
            status=done.returncode,
            printed=done.stdout + done.stderr,
            seconds=seconds,
            before=before,
            after=canary.state(),
            reached=canary.reached,
            left_processes=processes(token),
            left_files=left_files(room, token),
        )


def rows(path: Path) -> dict[str, Row]:
    """Read the gradebook, as any program may, without the grader's own code."""
    book = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    book.row_factory = sqlite3.Row
    try:
        found = {}
        for s in book.execute("SELECT * FROM submissions"):
            scores = book.execute("SELECT * FROM scores WHERE code = ?", (s["code"],)).fetchall()
            results = book.execute("SELECT * FROM results WHERE code = ?", (s["code"],)).fetchall()
            words = [s["problem"], *(f"{r['events']} {r['cell_errors']}" for r in results)]
            found[s["file"]] = Row(
                file=s["file"],
                points={r["question"]: r["points"] for r in scores if r["points"]},
                status={r["question"]: r["status"] for r in scores},
                texts={r["question"]: r["text"] for r in scores if r["text"]},
                words=" ".join([*words, *(f"{r['status']} {r['says']}" for r in scores)]),
            )
        return found
    finally:
        book.close()


def processes(token: str, seconds: float = 5.0) -> list[str]:
    """Processes that an attack left behind, after a short while for them to end."""
    end = time.monotonic() + seconds
    while (found := _processes(token)) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def _processes(token: str) -> list[str]:
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            for name in ("cmdline", "comm"):
                text = Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
                if token in text and int(pid) != os.getpid():
                    found.append(f"{pid}: {text}")
    return found


TEXTS = (".py", ".pth", ".json")


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def left_files(room: Path, token: str) -> list[str]:
    """Files outside of the batch that carry its token, in their name or (small ones) their text."""
    installed = Path(coursekit.__file__).parent
    homes = [Path.home(), Path("/tmp"), Path("/dev/shm"), Path("/var/tmp"), Path("/")]
    places = [
        *homes,
        ROOT,
        room / "out",
        Path(sys.prefix),
        Path(os.__file__).parent,
        *map(Path, sys.path),
    ]
    found = {
        f for place in places if place.is_dir() for f in place.iterdir() if f.name.startswith(token)
    }
    trees = [installed, room / "canary"]
    for path in (p for tree in trees for p in tree.rglob("*")):
        if path.name.startswith(token) or (path.suffix in TEXTS and token in _text_of(path)):
            found.add(path)
    return sorted(map(str, found))
