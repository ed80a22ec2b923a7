"""Gather a version's files into dist/: wheel, notebooks, slides, EPUB, site, their checksums."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KINDS = ("whl", "zip", "epub")


def gather(site: Path, target: Path) -> list[Path]:
    """Copy the built files, pack the site, write SHA256SUMS; return all of them."""
    downloads = [file for kind in KINDS for file in sorted(site.glob(f"downloads/*.{kind}"))]
    if len(downloads) != 4:
        raise FileNotFoundError(f"{site} holds no complete build; run `make book` first")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    files = [Path(shutil.copy2(file, target)) for file in downloads]
    files.append(Path(shutil.make_archive(str(target / "site"), "gztar", site)))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in files]
    (target / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    return [*files, target / "SHA256SUMS"]


if __name__ == "__main__":
    try:
        for made in gather(ROOT / "_build" / "html", ROOT / "dist"):
            print(made)
    except FileNotFoundError as error:
        sys.exit(str(error))
