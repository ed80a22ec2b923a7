"""How long a page takes to read, from its Markdown: one estimate for the site and the downloads."""

from __future__ import annotations

import re

WORDS_A_MINUTE = 180  # of technical prose
CODE_LINES_A_MINUTE = 12
HEADER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
CODE_CELL = re.compile(r"^```\{code-cell\}.*?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDED = re.compile(r"^:tags: \[.*(?:hide-input|hide-cell|remove-cell|remove-input)", re.MULTILINE)


def minutes(page: str) -> int:
    """Minutes for the prose and the code that is shown; folded code and outputs do not count."""
    text = HEADER.sub("", page)
    shown = [code for code in CODE_CELL.findall(text) if not FOLDED.search(code)]
    lines = sum(bool(line.strip()) for code in shown for line in code.splitlines())
    words = len(CODE_CELL.sub("", text).split())
    return max(1, round(words / WORDS_A_MINUTE + lines / CODE_LINES_A_MINUTE))
