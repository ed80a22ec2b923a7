"""The whole book as one EPUB 3, made from the built pages: mathematics, pictures, links, contents.

    python tools/epub.py SITE OUT       write OUT from the pages of SITE

What belongs to the site alone (downloads, teaching, the API) stays there. The same pages give the
same bytes.
"""

from __future__ import annotations

import argparse
import json
import uuid
import zipfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import yaml

from built_page import digest, read_page
from editions import site_address
from epub_text import XHTML, Chapter, chapter

ROOT = Path(__file__).resolve().parents[1]
NAME = "from-loss-to-silicon.epub"
ON_THE_SITE = (
    *("book/index", "book/api", "book/equations", "book/sheets"),
    *("book/downloads", "book/teach", "book/grade"),
)
MAKERS = [*map(Path(__file__).with_name, ("epub.py", "epub.css", "epub_text.py", "mathml.py"))]
PACKED = (2026, 1, 1, 0, 0, 0)
TITLE = "From Loss to Silicon"
CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="book/book.opf" media-type="application/oebps-package+xml"/>
</rootfiles></container>
"""
OPF = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{identifier}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:language>en</dc:language>
<dc:creator>{author}</dc:creator>
<dc:description>A course on how modern AI works, from the likelihood to the chip.</dc:description>
<dc:rights>Text and figures under CC BY 4.0, code under BSD-3-Clause.</dc:rights>
<dc:source>{site}</dc:source>
<meta property="dcterms:modified">{modified}</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
<meta property="schema:accessibilitySummary">Formulas are MathML with their TeX as text.
Every picture has a description.</meta>
</metadata>
<manifest>
{manifest}
</manifest>
<spine>
{spine}
</spine>
</package>
"""


# --- which pages ----------------------------------------------------------------------------------


def parts(root: Path) -> Iterator[tuple[str, list[str]]]:
    """The book's parts with their pages, in the order of _toc.yml."""
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    for part in contents["parts"]:
        names = [str(entry["file"]) for entry in part["chapters"]]
        kept = [name for name in names if not name.startswith(ON_THE_SITE)]
        if kept:
            yield part["caption"], kept


def chapters(root: Path, site: Path) -> list[tuple[str, list[Chapter]]]:
    """Every part with its chapters as files of the book."""
    palette = json.loads((root / "src/coursekit/viz/palette.json").read_text(encoding="utf-8"))
    colours = {name: tones["light"] for name, tones in palette.items()}
    found = list(parts(root))
    names = {name for _, pages in found for name in pages}
    address = site_address(root)
    return [
        (caption, [chapter(read_page(site, name), colours, names, address) for name in pages])
        for caption, pages in found
    ]


# --- the files around them ------------------------------------------------------------------------


def title_page(address: str) -> str:
    """The first page: what this is, and where it comes from."""
    body = (
        f'<section><h1>{TITLE}</h1><p class="ck-lead-line">A course on how modern AI works, from '
        "the likelihood to the chip.</p><p>This is the text of the course with its equations, "
        "code, outputs and figures, for reading away from the browser. Its figures move, its "
        f'exercises check themselves and its notebooks run: <a href="{address}">{address}</a>.</p>'
        "<p>Text and figures CC BY 4.0, code BSD-3-Clause.</p></section>"
    )
    return XHTML.format(title=TITLE, body=body)


def contents(book: list[tuple[str, list[Chapter]]]) -> str:
    """The table of contents: parts, chapters, sections."""
    items = ""
    for caption, found in book:
        inner = "".join(map(_entry, found))
        items += f"<li><span>{escape(caption)}</span><ol>{inner}</ol></li>"
    body = f'<nav epub:type="toc" id="toc"><h1>Contents</h1><ol>{items}</ol></nav>'
    return XHTML.format(title="Contents", body=body)


def _entry(one: Chapter) -> str:
    number = one.file[:2]
    title = escape(one.title) if not number.isdigit() else f"{int(number)}. {escape(one.title)}"
    below = "".join(
        f'<li><a href="{one.file}#{name}">{words}</a></li>' for name, words in one.headings
    )
    return f'<li><a href="{one.file}">{title}</a>{f"<ol>{below}</ol>" if below else ""}</li>'


def package(book: list[tuple[str, list[Chapter]]], root: Path) -> str:
    """The manifest: every file with its type, and the reading order."""
    every = [one for _, found in book for one in found]
    manifest = [
        '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>',
        '<item id="title" href="title.xhtml" media-type="application/xhtml+xml"/>',
        '<item id="style" href="book.css" media-type="text/css"/>',
        '<item id="cover" href="cover.png" media-type="image/png" properties="cover-image"/>',
    ]
    spine = ['<itemref idref="title"/>', '<itemref idref="nav"/>']
    for one in every:
        ident = f"c-{one.file.removesuffix('.xhtml')}"
        maths = ' properties="mathml"' if one.formulas else ""
        manifest.append(
            f'<item id="{ident}" href="{one.file}" media-type="application/xhtml+xml"{maths}/>'
        )
        spine.append(f'<itemref idref="{ident}"/>')
        manifest += [
            f'<item id="p-{name[:-4]}" href="pictures/{name}" media-type="image/svg+xml"/>'
            for name in one.pictures
        ]
    return OPF.format(**_facts(root), manifest="\n".join(manifest), spine="\n".join(spine))


def _facts(root: Path) -> dict[str, Any]:
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    address = site_address(root)
    return {
        "identifier": uuid.uuid5(uuid.NAMESPACE_URL, address),
        "title": config["title"],
        "author": config["author"],
        "site": address,
        "modified": "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z".format(*PACKED),
    }


def write_epub(root: Path, site: Path, target: Path) -> Path:
    """Write the book to `target`, unless it was made from these very pages."""
    pages = [site / f"{name}.html" for _, names in parts(root) for name in names]
    made_from = digest(*pages, *MAKERS, root / "_config.yml", root / "_toc.yml").encode()
    if target.is_file() and zipfile.ZipFile(target).comment == made_from:
        return target
    book = chapters(root, site)
    files: dict[str, str | bytes] = {
        "META-INF/container.xml": CONTAINER,
        "book/book.opf": package(book, root),
        "book/nav.xhtml": contents(book),
        "book/title.xhtml": title_page(site_address(root)),
        "book/book.css": (root / "tools" / "epub.css").read_bytes(),
        "book/cover.png": (root / "book" / "_static" / "card.png").read_bytes(),
    }
    for _, found in book:
        for one in found:
            files[f"book/{one.file}"] = one.text
            files |= {f"book/pictures/{name}": svg for name, svg in one.pictures.items()}
    with zipfile.ZipFile(target, "w") as archive:
        _add(archive, "mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        for name, data in files.items():
            _add(archive, name, data, zipfile.ZIP_DEFLATED)
        archive.comment = made_from
    return target


def _add(archive: zipfile.ZipFile, name: str, data: str | bytes, how: int) -> None:
    info = zipfile.ZipInfo(name, date_time=PACKED)
    info.external_attr, info.compress_type = 0o644 << 16, how
    archive.writestr(info, data)


def main() -> int:
    """Parse the command line and run it."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    print(write_epub(ROOT, arguments.site, arguments.out))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
