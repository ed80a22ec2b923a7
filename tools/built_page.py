"""A page of the built site, taken apart: its text as a tree; code, drawings and scripts kept whole.

What reads the site after it is built (lecture decks, the EPUB) starts here. What is kept leaves
marks in the tree and comes back as it was: an HTML parser would spell SVG in lower case, and would
spend most of its time on the colours of code.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from bs4 import BeautifulSoup, Tag

KEPT = re.compile(r"<(script|svg|pre)\b.*?</\1>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")
MARK = re.compile(r'<ck-kept n="(\d+)"></ck-kept>')


@dataclass
class BuiltPage:
    """One page: where it stands on the site (no suffix), its title, its article, what was kept."""

    name: str
    title: str
    article: Tag
    kept: list[str] = field(default_factory=list)

    def keep(self, html: str) -> str:
        """Keep `html` whole; returns the mark that stands for it."""
        self.kept.append(html)
        return f'<ck-kept n="{len(self.kept) - 1}"></ck-kept>'

    def kept_in(self, tag: Tag) -> str:
        """What the first mark in `tag` stands for; empty where there is none."""
        mark = tag.select_one("ck-kept")
        return self.kept[int(str(mark["n"]))] if mark else ""

    def code_in(self, tag: Tag) -> str:
        """Code or printed text in `tag`, without its colours."""
        return unescape(TAG.sub("", self.kept_in(tag)))

    @property
    def stem(self) -> str:
        """Name without folder: ``04-transformer``."""
        return self.name.rpartition("/")[2]


def read_page(site: Path, name: str) -> BuiltPage:
    """Read ``site/name.html``; ValueError when it holds no article."""
    page = BuiltPage(name, "", Tag(name="article"))
    text = (site / f"{name}.html").read_text(encoding="utf-8")
    text = KEPT.sub(lambda found: page.keep(found[0]), text)
    article = BeautifulSoup(text, "html.parser").select_one("article.ck-body")
    if article is None or article.h1 is None:
        raise ValueError(f"{name}.html has no article with a heading; was it built by `make book`?")
    for link in article.select("a.headerlink"):
        link.decompose()
    page.article, page.title = article, article.h1.get_text().strip()
    return page


def digest(*files: Path) -> str:
    """Digest of files: whether what was made from them is still what they say."""
    found = hashlib.sha256()
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()


def restore(text: str, page: BuiltPage, change: Callable[[str], str] = str) -> str:
    """Put drawings and scripts back into HTML text, each through `change`."""
    return MARK.sub(lambda mark: change(page.kept[int(mark[1])]), text)


def formula_of(tag: Tag) -> tuple[str, bool]:
    """TeX of a ``.math`` element without its delimiters, and whether it is displayed."""
    return tag.get_text().strip()[2:-2].strip(), tag.name == "div"
