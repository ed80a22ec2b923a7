"""Give up rights, for good: what a process does to itself just before a submission runs in it.

Everything here runs inside the sandbox, in trusted code, after the fork and before the first line
of the submission. :func:`confine` takes the steps and then reads back from the kernel that each of
them took hold; where one did not, it raises and no submission runs.
"""

import ctypes
import os
import resource
import struct
from pathlib import Path

from coursekit.grading.sandbox import seccomp
from coursekit.grading.sandbox.limits import Limits

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = (
    36,
    38,
    47,
    4,
)
SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC = 1, 1
SECCOMP_CALL = {"x86_64": 317, "aarch64": 277}
CAPABILITY_VERSION_3, LAST_CAPABILITY = 0x20080522, 63
# Beyond the watched limit, so that the watch is what ends a slow leak; one huge request fails.
DATA_SLACK, SPACE_SLACK, PROCESS_SLACK = 512 << 20, 16 << 30, 16

libc = ctypes.CDLL(None, use_errno=True)


class ConfineError(RuntimeError):
    """A layer of the sandbox could not be put in place; no submission may run."""


def check(result: int, what: str) -> None:
    """Raise for a system call that failed."""
    if result < 0:
        raise ConfineError(f"{what}: {os.strerror(ctypes.get_errno())}")


def mount_fresh(tmp_mb: int) -> None:
    """Cover ``/tmp``, ``/dev/shm`` and ``/proc`` with new ones that no other process sees."""
    check(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "mount private")
    size = f"size={tmp_mb}m,nr_inodes=16384,mode=1777".encode()
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    for target in (b"/tmp", b"/dev/shm"):
        check(libc.mount(b"tmpfs", target, b"tmpfs", flags, size), f"mount {target.decode()}")
    # Processes of another user (the reaper) are not even listed.
    check(libc.mount(b"proc", b"/proc", b"proc", flags, b"hidepid=2"), "mount /proc")


def limit_resources(limits: Limits, *, own_user: bool) -> None:
    """Set the limits that the kernel holds for one process.

    The number of processes is counted for the whole user, so it is limited only where the
    submission runs as a user of its own (or, since Linux 5.14, in a user namespace of its own).
    """
    memory = limits.memory_mb << 20
    if own_user:
        most = limits.processes + PROCESS_SLACK
        resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    for name, most in (
        ("CPU", limits.cpu_s),
        ("DATA", memory + DATA_SLACK),
        ("AS", memory + SPACE_SLACK),
        ("NOFILE", limits.files),
        ("FSIZE", limits.file_mb << 20),
        ("CORE", 0),
        ("MEMLOCK", 0),
        ("MSGQUEUE", 0),
        ("SIGPENDING", 1024),
    ):
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
    # When the machine itself runs out of memory, the kernel ends submissions first.
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def drop_user(uid: int | None) -> None:
    """Become user ``uid`` (unless None), without groups, and give up every capability."""
    if uid is not None:
        for capability in range(LAST_CAPABILITY + 1):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails beyond the kernel's last one
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "clear capabilities")
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    check(libc.capset(header, bytes(24)), "drop capabilities")


def filter_calls(*, sockets: bool) -> None:
    """Install the list of allowed system calls on every thread, and rule out new privileges."""
    code = seccomp.program(sockets=sockets)
    lines = ctypes.create_string_buffer(code, len(code))
    fprog = struct.pack("@HP", len(code) // 8, ctypes.addressof(lines))
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    call = SECCOMP_CALL[os.uname().machine]
    flags = SECCOMP_FILTER_FLAG_TSYNC
    check(libc.syscall(call, SECCOMP_SET_MODE_FILTER, flags, fprog), "seccomp")


def confine(uid: int | None, *, sockets: bool, dumpable: bool) -> None:
    """Drop user and capabilities, filter system calls, and make sure that all of it holds.

    ``dumpable`` is whether processes of the same user may look at this one's ``/proc`` entries,
    which Python's own ``subprocess`` and ``multiprocessing`` do with theirs.
    """
    drop_user(uid)
    filter_calls(sockets=sockets)
    check(libc.prctl(PR_SET_DUMPABLE, int(dumpable), 0, 0, 0), "dumpable")
    verify(uid)


def verify(uid: int | None) -> None:
    """Read from ``/proc`` what the kernel holds; raise where it is not what was asked for."""
    uid = os.getuid() if uid is None else uid
    wanted = {"NoNewPrivs": "1", "Seccomp": "2", "Uid": "\t".join([str(uid)] * 4)}
    wanted |= dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapAmb"), "0" * 16)
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    found = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    for key, value in wanted.items():
        if found.get(key) != value:
            raise ConfineError(f"{key} is {found.get(key)!r}, {value!r} was asked for")
