"""A number for every worker on this machine, so that no two sandboxes share a user id."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SLOTS = 256


@contextmanager
def claimed() -> Iterator[int]:
    """Hold the lowest free slot as long as the block runs; a killed process frees its own.

    Raises
    ------
    RuntimeError
        If all slots are taken, or the folder of the locks belongs to somebody else.
    """
    folder = _folder()
    for number in range(SLOTS):
        handle = os.open(folder / str(number), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        try:
            yield number
        finally:
            os.close(handle)
        return
    raise RuntimeError(f"All {SLOTS} sandbox slots of this machine are taken by other graders.")


def _folder() -> Path:
    path = Path(tempfile.gettempdir(), f"coursekit-slots-{os.getuid()}")
    path.mkdir(mode=0o700, exist_ok=True)
    about = path.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o022:
        raise RuntimeError(f"{path} is not a folder of yours alone; remove it and try again.")
    return path
