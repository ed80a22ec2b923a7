"""Which tier is chosen, what is said where there is none, and the tiers that others provide."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from coursekit.grading import wire
from coursekit.grading.sandbox import (
    TIERS,
    Limits,
    NoSandboxError,
    Pool,
    SandboxDied,
    available,
    bubblewrap,
    choose,
    container,
    open_session,
    tiers,
    users,
)

NONE = dict.fromkeys(TIERS, "not here") | {"unsafe": ""}


def usable(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Pretend that exactly these tiers are usable."""
    found = {t: "" if t in names or t == "unsafe" else "not here" for t in TIERS}
    monkeypatch.setattr(tiers, "available", lambda: dict(found))


def test_the_best_usable_tier_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for i, tier in enumerate(TIERS[:-1]):
        usable(monkeypatch, *TIERS[i:])
        assert choose() == tier
        assert choose(unsafe=True) == tier
        assert choose(tier) == tier


def test_without_a_sandbox_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    usable(monkeypatch)
    with pytest.raises(NoSandboxError) as refused:
        choose()
    said = str(refused.value)
    for words in ("nothing was run", "apt install bubblewrap", "With --unsafe", "with your rights"):
        assert words in said
    assert choose(unsafe=True) == "unsafe"


def test_unsafe_has_to_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    usable(monkeypatch, "bubblewrap")
    with pytest.raises(NoSandboxError, match="it has to be asked for with --unsafe"):
        choose("unsafe")
    assert choose("unsafe", unsafe=True) == "unsafe"


def test_a_requested_tier_is_never_replaced_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    usable(monkeypatch, "bubblewrap")
    with pytest.raises(NoSandboxError, match="user: not here"):
        choose("user", unsafe=True)
    with pytest.raises(NoSandboxError, match="There is no sandbox 'chroot'"):
        choose("chroot")


def test_a_missing_bubblewrap_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "PROGRAM", "bwrap-is-not-here")
    assert "not installed" in bubblewrap.why_not()


def test_a_bubblewrap_that_fails_is_quoted(monkeypatch, tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'setting up uid map: Permission denied' >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "PROGRAM", str(program))
    assert "uid map: Permission denied" in bubblewrap.why_not()
    with pytest.raises(SandboxDied, match=r"start failed.*uid map: Permission denied"):
        open_session([], tier="bubblewrap")


def test_the_user_tier_is_for_containers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(users.IN_CONTAINER, raising=False)
    reason = available()["user"]
    assert "--in-container" in reason or "only root" in reason


def test_elsewhere_than_on_linux_nothing_is_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert set(available().values()) == {"the grader runs on Linux, and this is darwin"}
    with pytest.raises(NoSandboxError):
        choose(unsafe=True)


def test_an_import_that_fails_is_said_when_a_pool_starts() -> None:
    pool = Pool("unsafe", preload=("no_such_module_here",))
    with pytest.raises(SandboxDied, match="No module named 'no_such_module_here'"):
        pool.open([])


def test_a_pool_whose_launcher_was_killed_starts_another() -> None:
    with Pool("unsafe", preload=()) as pool:
        with pool.open(["def f(): import os; return os.getppid()"]) as session:
            reaper = session.call("f", wire.encode(()), "", 5).value
            status = Path(f"/proc/{reaper}/status").read_text(encoding="ascii")
        launcher = int(re.search(r"PPid:\s+(\d+)", status)[1])
        os.kill(launcher, 9)
        os.waitid(os.P_PID, launcher, os.WEXITED | os.WNOWAIT)
        with pool.open(["def f(): return 1"]) as session:
            assert session.call("f", wire.encode(()), "", 5).value == 1


def test_a_pool_is_not_shared_between_processes() -> None:
    with Pool("unsafe", preload=()) as pool:
        pool.open([]).close()
        if (pid := os.fork()) == 0:
            try:
                pool.open([])
            except RuntimeError:
                os._exit(0)
            os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0


def test_two_claims_never_share_a_user() -> None:
    claims = [users.Claim(3) for _ in range(4)]
    assert len({uid for c in claims for uid in (c.uid, c.uid + 1)}) == 8
    for claim in claims:
        claim.release()
    again = users.Claim(3)
    assert again.uid == claims[0].uid
    again.release()


ENGINE = """\
#!{python}
import json, os, subprocess, sys
log = {log!r}
with open(log, "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
what = sys.argv[1]
if what == "run":
    with open(log + ".pid", "w") as file:
        file.write(str(os.getpid()))
    environment = dict(os.environ)
    for option, value in zip(sys.argv, sys.argv[1:]):
        if option == "--env":
            environment.update([value.split("=", 1)])
    inside = sys.argv[sys.argv.index("an-image") + 1:]
    os.execve({python!r}, [{python!r}, *inside[1:]], environment)
elif what == "kill":
    os.kill(int(open(log + ".pid").read()), 9)
elif what == "image" and sys.argv[-1] != "an-image":
    sys.exit("no such image")
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Podman that writes down its arguments and runs the command without isolation.

    Returns the file with the arguments, one call a line.
    """
    log, program = tmp_path / "calls.jsonl", tmp_path / "podman"
    text = ENGINE.format(python=sys.executable, log=str(log))
    program.write_text(textwrap.dedent(text), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv(container.IMAGE, "an-image")
    return log


def calls(log: Path) -> list[list[str]]:
    """What the engine was asked."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def test_a_container_answers_and_is_removed(engine: Path) -> None:
    assert available()["container"] == ""
    limits = Limits(memory_mb=512, processes=32, tmp_mb=8)
    cells = ["import os\nprint('hello')\nraise ValueError", "def f(x): return x + 1, os.getcwd()"]
    with open_session(cells, tier="container", limits=limits) as session:
        assert session.call("f", wire.encode((1,)), "", 10).value[0] == 2
        assert session.cell_errors == [(1, "ValueError: ")]
    assert session.output == "hello\n"
    run = next(call for call in calls(engine) if call[0] == "run")
    name = run[run.index("--name") + 1]
    assert [call for call in calls(engine) if call[0] in ("kill", "rm")] == [
        ["kill", name],
        ["rm", "--force", name],
    ]


def test_a_container_is_started_without_rights_network_or_disk(engine: Path) -> None:
    limits = Limits(memory_mb=512, processes=32, tmp_mb=8)
    with open_session([], tier="container", limits=limits):
        pass
    run = next(call for call in calls(engine) if call[0] == "run")
    options = run[: run.index("an-image")]
    for pair in [
        *(("--network", "none"), ("--cap-drop", "ALL"), ("--user", "65534:65534")),
        *(("--security-opt", "no-new-privileges"), ("--memory", "512m"), ("--ipc", "private")),
        *(("--memory-swap", "512m"), ("--shm-size", "8m"), ("--pids-limit", "48")),
        ("--tmpfs", "/tmp:rw,nosuid,nodev,noexec,mode=1777,size=8m"),
    ]:
        assert options[options.index(pair[0]) + 1] == pair[1]
    assert {"--rm", "--read-only", "--interactive"} <= set(options)
    assert not {"--privileged", "--volume", "-v", "--mount", "--device", "--tty"} & set(options)


def test_inside_a_container_calls_are_filtered_too(engine: Path) -> None:
    code = """
import socket
def f():
    lines = [line.split() for line in open("/proc/self/status")]
    status = {line[0]: line[1] for line in lines if len(line) > 1}
    try:
        socket.socket()
    except OSError as error:
        return status["Seccomp:"], status["NoNewPrivs:"], status["CapEff:"], error.strerror
"""
    with open_session([code], tier="container") as session:
        said = session.call("f", wire.encode(()), "", 10).value
    assert said == ("2", "1", "0" * 16, "Permission denied")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os\ndef f(): os._exit(0)", "ended"),
        ("def f():\n    while True: print('x' * 999)", "output limit"),
        ("import os\ndef f():\n    while True: os.write(2, b'x' * 999)", "output limit"),
        (
            "import signal\ndef f():\n    signal.pthread_sigmask(0, [14])\n    while True: pass",
            "time limit",
        ),
    ],
)
def test_a_container_that_misbehaves_is_killed(engine: Path, code: str, reason: str) -> None:
    if "print" in code:
        code = code.replace("print(", "__import__('os').write(1, b'y' * 999) and (")
    seconds = 0.5 if reason == "time limit" else 10
    with (
        open_session([code], tier="container", limits=Limits(output_bytes=10_000)) as session,
        pytest.raises(SandboxDied) as died,
    ):
        session.call("f", wire.encode(()), "", seconds)
    assert died.value.reason == reason
    run = next(call for call in calls(engine) if call[0] == "run")
    name = run[run.index("--name") + 1]
    assert ["kill", name] in calls(engine)
    assert ["rm", "--force", name] in calls(engine)


def test_an_image_that_is_missing_is_named(engine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(container.IMAGE, "another-image")
    assert "no such image" in available()["container"]
    monkeypatch.delenv(container.IMAGE)
    assert available()["container"].startswith(container.IMAGE)


ORDINARY = """
import os
from coursekit.grading import wire
from coursekit.grading.sandbox import Limits, Pool, SandboxDied, bubblewrap, open_session
assert os.getuid() == 65534
reason = bubblewrap.why_not()
if reason:
    print("SKIP", reason)
    raise SystemExit
code = '''
import os, socket
def f():
    lines = [line.split() for line in open("/proc/self/status")]
    status = {line[0]: line[1] for line in lines if len(line) > 1}
    reached = []
    for attempt in (
        lambda: os.kill(1, 9), lambda: open("/proc/1/mem"), lambda: open("/x", "w"),
        lambda: socket.socket(), lambda: os.listdir("/proc/1/fd"), lambda: os.setuid(0),
    ):
        try:
            attempt(); reached.append(1)
        except OSError:
            reached.append(0)
    return status["CapEff:"], status["Seccomp:"], reached, os.path.exists("/tmp/x")
def g(): open("/tmp/x", "w").close()
def bomb():
    kept = []
    while True: kept.append(b"x" * (4 << 20))
def forks():
    while True:
        try: os.fork()
        except OSError: pass
'''
# A signal from inside to process 1 of a namespace is dropped, which is no error; all else is.
wanted = ("0" * 16, "2", [1, 0, 0, 0, 0, 0], False)
limits = Limits(memory_mb=256, processes=16, tmp_mb=8)
nothing = wire.encode(())
with Pool("bubblewrap") as pool:
    for source in (None, pool, pool):
        with open_session([code], tier="bubblewrap", pool=source, limits=limits) as session:
            reply = session.call("f", nothing, "", 10)
            assert reply.value == wanted, reply
            session.call("g", nothing, "", 10)
        for name, reason in (("bomb", "memory limit"), ("forks", "process limit")):
            with open_session([code], tier="bubblewrap", pool=source, limits=limits) as session:
                try:
                    print(session.call(name, nothing, "", 10))
                except SandboxDied as died:
                    assert died.reason == reason, died
                else:
                    raise AssertionError(name)
print("HELD")
"""


def test_an_ordinary_user_gets_the_same_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root tries it as the user nobody; without root, every other test here is this one."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    monkeypatch.setenv(users.IN_CONTAINER, "1")
    program, environment = users.python_for_all()
    if users.why_not():
        program = "/usr/bin/python3"  # this one lives in root's home
    done = subprocess.run(
        [program, "-c", ORDINARY],
        capture_output=True,
        text=True,
        env=environment,
        cwd="/",
        user=65534,
        group=65534,
        extra_groups=[],
        timeout=120,
        check=False,
    )
    if "SKIP" in done.stdout or "No module named" in done.stderr:
        pytest.skip(done.stdout or done.stderr)
    assert done.stdout.strip() == "HELD", done.stdout + done.stderr
