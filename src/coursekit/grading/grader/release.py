"""Freeze what grades: library, questions and versions in one zip that grades the same a year later.

The zip holds the wheel, the question files, the versions that were installed, and ``manifest.json``
with the hash of everything. Equal inputs make equal bytes.
"""

import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path, PurePosixPath
from typing import Any

from coursekit.grading.grader.bank import Bank
from coursekit.grading.grader.versions import source_digest, versions

MANIFEST = "manifest.json"
FORMAT = 1
MOMENT = (2020, 1, 1, 0, 0, 0)
README = """\
A frozen release of an assignment of "From Loss to Silicon".

    python3 -m venv env
    env/bin/pip install -c constraints.txt coursekit-*.whl
    env/bin/coursekit grade SUBMISSIONS --assignment {assignment} --release THIS.zip --out DIR

It holds the questions with their references. If it has private ones, keep it from students.
"""


class ReleaseError(ValueError):
    """The release cannot be made or used; the message says why."""


@dataclass(frozen=True)
class Release:
    """A verified release: its manifest and its files."""

    manifest: dict[str, Any]
    files: dict[str, bytes]
    digest: str

    @property
    def bank(self) -> Bank:
        """The questions."""
        texts = {
            name.removeprefix("questions/"): data.decode("utf-8")
            for name, data in self.files.items()
            if name.startswith("questions/")
        }
        return Bank(self.manifest["assignment"], texts)

    @property
    def wheel(self) -> str:
        """Name of the wheel."""
        return next(name for name in self.files if name.endswith(".whl"))


def freeze(name: str, bank: Bank, wheel: Path) -> bytes:
    """The zip of a release called ``name``."""
    files = {f"questions/{path}": text.encode() for path, text in bank.files.items()}
    files[wheel.name] = wheel.read_bytes()
    files["constraints.txt"] = _installed().encode()
    files["README.txt"] = README.format(assignment=bank.assignment).encode()
    manifest = {
        "format": FORMAT,
        "name": name,
        "assignment": bank.assignment,
        "questions": bank.digest,
        "source": wheel_digest(wheel.read_bytes()),
        "versions": versions(),
        "sha256": {path: hashlib.sha256(data).hexdigest() for path, data in sorted(files.items())},
    }
    files[MANIFEST] = (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode()
    return zipped(files)


def zipped(files: dict[str, bytes], executable: tuple[str, ...] = ()) -> bytes:
    """A zip whose bytes depend on the files alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            info = zipfile.ZipInfo(path, MOMENT)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o100755 if path in executable else 0o100644) << 16
            archive.writestr(info, files[path])
    return buffer.getvalue()


def _installed() -> str:
    """What is installed here, as a constraints file; coursekit itself apart."""
    found = {d.metadata["Name"].lower(): d.version for d in distributions() if d.metadata["Name"]}
    pins = [f"{name}=={v}" for name, v in sorted(found.items()) if name != "coursekit"]
    return "\n".join(pins) + "\n"


def wheel_digest(data: bytes) -> str:
    """The hash of a wheel's Python files, comparable with :func:`source_digest`."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        names = [n for n in wheel.namelist() if n.startswith("coursekit/") and n.endswith(".py")]
        paths = {PurePosixPath(n).relative_to("coursekit"): n for n in names}
        for path in sorted(paths):
            digest.update(f"{path.as_posix()}\n".encode() + wheel.read(paths[path]))
    return digest.hexdigest()


def build_wheel(room: Path) -> Path:
    """Build the wheel of the checkout that this installation runs from.

    Raises
    ------
    ReleaseError
        If this is no checkout, or building fails.
    """
    root = Path(__file__).resolve().parents[4]
    if not (root / "pyproject.toml").is_file():
        raise ReleaseError("This installation is no checkout; give the wheel with --wheel.")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(room)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    made = sorted(room.glob("*.whl"))
    if done.returncode or not made:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ReleaseError(f"The wheel could not be built: {last}. Give one with --wheel.")
    return made[0]


def frozen(name: str, bank: Bank, wheel: Path | None) -> bytes:
    """:func:`freeze` with ``wheel``, or with one that is built for it."""
    if wheel is not None:
        return freeze(name, bank, wheel)
    with tempfile.TemporaryDirectory() as room:
        return freeze(name, bank, build_wheel(Path(room)))


def verified(path: Path) -> Release:
    """Read a release and check every hash in it.

    Raises
    ------
    ReleaseError
        If the file is no release, or a file in it is missing, added or changed.
    """
    data = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(files.pop(MANIFEST))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ReleaseError(f"{path} is no frozen release ({type(error).__name__}).") from error
    if manifest.get("format") != FORMAT:
        raise ReleaseError(
            f"{path} has format {manifest.get('format')!r}; this coursekit reads {FORMAT}."
        )
    found = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    if found != manifest["sha256"]:
        wrong = sorted({n for n, _ in found.items() ^ manifest["sha256"].items()})
        raise ReleaseError(f"{path} has been changed: {', '.join(wrong)} differ from its manifest.")
    return Release(manifest, files, hashlib.sha256(data).hexdigest())


def is_running(release: Release) -> bool:
    """Whether the library that runs now is the one of the release."""
    return release.manifest["source"] == source_digest()


def unpacked(release: Release, out: Path) -> Path:
    """Unpack the release's library below ``out``; the folder to put on Python's path."""
    room = out / "release" / release.digest[:16]
    if not (room / "complete").is_file():
        with zipfile.ZipFile(io.BytesIO(release.files[release.wheel])) as wheel:
            wheel.extractall(room / "site")
        (room / "complete").touch()
    return room / "site"


def drifted(release: Release) -> dict[str, tuple[str, str]]:
    """Packages whose version is another than when the release was frozen: then and now."""
    then, now = release.manifest["versions"], versions()
    names = [name for name in then if name != "coursekit"]
    return {n: (then[n], now.get(n, "")) for n in names if then[n] != now.get(n)}
