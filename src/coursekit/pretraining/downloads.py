"""Download a file once, compare its checksum, and say what to do where there is no network."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlparse

from rich.console import Console
from rich.progress import DownloadColumn, Progress

BLOCK = 1 << 20


@dataclass(frozen=True)
class Source:
    """A public file.

    Attributes
    ----------
    url : str
        Where it is.
    sha256 : str or None
        What its bytes must hash to. None where nobody publishes it: then the first download's
        hash is written beside the file, and later ones are compared with that.
    size : str
        Roughly, for the reader who is asked to wait.
    licence : str
        Under which terms, and whose.
    member : str
        The file meant, where `url` is a zip archive.
    begins : str
        A regular expression of the lines with which a document begins; empty for one document.
    """

    url: str
    sha256: str | None
    size: str
    licence: str
    member: str = ""
    begins: str = ""

    @property
    def filename(self) -> str:
        """The last part of the address."""
        return urlparse(self.url).path.rsplit("/", 1)[-1]


def cache_folder() -> Path:
    """Return where downloads are kept.

    Returns
    -------
    pathlib.Path
        The environment's ``COURSEKIT_CACHE``, or ``coursekit`` in the user's cache folder.

    Examples
    --------
    >>> cache_folder().name
    'coursekit'
    """
    if chosen := os.environ.get("COURSEKIT_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "coursekit"


def download(source: Source, folder: Path | None = None, timeout: float = 30.0) -> Path:
    """Return the path of a public file, downloaded if it is not in the cache.

    Parameters
    ----------
    source : Source
        Which.
    folder : path, optional
        Where to keep it; :func:`cache_folder` by default.
    timeout : float
        Seconds to wait for an answer.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ConnectionError
        If there is no network, or the server does not give the file; says how to do without.
    ValueError
        If what came has another checksum; it is not kept.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> text = pathlib.Path(tempfile.mkdtemp()) / "text.txt"
    >>> _ = text.write_text("To be, or not to be")
    >>> kept = download(Source(text.as_uri(), None, "19 bytes", "public domain"), text.parent / "c")
    >>> kept.read_text()
    'To be, or not to be'
    """
    path = (folder or cache_folder()) / source.filename
    wanted = source.sha256 or _recorded(path)
    if path.is_file() and wanted and _hash(path) == wanted:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        found = _fetch(source, partial, path, timeout)
        if wanted and found != wanted:
            raise ValueError(
                f"{source.url} gave a file with the SHA-256 {found[:12]}… and {wanted[:12]}… is "
                "wanted: it was cut off or is no longer the same. Nothing was kept; try again."
            )
        _record(path).write_text(found + "\n", encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _fetch(source: Source, partial: Path, path: Path, timeout: float) -> str:
    """Download to `partial`; return the SHA-256."""
    request = urllib.request.Request(source.url, headers={"User-Agent": "coursekit"})
    try:
        with (
            urllib.request.urlopen(request, timeout=timeout) as answer,
            partial.open("wb") as file,
        ):
            size = int(answer.headers.get("Content-Length", 0))
            digest = _copy(answer, file, source.filename, size)
            if size and file.tell() != size:
                raise ConnectionError(f"it broke off after {file.tell():,} of {size:,} bytes")
            return digest
    except urllib.error.HTTPError as error:
        raise ConnectionError(_how(source, path, f"answered {error.code}")) from error
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise ConnectionError(_how(source, path, f"cannot be reached ({reason})")) from error


def _copy(answer: BinaryIO, file: BinaryIO, name: str, size: int) -> str:
    digest, console = hashlib.sha256(), Console(stderr=True)
    with Progress(*Progress.get_default_columns(), DownloadColumn(), console=console) as bar:
        task = bar.add_task(name, total=size or None)
        while block := answer.read(BLOCK):
            file.write(block)
            digest.update(block)
            bar.advance(task, len(block))
    return digest.hexdigest()


def _how(source: Source, path: Path, what: str) -> str:
    return (
        f"{urlparse(source.url).netloc} {what}. On a machine with a network, fetch {source.url} "
        f"({source.size}) and put it at {path}; or train on book_corpus(), which is here."
    )


def _record(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _recorded(path: Path) -> str | None:
    record = _record(path)
    if record.is_file():
        return record.read_text(encoding="utf-8").strip()
    # A file that was put there by hand is taken at its word when nobody publishes a checksum.
    return _hash(path) if path.is_file() else None


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
