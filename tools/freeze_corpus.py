"""Freeze the book's own text, as it is at a commit, into the corpus that language models train on.

    python tools/freeze_corpus.py VERSION COMMIT    writes src/coursekit/data/corpora/book-VERSION…
    python tools/freeze_corpus.py VERSION COMMIT --pages 'book/*.md'    only these pages

A version that exists is never written again with other text: a model was trained on it. What is
left out of a page is what all pages share: the header, and the cell that installs the library.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import shlex
import subprocess
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "src" / "coursekit" / "data" / "corpora"
PAGES = ("README.md", "CONTRIBUTING.md", "book/[!_]*.md", "solutions/*/notebook.md")
HEADER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
SHARED_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n:tags: \[remove-cell\]\n.*?^```\n", re.M | re.S)
FENCE = re.compile(r"^(`{3,}|~{3,})", re.M)
START = re.compile(r"^(?:##? |### |<!-- question: )")
LEAST = 400
"""A section shorter than this, in characters, stays with the one before it."""


def git(*arguments: str) -> str:
    """Output of a git command."""
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def pages(commit: str, patterns: Sequence[str] = PAGES) -> dict[str, str]:
    """Text of every page that has prose, by its path."""
    names = git("ls-tree", "-r", "--name-only", commit).splitlines()
    wanted = [n for n in names if any(fnmatch(n, pattern) for pattern in patterns)]
    texts = {name: git("show", f"{commit}:{name}") for name in wanted}
    texts = {name: SHARED_CELL.sub("", HEADER.sub("", text)) for name, text in texts.items()}
    return {name: text for name, text in texts.items() if len(text) > 2 * LEAST}


def sections(text: str) -> list[str]:
    """Cut a page before each heading and each question; code is never cut."""
    parts, fence = [""], ""
    for line in text.splitlines(keepends=True):
        mark = FENCE.match(line)
        if mark and (not fence or line.startswith(fence)):
            fence = "" if fence else mark[1]
        if not fence and START.match(line) and len(parts[-1]) >= LEAST:
            parts.append("")
        parts[-1] += line
    return [part.strip() + "\n" for part in parts if part.strip()]


def documents(commit: str, patterns: Sequence[str] = PAGES) -> list[dict[str, str]]:
    """Return the corpus: one document for each section, in the order of pages."""
    return [
        {"name": f"{page}#{i}", "text": text}
        for page, whole in sorted(pages(commit, patterns).items())
        for i, text in enumerate(sections(whole))
    ]


def main() -> None:
    """Write a version, with its entry in the manifest."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("version", type=int)
    parser.add_argument("commit")
    parser.add_argument("--pages", nargs="+", default=PAGES, help="Patterns of paths.")
    wanted = parser.parse_args()
    commit = git("rev-parse", f"{wanted.commit}^{{commit}}").strip()
    found = documents(commit, wanted.pages)
    only = "" if wanted.pages == PAGES else " --pages " + shlex.join(wanted.pages)
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()
    path, manifest = FOLDER / f"book-{wanted.version}.json.gz", FOLDER / "manifest.json"
    entries = json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
    entry = {
        "file": path.name,
        "sha256": hashlib.sha256(text).hexdigest(),
        "commit": commit,
        "documents": len(found),
        "bytes": sum(len(d["text"].encode()) for d in found),
        "command": f"python tools/freeze_corpus.py {wanted.version} {commit}{only}",
        "licence": "text CC BY 4.0, code BSD-3-Clause, both of this repository",
    }
    if entries.get(f"book-{wanted.version}", entry) != entry:
        raise SystemExit(f"{path.name} is frozen with other text; take the next number.")
    entries[f"book-{wanted.version}"] = entry
    path.write_bytes(gzip.compress(text, 9, mtime=0))
    manifest.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {len(found)} documents, {entry['bytes']:,} bytes of text")


if __name__ == "__main__":
    main()
