"""Fetch what the site ships from npm: pinned versions, checked hashes, only what is used.

python tools/vendor.py           refresh the vendored files and their manifests (needs npm)
python tools/vendor.py check     compare the committed files with the manifests (needs nothing)
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SITE = "book/_static/vendor"
TESTS = "tests/book/vendor"
MANIFEST = "VENDORED.json"

MATHJAX = [
    *(
        "startup",
        "core",
        "input/tex",
        "input/tex/extensions/ams",
        "input/tex/extensions/boldsymbol",
    ),
    *("output/chtml", "output/chtml/fonts/tex", "a11y/assistive-mml"),
]
MATHJAX_FONTS = [
    *("AMS-Regular", "Calligraphic-Regular", "Calligraphic-Bold", "Fraktur-Regular"),
    *("Main-Regular", "Main-Bold", "Main-Italic", "Math-Italic", "Math-BoldItalic"),
    *("Script-Regular", "Size1-Regular", "Size2-Regular", "Size3-Regular", "Size4-Regular"),
    *("SansSerif-Regular", "Typewriter-Regular", "Zero"),
]
WOFF = "output/chtml/fonts/woff-v2/MathJax_"


@dataclass(frozen=True)
class Package:
    """One npm package: which files go where, and the SHA-256 of its archive."""

    name: str
    version: str
    sha256: str
    licence: str
    folder: str
    files: dict[str, str]  # path in the package -> path in `folder`


def _fonts(stem: str, *faces: str) -> dict[str, str]:
    chosen = {f"files/{stem}-{face}.woff2": f"fonts/{stem}-{face}.woff2" for face in faces}
    return chosen | {"LICENSE": f"fonts/{stem}.LICENSE.txt"}


def _mathjax() -> dict[str, str]:
    scripts = [f"{name}.js" for name in MATHJAX]
    faces = [f"{WOFF}{name}.woff" for name in MATHJAX_FONTS]
    chosen = {f"es5/{name}": f"mathjax/{name}" for name in scripts + faces}
    return chosen | {"LICENSE": "mathjax/LICENSE.txt"}


PACKAGES = [
    Package(
        name="mathjax",
        version="3.2.2",
        sha256="1b9c0a1c44df864e915690558e72adb9cc5203360daefd385084ced3b6c64c09",
        licence="Apache-2.0",
        folder=SITE,
        files=_mathjax(),
    ),
    Package(
        name="@fontsource-variable/source-serif-4",
        version="5.3.1",
        sha256="8c452853c74be1e43e9fbfe76321c26f4678a2d431e93209ff1d9faec03fd96f",
        licence="OFL-1.1",
        folder=SITE,
        files=_fonts(
            "source-serif-4", "latin-wght-normal", "latin-wght-italic", "latin-ext-wght-normal"
        ),
    ),
    Package(
        name="@fontsource/ibm-plex-sans",
        version="5.3.0",
        sha256="232592af20ae413026cc705fc9c104135fb760432fd710f06a02c39e062d3213",
        licence="OFL-1.1",
        folder=SITE,
        files=_fonts(
            "ibm-plex-sans",
            *("latin-400-normal", "latin-600-normal", "latin-ext-400-normal", "greek-400-normal"),
        ),
    ),
    Package(
        name="@fontsource/ibm-plex-mono",
        version="5.3.0",
        sha256="60d3c0cfa549cb06fcb8867ee83f994d78e212abfac3bef3275436acb5c4d029",
        licence="OFL-1.1",
        folder=SITE,
        files=_fonts(
            "ibm-plex-mono", "latin-400-normal", "latin-600-normal", "latin-ext-400-normal"
        ),
    ),
    Package(
        name="reveal.js",
        version="5.2.1",
        sha256="359b575dd51bbda32f89b2fd4c7dc46ad7389a805572158916c29252f7a27333",
        licence="MIT",
        folder=SITE,
        files={
            "dist/reveal.js": "reveal/reveal.js",
            "dist/reveal.css": "reveal/reveal.css",
            "plugin/notes/notes.js": "reveal/notes.js",
            "LICENSE": "reveal/LICENSE.txt",
        },
    ),
    Package(
        name="axe-core",
        version="4.14.1",
        sha256="e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745",
        licence="MPL-2.0",
        folder=TESTS,
        files={"axe.min.js": "axe.min.js", "LICENSE": "axe.LICENSE.txt"},
    ),
]


def sha256(path: Path) -> str:
    """Hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pack(package: Package, work: Path) -> Path:
    """Download the package's archive with npm; SystemExit when its hash is not the pinned one."""
    spec = f"{package.name}@{package.version}"
    command = ["npm", "pack", spec, "--silent", "--pack-destination", str(work)]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    found = sha256(work / name)
    if found != package.sha256:
        wanted = f"the archive's SHA-256 is {found}, pinned is {package.sha256}"
        raise SystemExit(f"{spec}: {wanted}. Nothing was written.")
    return work / name


def unpack(package: Package, archive: Path) -> dict:
    """Copy the chosen files out of the archive and describe them for the manifest."""
    written = {}
    with tarfile.open(archive) as tar:
        for source, target in package.files.items():
            member = tar.extractfile(f"package/{source}")
            if member is None:
                raise SystemExit(f"{package.name} has no file {source}.")
            path = ROOT / package.folder / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(member.read())
            written[target] = sha256(path)
    return {
        "name": package.name,
        "version": package.version,
        "licence": package.licence,
        "archive_sha256": package.sha256,
        "files": written,
    }


def refresh() -> None:
    """Download everything first, then replace the folders and their manifests."""
    with tempfile.TemporaryDirectory() as work:
        archives = {package.name: pack(package, Path(work)) for package in PACKAGES}
        for folder in (SITE, TESTS):
            shutil.rmtree(ROOT / folder, ignore_errors=True)
            entries = [unpack(p, archives[p.name]) for p in PACKAGES if p.folder == folder]
            manifest = json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
            (ROOT / folder / MANIFEST).write_text(manifest, encoding="utf8")
            print(f"{folder}: {sum(len(e['files']) for e in entries)} files")


def check() -> list[str]:
    """Say which vendored files differ from the manifests, are missing, or are not in one."""
    problems = []
    for folder in (SITE, TESTS):
        base = ROOT / folder
        entries = json.loads((base / MANIFEST).read_text(encoding="utf8"))
        known = {name: digest for entry in entries for name, digest in entry["files"].items()}
        present = {p.relative_to(base).as_posix() for p in base.rglob("*") if p.is_file()} - {
            MANIFEST
        }
        problems += [
            f"{folder}/{name}: not in the manifest" for name in sorted(present - set(known))
        ]
        problems += [f"{folder}/{name}: missing" for name in sorted(set(known) - present)]
        problems += [
            f"{folder}/{name}: differs from the manifest"
            for name in sorted(present & set(known))
            if sha256(base / name) != known[name]
        ]
    return problems


def main(arguments: list[str]) -> int:
    """Refresh, or check."""
    if arguments == ["check"]:
        problems = check()
        print("\n".join(problems) or "The vendored files are those of the manifests.")
        return bool(problems)
    if arguments:
        print(__doc__)
        return 2
    refresh()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
