"""A built page as a chapter of the EPUB: XHTML that needs no script, with pictures in files.

Formulas become MathML, drawings SVG files on white paper, so that they read by day and by night;
live figures become their still picture and its description; folded code stays in the notebooks.
Links lead to the book's own files where they can, else to the site.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from html import escape, unescape

from bs4 import Tag

from built_page import BuiltPage, restore
from mathml import write_formulas

COLOUR = re.compile(r"var\(--(?:ck-|_)([\w-]+)\)")
LEFT_OUT = "details.hide, style, .ck-checked, .ck-code, .ck-pace"
ALT = re.compile(r'aria-label="([^"]*)"')
DRAWING_TITLE = re.compile(r"<title[^>]*>([^<]*)</title>")
BOX = re.compile(r'viewBox="([\d.-]+) ([\d.-]+) ([\d.]+) ([\d.]+)"')
PAPER = "<rect x='{}' y='{}' width='{}' height='{}' fill='#ffffff'/>"
XHTML = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
 lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" type="text/css" href="book.css"/></head>
<body>
{body}
</body>
</html>
"""


@dataclass
class Chapter:
    """One file of the EPUB."""

    name: str  # of the page on the site
    title: str
    text: str  # XHTML
    formulas: int = 0
    headings: list[tuple[str, str]] = field(default_factory=list)  # (id, words) of its sections
    pictures: dict[str, str] = field(default_factory=dict)  # file name -> SVG

    @property
    def file(self) -> str:
        """File name within the EPUB."""
        return file_of(self.name)


def file_of(name: str) -> str:
    """``notebooks/04-transformer`` is ``04-transformer.xhtml``."""
    return name.rpartition("/")[2] + ".xhtml"


def chapter(page: BuiltPage, palette: dict[str, str], names: set[str], site: str) -> Chapter:
    """Turn `page` into a file of the book; `names` are all the pages that the book holds."""
    tree, pictures = page.article, {}
    for tag in tree.select(LEFT_OUT):
        tag.decompose()
    for number, mark in enumerate(tree.select("ck-kept")):
        kept = page.kept[int(str(mark["n"]))]
        if kept.startswith("<script"):
            mark.decompose()
        elif kept.startswith("<svg"):
            file = f"{page.stem}-{number}.svg"
            pictures[file] = on_paper(kept, palette)
            mark.replace_with(_image(file, kept))
    formulas = write_formulas(tree)
    _plain(tree)
    _link(tree, page, names, site)
    body = "".join(map(str, tree.find_all(True, recursive=False)))
    text = XHTML.format(title=escape(page.title), body=restore(body, page))
    return Chapter(page.name, page.title, text, formulas, _headings(tree), pictures)


def on_paper(svg: str, palette: dict[str, str]) -> str:
    """A drawing as a file of its own: fixed colours on a white ground."""
    svg = COLOUR.sub(lambda found: palette[found[1]], svg).replace("currentColor", palette["ink"])
    head, rest = svg.split(">", 1)
    if "xmlns=" not in head:
        head = head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    if "xlink:" in svg and "xmlns:xlink" not in head:
        head = head.replace("<svg", '<svg xmlns:xlink="http://www.w3.org/1999/xlink"', 1)
    box = BOX.search(head)
    ground = PAPER.format(*box.groups()) if box else ""
    return f'<?xml version="1.0" encoding="utf-8"?>\n{head}>{ground}{rest}'


def _image(file: str, svg: str) -> Tag:
    words = ALT.search(svg.split(">", 1)[0]) or DRAWING_TITLE.search(svg)
    image = Tag(name="img", can_be_empty_element=True)
    image["src"], image["alt"] = f"pictures/{file}", unescape(words[1]) if words else ""
    return image


def _plain(tree: Tag) -> None:
    """What an e-book reader may not open is open; what means something only on a page goes."""
    for box in tree.select("details"):
        box.name = "div"
    for title in tree.select("summary"):
        title.name, title["class"] = "p", "admonition-title"
        title.string = " ".join(title.get_text().split())
    for figure in tree.select("figure.ck-live"):
        del figure["data-figure"]
    for tag in tree.select("[role], [aria-label], [data-scroll-label], [style], [title]"):
        for name in ("role", "aria-label", "data-scroll-label", "style", "title"):
            if name in tag.attrs:
                del tag[name]


def _link(tree: Tag, page: BuiltPage, names: set[str], site: str) -> None:
    for link in tree.select("a[href]"):
        link["href"] = address(str(link["href"]), page.name, names, site)


def address(href: str, name: str, names: set[str], site: str) -> str:
    """A page's link, from within the book."""
    if re.match(r"[a-z]+:|#", href):
        return href
    path, mark, anchor = href.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    wanted = target.removesuffix(".html")
    return f"{file_of(wanted) if wanted in names else site + target}{mark}{anchor}"


def _headings(tree: Tag) -> list[tuple[str, str]]:
    """Sections below the title, for the table of contents."""
    sections = tree.select("article > section > section[id]")
    return [
        (str(section["id"]), heading.decode_contents())
        for section in sections
        if (heading := section.find(re.compile("h[2-3]"))) and isinstance(heading, Tag)
    ]
