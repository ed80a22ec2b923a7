"""The tier "bubblewrap": a view of the machine that holds Python, the libraries, and nothing else.

What bubblewrap makes, once, for the launcher: new namespaces (mounts, processes, network, IPC, host
name), and a root that is empty but for read-only mounts of the C library (``/usr/lib``), this
Python, its installed packages and the package coursekit. There is no home, no checkout, no
solutions, no gradebook, no shell and no other program in it. What the launcher then makes for each
submission is in :mod:`coursekit.grading.sandbox.launcher`.

bubblewrap: https://github.com/containers/bubblewrap
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import coursekit
from coursekit.grading.sandbox.parent import ENVIRONMENT, Parent
from coursekit.grading.sandbox.users import is_root

PROGRAM = "bwrap"
SITE, OWN_PYTHON = "/site", "/python"
TMP_BYTES = str(16 << 20)
NOBODY = "65534"
# The launcher needs these to make namespaces and drop users; a submission gets none.
RIGHTS = ("CAP_SYS_ADMIN", "CAP_SETPCAP")
ROOT_RIGHTS = (*RIGHTS, "CAP_SETUID", "CAP_SETGID")


def start(preload: tuple[str, ...]) -> Parent:
    """Start a launcher inside bubblewrap."""
    python, mounts, environment = python_inside()
    command = [*_namespaces(), *mounts, "--chdir", "/tmp", "--", python, "-s", "-P", "-u"]
    return Parent(command, "namespaces", preload, environment)


def why_not() -> str:
    """Say why this tier is not usable here; an empty string where it is."""
    if shutil.which(PROGRAM) is None:
        return "bubblewrap is not installed (Debian, Ubuntu, Fedora: install package bubblewrap)"
    try:
        python, mounts, environment = python_inside()
        done = subprocess.run(
            [*_namespaces(), *mounts, "--", python, "-s", "-P", "-c", "import coursekit.grading"],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap cannot be tried: {error}"
    return "" if done.returncode == 0 else f"bubblewrap fails: {done.stderr.strip()[-300:]}"


def _namespaces() -> list[str]:
    """Program and options that shut the launcher off."""
    rights = ROOT_RIGHTS if is_root() else RIGHTS
    own_user = [] if is_root() else ["--unshare-user", "--uid", NOBODY, "--gid", NOBODY]
    return [
        *(shutil.which(PROGRAM) or PROGRAM, *own_user),
        *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"),
        # As process 1 of its namespace the launcher takes all others with it when it ends.
        *("--unshare-cgroup-try", "--as-pid-1", "--hostname", "sandbox", "--cap-drop", "ALL"),
        *(part for right in rights for part in ("--cap-add", right)),
    ]


def python_inside() -> tuple[str, list[str], dict[str, str]]:
    """Name the interpreter inside, the mounts that it needs, and its environment.

    Works for a system's Python, for one below a home folder (mounted at ``/python``), for a
    virtual environment of either, and for coursekit installed or in a checkout. ``.pth`` files are
    not read inside.
    """
    program = Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
    base = Path(sys.base_prefix).resolve()
    inside = base if base.is_relative_to("/usr") else Path(OWN_PYTHON)
    sites = _sites()
    mounts = ["--tmpfs", "/", *_system(), *_bind(program, inside / "bin" / program.name)]
    if str(inside) != "/usr":
        mounts += _bind(base / "lib", inside / "lib")
        packages = Path(sysconfig.get_path("stdlib")) / "site-packages"
        if packages.is_dir():  # the base Python's packages are not those of a virtual environment
            mounts += ["--tmpfs", str(inside / packages.relative_to(base))]
    for site, place in sites.items():
        mounts += _bind(site, place)
    mounts += ["--remount-ro", "/"]
    paths = dict.fromkeys(p.parent if p.name == "coursekit" else p for p in sites.values())
    environment = {
        **ENVIRONMENT,
        "PATH": "/nowhere",
        "HOME": "/tmp",
        "TMPDIR": "/tmp",
        "USER": "student",
        "LANG": "C.UTF-8",
        "PYTHONPATH": ":".join(map(str, paths)),
        "LD_LIBRARY_PATH": str(inside / "lib"),
    }
    return str(inside / "bin" / program.name), mounts, environment


def _sites() -> dict[Path, Path]:
    """Folders of installed packages, and of coursekit where it is not in one of them: place."""
    installed = [
        Path(p).resolve()
        for p in sys.path
        if Path(p).name in ("site-packages", "dist-packages") and Path(p).is_dir()
    ]
    package = Path(coursekit.__file__).resolve().parent
    own = [] if package.parent in installed else [package]
    place = {package: Path(SITE, "own", "coursekit")}
    return {p: place.get(p, Path(SITE, str(i))) for i, p in enumerate([*own, *installed])}


def _system() -> list[str]:
    """Mounts of the C library and of the devices that a program may expect."""
    mounts: list[str] = []
    for place in (Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/lib32")):
        if place.is_dir():
            mounts += _bind(place, place)
    for name in ("lib", "lib64", "lib32"):
        place = Path("/", name)
        if place.is_symlink():
            mounts += ["--symlink", os.readlink(place), str(place)]
        elif place.is_dir():
            mounts += _bind(place, place)
    cache = Path("/etc/ld.so.cache")
    if cache.is_file():
        mounts += _bind(cache, cache)
    mounts += ["--proc", "/proc", "--tmpfs", "/dev"]
    # Not /dev/zero: shared mappings of it are memory that no process's size shows.
    for device in ("null", "random", "urandom"):
        mounts += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        mounts += ["--symlink", f"/proc/self/fd{target}", f"/dev/{name}"]
    for writable in ("/tmp", "/dev/shm"):
        mounts += ["--perms", "1777", "--size", TMP_BYTES, "--tmpfs", writable]
    return mounts


def _bind(source: Path, place: Path) -> list[str]:
    """Mount ``source``, readable only, at ``place``, whose parents every user may pass."""
    parents = [str(p) for p in reversed(place.parents) if p != Path("/")]
    dirs = [part for p in parents for part in ("--perms", "0755", "--dir", p)]
    return [*dirs, "--ro-bind", str(source), str(place)]
