"""Every limit trips, soon, and leaves nothing behind. The bombs here are small on purpose."""

from __future__ import annotations

import time

import pytest

from coursekit.grading import wire
from coursekit.grading.sandbox import Limits, SandboxDied, open_session
from coursekit.grading.sandbox.confine import PROCESS_SLACK
from coursekit.grading.sandbox.watch import of_uid

SMALL = {"memory_mb": 256, "tmp_mb": 8, "file_mb": 4}
# The watch looks every 20 ms, and a busy machine may keep it waiting ten times as long.
OVERSHOOT_MB = 512

LEAK = """
def f():
    kept = []
    while True:
        kept.append(b"x" * (4 << 20))
"""
LEAK_IN_CHILDREN = """
import os, time
def f():
    for _ in range(8):
        if os.fork() == 0:
            kept = [bytes([1]) * (1 << 20) for _ in range(60)]
            time.sleep(60)
    time.sleep(60)
"""
GENERATIONS = """
import os
def f():
    while True:
        kept = bytes([1]) * (40 << 20)
        if os.fork():
            import time; time.sleep(60)
"""


def end_of(sandbox, code: str, seconds: float = 10.0, **limits: float) -> SandboxDied:
    """How the submission ends, which must be by a limit."""
    with pytest.raises(SandboxDied) as died:
        sandbox.ask(code, seconds=seconds, **{**SMALL, **limits})
    return died.value


@pytest.mark.parametrize(
    "leak", [LEAK, LEAK_IN_CHILDREN, GENERATIONS], ids=["one", "children", "generations"]
)
def test_memory_is_limited_for_all_processes_together(sandbox, leak: str) -> None:
    with sandbox.open(leak, **SMALL) as session:
        with pytest.raises(SandboxDied) as died:
            session.call("f", wire.encode(()), "", 20.0)
        assert died.value.reason == "memory limit"
        assert 256 < session.peak_mb < 256 + OVERSHOOT_MB


def test_memory_cannot_hide_in_shared_mappings(sandbox) -> None:
    code = """
import mmap
def f():
    tried = []
    for flags in (mmap.MAP_SHARED, mmap.MAP_SHARED | 0x40000, mmap.MAP_PRIVATE | 0x40000, 3):
        try:
            room = mmap.mmap(-1, 4 << 20, flags=flags | mmap.MAP_ANONYMOUS)
        except OSError as error:
            tried.append(error.strerror)
        else:
            room.write(b"x" * (4 << 20))
            room.madvise(mmap.MADV_DONTNEED)  # the size of the process shrinks; the memory stays
    mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).write(b"x")
    return tried
"""
    assert sandbox.ask(code, **SMALL).value == ["Permission denied"] * 4


def test_tables_that_map_nothing_are_counted(sandbox) -> None:
    code = """
import mmap, os, time
def f():
    for _ in range(20):
        if os.fork() == 0:
            room = mmap.mmap(-1, 8 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=1)
            for at in range(0, 8 << 30, 2 << 20):
                room[at]  # reads the one page of zeros; needs a table of 4 KiB each time
            time.sleep(60)
    time.sleep(60)
"""
    assert end_of(sandbox, code, memory_mb=128).reason == "memory limit"


def test_pages_that_processes_share_are_counted_once(sandbox) -> None:
    code = """
import os, time
kept = bytes([1]) * (100 << 20)
def f():
    for _ in range(4):
        if os.fork() == 0:
            time.sleep(60)
    time.sleep(0.3)
    return len(kept) >> 20
"""
    assert sandbox.ask(code, **SMALL).value == 100


def test_one_huge_request_for_memory_is_an_exception_of_the_submission(sandbox) -> None:
    reply = sandbox.ask("def f(): return len(bytearray(8 << 30))", **SMALL)
    assert reply.error == "MemoryError"


def test_open_pipes_are_limited(sandbox) -> None:
    code = """
import os, time
def f():
    for _ in range(8):
        if os.fork() == 0:
            kept = [os.pipe() for _ in range(20)]
            time.sleep(60)
    time.sleep(60)
"""
    died = end_of(sandbox, code, files=64)
    assert (died.reason, died.detail[-14:]) == ("memory limit", "pipes were open"[-14:])


def test_a_fork_bomb_is_bounded_and_ended(sandbox) -> None:
    code = """
import os
def f():
    while True:
        try:
            os.fork()
        except OSError:
            pass
"""
    with sandbox.open("import os\ndef uid(): return os.getuid()", code, processes=16) as session:
        uid = session.call("uid", wire.encode(()), "", 5.0).value
        with pytest.raises(SandboxDied) as died:
            session.call("f", wire.encode(()), "", 5.0)
    assert died.value.reason == "process limit"
    running = int(died.value.detail.split()[0])
    assert running <= 16 + PROCESS_SLACK  # where the kernel refuses
    assert of_uid(uid) == []


def test_threads_count_as_processes(sandbox) -> None:
    code = """
import threading, time
def f():
    try:
        while True:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    except RuntimeError:
        time.sleep(60)
"""
    assert end_of(sandbox, code, processes=16).reason == "process limit"


def test_the_temporary_folders_are_small(sandbox) -> None:
    code = """
import os
def f(folder):
    n = 0
    try:
        for i in range(64):
            with open(f"{folder}/{i}", "wb") as file:
                n += file.write(b"x" * (1 << 20))
    except OSError as error:
        return error.strerror, n
    import time; time.sleep(2)
"""
    for folder in ("/tmp", "/dev/shm"):
        if sandbox.tier == "user":
            with pytest.raises(SandboxDied, match="disk limit"):
                sandbox.ask(code, folder, **SMALL)
        else:
            said, written = sandbox.ask(code, folder, **SMALL).value
            assert said == "No space left on device"
            assert written <= 8 << 20


def test_a_deleted_file_counts_while_it_is_open(sandbox) -> None:
    code = """
import tempfile, time
def f():
    kept = []
    for _ in range(10):
        kept.append(tempfile.TemporaryFile())
        kept[-1].write(b"x" * (3 << 20))
    time.sleep(5)
"""
    if sandbox.tier == "user":
        assert end_of(sandbox, code).reason == "disk limit"
    else:
        assert sandbox.ask(code, **SMALL).error == "OSError"


def test_a_file_is_limited(sandbox) -> None:
    code = """
import signal
def f():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open("big", "wb") as file:
        file.truncate(6 << 20)
"""
    assert sandbox.ask(code, **SMALL).message == "[Errno 27] File too large"


def test_printing_is_limited(sandbox) -> None:
    code = "import os\ndef f():\n    while True: os.write(1, b'x' * 65536)"
    died = end_of(sandbox, code, output_bytes=1 << 20)
    assert died.reason == "output limit"
    assert len(died.output) <= 1 << 20


def test_a_reply_is_limited(sandbox) -> None:
    code = "def f(): return 'x' * 3_000_000"
    assert end_of(sandbox, code, reply_bytes=1 << 20).reason == "reply limit"


def test_cpu_time_is_limited_for_all_processes_together(sandbox) -> None:
    code = """
import os
def f():
    for _ in range(3):
        os.fork()
    while True:
        pass
"""
    died = end_of(sandbox, code, seconds=30.0, cpu_s=1)
    assert (died.reason, died.detail) == ("time limit", "1 CPU seconds were used")


def test_all_calls_together_are_limited(sandbox) -> None:
    code = "import time\ndef f(): time.sleep(0.4)"
    with sandbox.open(code, total_s=1.0) as session:
        with pytest.raises(SandboxDied) as died:
            [session.call("f", wire.encode(()), "", 5.0) for _ in range(10)]
        assert died.value.reason == "total time limit"
        with pytest.raises(SandboxDied, match="the session is closed"):
            session.call("f", wire.encode(()), "", 5.0)


def test_a_call_that_cannot_be_interrupted_ends_in_time(sandbox) -> None:
    code = """
import signal
def f():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    while True:
        pass
"""
    began = time.monotonic()
    assert end_of(sandbox, code, seconds=0.3).reason == "time limit"
    assert time.monotonic() - began < 10


def test_cells_that_cannot_be_interrupted_end_in_time(sandbox) -> None:
    code = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [14])\nwhile True: pass"
    assert end_of(sandbox, code, start_s=1.0).reason == "time limit"


def test_a_limit_cannot_be_raised_again(sandbox) -> None:
    code = """
import resource
def f():
    kinds = [getattr(resource, k) for k in dir(resource) if k.startswith("RLIMIT_")]
    for kind in kinds:
        before = resource.getrlimit(kind)
        try:
            resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except (ValueError, OSError):
            continue
        if before[1] != resource.RLIM_INFINITY:
            return "raised"
    return [resource.getrlimit(k)[1] for k in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)]
"""
    assert sandbox.ask(code, files=100).value == [100, 0]


def test_the_next_submission_is_not_affected(sandbox) -> None:
    end_of(sandbox, LEAK)
    assert sandbox.ask("def f(): return 1").value == 1


def test_the_unsafe_tier_keeps_memory_and_time_limited_too() -> None:
    with (
        open_session([LEAK], tier="unsafe", limits=Limits(**SMALL)) as session,
        pytest.raises(SandboxDied, match="memory limit"),
    ):
        session.call("f", wire.encode(()), "", 20.0)
