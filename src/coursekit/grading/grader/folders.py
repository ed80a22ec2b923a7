"""Read a folder or a zip of submissions without trusting a byte of it.

Links are not followed, devices and pipes not opened, sizes checked before reading, and nothing of
an archive is ever written to the disk: there is no path for it to escape from.
"""

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from coursekit.grading.grader.notebooks import MAX_BYTES, printable

MAX_FILES = 20_000
MAX_DEPTH = 8
MAX_NESTED = 64 << 20
WANTED = (".ipynb", ".zip", "timestamp.txt", "submission_metadata.yml")
IGNORED = (".ipynb_checkpoints", "__MACOSX", ".git")


@dataclass(frozen=True)
class File:
    """One file as it was found: its bytes, or why it was not read."""

    path: PurePosixPath
    data: bytes = b""
    problem: str = ""
    modified: datetime | None = None


class SourceError(ValueError):
    """The submissions cannot be read at all; the message says why."""


def files(source: Path) -> list[File]:
    """Every notebook below ``source`` (a folder, a zip or one notebook), and the LMS's notes on it.

    A zip inside is opened in place, one level deep: ``anna/work.zip`` gives
    ``anna/work.zip/x.ipynb``.

    Raises
    ------
    SourceError
        If ``source`` does not exist, is no zip, or holds too many files.
    """
    if not source.exists():
        raise SourceError(f"{source} does not exist. Give the folder or the zip of submissions.")
    found = list(_walk(source) if source.is_dir() else _single(source))
    opened = [inner for file in found for inner in _opened(file)]
    if len(opened) > MAX_FILES:
        raise SourceError(f"{source} holds more than {MAX_FILES} notebooks; is it the right one?")
    return sorted(opened, key=lambda f: str(f.path))


def _single(source: Path) -> Iterator[File]:
    if source.suffix == ".ipynb":
        yield _read(source, PurePosixPath(printable(source.name)))
        return
    try:
        with zipfile.ZipFile(source) as archive:
            yield from _entries(archive, PurePosixPath())
    except zipfile.BadZipFile as error:
        raise SourceError(f"{source} is neither a folder, nor a zip, nor a notebook.") from error


def _walk(root: Path) -> Iterator[File]:
    for folder, names, leaves in os.walk(root, followlinks=False):
        here = Path(folder)
        names[:] = sorted(n for n in names if n not in IGNORED and not (here / n).is_symlink())
        if len(here.relative_to(root).parts) >= MAX_DEPTH:
            names[:] = []
        for leaf in sorted(leaves):
            if wanted(leaf):
                path = here / leaf
                yield _read(path, PurePosixPath(printable(path.relative_to(root).as_posix())))


def wanted(name: str) -> bool:
    """Whether a file of this name says something about a submission."""
    lower = name.lower()
    return lower.endswith(WANTED) and not lower.startswith(("._", "~$"))


def _read(path: Path, name: PurePosixPath) -> File:
    """Read a regular file of bearable size; a link or anything else is a problem, not followed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        link = path.is_symlink()
        why = "The file is a link; links are not followed." if link else f"{error.strerror}."
        return File(name, problem=why)
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            return File(name, problem="This is not a regular file.")
        limit = MAX_NESTED if path.suffix.lower() == ".zip" else MAX_BYTES
        if about.st_size > limit:
            return File(name, problem=f"The file is larger than {limit >> 20} MB.")
        modified = datetime.fromtimestamp(about.st_mtime).astimezone()
        return File(name, file.read(limit + 1), modified=modified)


def _opened(file: File) -> Iterator[File]:
    """The file itself, or what an archive among the submissions holds."""
    if file.path.suffix.lower() != ".zip" or file.problem:
        yield file
        return
    try:
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
            yield from _entries(archive, file.path, nested=True)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        yield File(file.path, problem=f"The archive cannot be read ({type(error).__name__}).")


def _entries(archive: zipfile.ZipFile, base: PurePosixPath, nested: bool = False) -> Iterator[File]:
    infos = archive.infolist()
    if len(infos) > MAX_FILES:
        yield File(base, problem=f"The archive holds more than {MAX_FILES} files.")
        return
    budget = MAX_NESTED if nested else MAX_FILES * MAX_BYTES
    for info in infos:
        path = PurePosixPath(printable(info.filename.replace("\\", "/")))
        if info.is_dir() or not wanted(path.name) or set(path.parts) & set(IGNORED):
            continue
        if nested and path.suffix.lower() == ".zip":
            continue
        file = _entry(archive, info, base / _inside(path), path, budget)
        budget -= len(file.data)
        yield file


def _inside(path: PurePosixPath) -> PurePosixPath:
    """The path with what leads out of the archive made harmless."""
    kept = [p for p in path.parts if p not in ("..", "/", ".")]
    return PurePosixPath(*kept[-MAX_DEPTH:])


def _entry(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    name: PurePosixPath,
    asked: PurePosixPath,
    budget: int,
) -> File:
    limit = min(budget, MAX_NESTED if name.suffix.lower() == ".zip" else MAX_BYTES)
    if asked.is_absolute() or ".." in asked.parts:
        return File(name, problem="The archive's entry leads out of the archive.")
    if stat.S_ISLNK(info.external_attr >> 16):
        return File(name, problem="The archive's entry is a link; links are not followed.")
    if info.file_size > limit:
        return File(name, problem=f"The file is larger than {max(limit, 0) >> 20} MB.")
    try:
        with archive.open(info) as file:
            data = file.read(limit + 1)
    except (RuntimeError, NotImplementedError, zipfile.BadZipFile, EOFError, OSError) as error:
        return File(name, problem=f"The archive's entry cannot be read ({type(error).__name__}).")
    if len(data) > limit:  # the archive lied about the size
        return File(name, problem=f"The file is larger than {limit >> 20} MB.")
    try:
        modified = datetime(*info.date_time)
    except ValueError:
        modified = None
    return File(name, data, modified=modified)
