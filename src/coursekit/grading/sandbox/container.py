"""The tier "container": Podman (without root) or Docker, and an image of the teacher's.

The engine isolates: no network, a read-only root, no capabilities, no new privileges, limits on
memory and processes. Inside, the worker adds the limits and the list of system calls of the other
tiers before a submission runs. The image needs Python and coursekit with what the assignment
imports; its name is in the environment variable ``COURSEKIT_IMAGE``::

    FROM python:3.11-slim
    RUN pip install coursekit[torch]

Each session is a container of its own.
"""

import contextlib
import dataclasses
import json
import os
import secrets
import shutil
import subprocess

from coursekit.grading.sandbox.limits import Limits
from coursekit.grading.sandbox.parent import ENVIRONMENT, Box

ENGINES, IMAGE = ("podman", "docker"), "COURSEKIT_IMAGE"
MODULE = "coursekit.grading.sandbox.contained"
NOBODY = "65534:65534"
# The container's own processes: its first one, and the engine's.
OVERHEAD_PROCESSES = 16


def engine() -> str | None:
    """Path of the container engine, or None."""
    return next(filter(None, map(shutil.which, ENGINES)), None)


def why_not() -> str:
    """Say why this tier is not usable here; an empty string where it is."""
    program, image = engine(), os.environ.get(IMAGE)
    if program is None:
        return f"neither {' nor '.join(ENGINES)} is installed"
    if not image:
        return f"{IMAGE} does not name an image that holds Python and coursekit"
    try:
        inspect = [program, "image", "inspect", image]
        done = subprocess.run(inspect, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{program} cannot be run: {error}"
    return "" if done.returncode == 0 else f"{program}: {done.stderr.strip()[-300:]}"


def command(program: str, image: str, name: str, limits: Limits) -> list[str]:
    """Write the engine's command line."""
    tmp = f"rw,nosuid,nodev,noexec,mode=1777,size={limits.tmp_mb}m"
    environment = {**ENVIRONMENT, "HOME": "/tmp", "TMPDIR": "/tmp", "USER": "student"}
    return [
        *(program, "run", "--rm", "--interactive", "--name", name),
        *("--network", "none", "--read-only", "--cap-drop", "ALL"),
        *("--security-opt", "no-new-privileges", "--user", NOBODY, "--ipc", "private"),
        *("--pids-limit", str(limits.processes + OVERHEAD_PROCESSES)),
        *("--memory", f"{limits.memory_mb}m", "--memory-swap", f"{limits.memory_mb}m"),
        *("--tmpfs", f"/tmp:{tmp}", "--shm-size", f"{limits.tmp_mb}m", "--workdir", "/tmp"),
        *("--log-driver", "none"),
        *(part for item in environment.items() for part in ("--env", "=".join(item))),
        *(image, "python", "-s", "-P", "-u", "-m", MODULE),
        json.dumps(dataclasses.asdict(limits)),
    ]


def start(limits: Limits) -> Box:
    """Start a container and return the way to its worker, over the engine's standard streams."""
    program, image = engine() or ENGINES[0], os.environ.get(IMAGE, "")
    name = f"coursekit-{secrets.token_hex(8)}"
    process = subprocess.Popen(
        command(program, image, name, limits),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    streams = [s for s in (process.stdin, process.stdout, process.stderr) if s]
    requests, replies, output = (os.dup(stream.fileno()) for stream in streams)
    for stream in streams:
        stream.close()

    def kill() -> None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run([program, "kill", name], capture_output=True, timeout=30, check=False)
        process.kill()

    def close() -> None:
        kill()
        process.wait()
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            remove = [program, "rm", "--force", name]
            subprocess.run(remove, capture_output=True, timeout=30, check=False)

    return Box(requests, replies, output, process.pid, kill, close)
