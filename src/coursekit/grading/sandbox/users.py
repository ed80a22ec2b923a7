"""A user id of its own for every running submission, and the tier "user" that has little else."""

import contextlib
import os
import socket
from pathlib import Path

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
