"""A user id of its own for every running submission, and the tier "user" that has little else.

The tier is for a machine that is thrown away after grading and where no namespaces may be made,
such as the container that Gradescope starts for one submission. The grader must be root in it. The
submission runs as a user of its own, with limits and the list of system calls, which leaves it no
socket; but it sees the machine's own files and processes. What others may read it may read, so
keep questions, results and keys in folders of mode 0700. What it writes to ``/tmp`` and the like is
measured, and removed when it ends.
"""

import contextlib
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import coursekit
from coursekit.grading.sandbox.parent import ENVIRONMENT, Parent
from coursekit.grading.sandbox.watch import of_uid

# Between the ids that systemd's UIDS-GIDS.md lists as in use by nobody: not a person, not a
# service, not a container's range. In a container with few ids the second choice is mapped.
FIRST_UID, FIRST_UID_OF_FEW = 2_000_000_000, 62_000
TRIES = 1000


class Claim:
    """Two user ids, one for a submission and the next for its reaper, held until it is released.

    No two graders on one machine may use the same id: each would end the other's processes. The
    claim is an abstract socket's name, which the kernel gives to one process and takes back when
    that process ends, however it ends.
    """

    def __init__(self, slot: int) -> None:
        first = FIRST_UID if is_mapped(FIRST_UID + 2 * TRIES) else FIRST_UID_OF_FEW
        for turn in range(TRIES):
            self.uid = first + 2 * ((slot + turn) % TRIES)
            self._name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            with contextlib.suppress(OSError):
                self._name.bind(f"\0coursekit-uid-{self.uid}")
                if not of_uid(self.uid):
                    return
            self._name.close()
        raise RuntimeError(f"all of {TRIES} user ids for submissions are in use")

    def release(self) -> None:
        """Let another submission have the ids."""
        self._name.close()


def is_mapped(uid: int) -> bool:
    """Whether this id exists in the user namespace that this process is in."""
    for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines():
        first, _, count = map(int, line.split())
        if first <= uid < first + count:
            return True
    return False


def is_root() -> bool:
    """Whether this process may become any user."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


IN_CONTAINER = "COURSEKIT_IN_CONTAINER"
WRITABLE = tuple(map(Path, ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/dev/mqueue")))


def python_for_all() -> tuple[str, dict[str, str]]:
    """Name the interpreter that submissions use, and the environment of the launcher."""
    package = str(Path(coursekit.__file__).resolve().parents[1])
    sites = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
    path = ":".join(dict.fromkeys([package, *sites]))
    return sys.executable, {**ENVIRONMENT, "PATH": "/usr/bin:/bin", "PYTHONPATH": path}


def start(preload: tuple[str, ...]) -> Parent:
    """Start a launcher that drops to another user for each submission."""
    python, environment = python_for_all()
    return Parent([python, "-s", "-P", "-u"], "user", preload, environment)


def why_not() -> str:
    """Say why this tier is not usable here; an empty string where it is."""
    if not is_root():
        return "only root can give a submission a user of its own"
    if os.environ.get(IN_CONTAINER) != "1":
        return (
            "it is for a container that is thrown away after grading; "
            f"say that this is one with --in-container or {IN_CONTAINER}=1"
        )
    python, environment = python_for_all()
    try:
        subprocess.run(
            [python, "-s", "-P", "-c", "import coursekit.grading"],
            env=environment,
            user=FIRST_UID_OF_FEW,
            group=FIRST_UID_OF_FEW,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            check=True,
        )
    except OSError as error:
        return f"another user cannot run {python}: {error.strerror}"
    except subprocess.CalledProcessError as error:
        return f"another user cannot import coursekit: {error.stderr.strip()[-200:]}"
    return ""


def files_of(uid: int) -> Iterator[tuple[Path, os.stat_result]]:
    """Files and folders of a user in the places where everybody may write."""
    folders = [folder for folder in WRITABLE if folder.is_dir()]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if status.st_uid == uid:
                        yield Path(entry.path), status
                        if stat.S_ISDIR(status.st_mode):
                            folders.append(Path(entry.path))


def disk_use(uid: int) -> int:
    """Bytes on disk of a user's files, those included that are open and already deleted."""
    seen = {(s.st_dev, s.st_ino): s.st_blocks * 512 + 1024 for _, s in files_of(uid)}
    for pid in of_uid(uid):
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    s = os.stat(f"/proc/{pid}/fd/{fd}")
                    if s.st_uid == uid and stat.S_ISREG(s.st_mode):
                        seen[s.st_dev, s.st_ino] = s.st_blocks * 512
    return sum(seen.values())


def remove_files(uid: int) -> None:
    """Remove what a user left in the places where everybody may write."""
    for path, status in list(files_of(uid)):
        if stat.S_ISDIR(status.st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
