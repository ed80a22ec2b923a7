"""What a verdict depends on: recorded with every result, compared when one is replayed."""

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import coursekit

PACKAGES = ("numpy", "scipy", "torch")


@cache
def versions() -> dict[str, str]:
    """Versions of coursekit (with a hash of its source), Python, NumPy and PyTorch."""
    found = {"coursekit": f"{coursekit.__version__} {source_digest()[:12]}"}
    found["python"] = platform.python_version()
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@cache
def source_digest() -> str:
    """SHA-256 of the Python files of the package: two installations with it grade alike."""
    home = Path(coursekit.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(home.rglob("*.py")):
        digest.update(f"{path.relative_to(home).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()
