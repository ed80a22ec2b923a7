"""The trusted parent inside the sandbox: imports once, then forks a process for each submission.

It is started by the grader, inside bubblewrap where there is bubblewrap, and never runs a line of
a submission, nor reads one: an order carries only limits, a user id and the ends of the pipes that
lead straight to the grader. For each order it makes two processes::

    launcher ── reaper ── worker: the submission
                waits     its own user, no capabilities, a list of allowed system calls

With namespaces the reaper is process 1 of a new process namespace. When it ends, whatever the
submission has left behind is ended by the kernel. It lives in the submission's namespaces and is
therefore as confined as the submission, as another user. Without namespaces it gathers orphans, and
ends them itself.

When the grader dies, the control socket closes, the launcher ends, and all the rest with it.
"""

import contextlib
import fcntl
import gc
import importlib
import json
import os
import signal
import socket
import sys
from typing import NoReturn

from coursekit.grading.sandbox import worker
from coursekit.grading.sandbox.confine import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    check,
    confine,
    libc,
    limit_resources,
    mount_fresh,
)
from coursekit.grading.sandbox.limits import Limits
from coursekit.grading.sandbox.watch import tree

CLONE_NEWPID = 0x20000000
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWNET
NAMESPACES = 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x40000000
REQUESTS, REPLIES, LAST_FD = 3, 4, 1 << 16


def main(control: int, isolation: str, preload: list[str]) -> None:
    """Import ``preload``, say so, and fork for every order until the socket is closed.

    ``isolation`` is "namespaces", "user" or "none".
    """
    for signum in (signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):  # the last: children are reaped
        signal.signal(signum, signal.SIG_IGN)
    with socket.socket(fileno=control) as orders:
        orders.send(json.dumps(_import(preload)).encode())
        gc.collect()
        gc.freeze()  # a collection in a child would touch, and so copy, every page
        while True:
            raw, fds, _, _ = socket.recv_fds(orders, 1 << 16, 4)
            if not raw:
                return
            if _fork_first(isolation) == 0:
                _become_reaper(json.loads(raw), fds, isolation, orders)
            for fd in fds:
                os.close(fd)


def _fork_first(isolation: str) -> int:
    """Fork; with namespaces, the child is process 1 of a new process namespace."""
    if isolation != "namespaces":
        return os.fork()
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    try:
        check(libc.unshare(CLONE_NEWPID), "new process namespace")
        pid = os.fork()
        if pid:  # the next children are born in this namespace again, until the next order
            check(libc.setns(own, CLONE_NEWPID), "own process namespace")
        return pid
    finally:
        os.close(own)


def _import(names: list[str]) -> dict:
    failed = {}
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"[:200]
    threads = len(os.listdir("/proc/self/task"))
    return {"failed": failed, "threads": threads}


def _become_reaper(order: dict, fds: list[int], isolation: str, orders: socket.socket) -> NoReturn:
    """Isolate this process as ordered, fork the worker, and wait for its end."""
    os.close(orders.detach())
    requests, replies, output, status = fds
    launcher = os.getppid()
    try:
        for signum in (signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(signum, signal.SIG_DFL)
        limits = Limits(**order["limits"])
        if isolation == "namespaces":
            check(libc.unshare(NAMESPACES), "unshare")
            mount_fresh(limits.tmp_mb)
        else:
            check(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "subreaper")
        os.chdir(order["folder"])
        os.environ.update(HOME=order["folder"], TMPDIR=order["folder"])
        pid = os.fork()
        if pid == 0:
            _become_worker(order, limits, isolation, (requests, replies, output, status))
        if isolation == "namespaces":
            reaper = None if order["uid"] is None else order["uid"] + 1
            confine(reaper, sockets=False, dumpable=False)
        with socket.socket(fileno=status) as told:
            socket.send_fds(told, [b"reaper"], [os.pidfd_open(os.getpid())])
        os.closerange(0, LAST_FD)
        if isolation != "namespaces":
            _heed_the_launchers_end(launcher, order["uid"])
        while os.wait()[0] != pid:
            pass
        if isolation != "namespaces":
            _end_others(order["uid"])
    except BaseException as error:
        _fail(status, error)
    os._exit(0)


def _heed_the_launchers_end(launcher: int, uid: int | None) -> None:
    """End everything when the launcher ends, or asks for it with SIGTERM."""
    check(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "dumpable")
    signal.signal(signal.SIGTERM, lambda *_: _end_others(uid))
    check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0), "death signal")
    if os.getppid() != launcher:
        _end_others(uid)


def _end_others(uid: int | None) -> NoReturn:
    """End every process that descends from this one, or that is the user's, and then this one."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if uid is not None and os.fork() == 0:
        os.setresuid(uid, uid, uid)  # as that user, one call ends all of its processes at once
        os.kill(-1, signal.SIGKILL)
        os._exit(0)
    while others := [pid for pid in tree(os.getpid()) if pid != os.getpid()]:
        for pid in others:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    os._exit(0)


def _become_worker(
    order: dict, limits: Limits, isolation: str, fds: tuple[int, int, int, int]
) -> NoReturn:
    """Confine this process for good, and serve the submission."""
    status = os.dup(fds[3])
    try:
        os.setsid()
        status = _arrange(*fds)
        limit_resources(limits, own_user=isolation != "none")
        if isolation != "none":
            confine(order["uid"], sockets=isolation == "namespaces", dumpable=True)
        os.write(status, b"worker")
        os.close(status)
    except BaseException as error:
        _fail(status, error)
    with contextlib.suppress(BaseException):
        worker.serve(REQUESTS, REPLIES)
    os._exit(0)


def _arrange(requests: int, replies: int, output: int, status: int) -> int:
    """Leave open: nothing on 0, output on 1 and 2, requests on 3, replies on 4, and status."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    wanted = (nothing, output, output, requests, replies, status)
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 64) for fd in wanted]  # out of the way first
    for place, fd in enumerate(high):
        os.dup2(fd, place)
    os.closerange(6, LAST_FD)
    return 5


def _fail(status: int, error: BaseException) -> NoReturn:
    with contextlib.suppress(OSError):
        os.write(status, f"{type(error).__name__}: {error}".encode()[:1000])
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
