"""Lecture decks: a chapter's page as slides with speaker's notes, one HTML file a chapter.

    python tools/slides.py SITE [STEM ...]      write SITE/slides/*.html from SITE/notebooks/*.html

Nothing is written by hand for a deck. `slide_things` says what a slide shows; here the things are
put together, and the prose between them becomes the notes. The decks share the site's style sheet,
fonts, mathematics and live figures, and need no network.
"""

from __future__ import annotations

import argparse
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from built_page import BuiltPage, digest, read_page, restore
from mathml import write_formulas
from slide_things import Heading, Prose, Thing, parts

FOLDER = "slides"
ARCHIVE = "from-loss-to-silicon-slides.zip"
PACKED = (2026, 1, 1, 0, 0, 0)
ROOM = 560  # pixels below a slide's heading
TOGETHER = {"equation", "code", "small-code", "output"}
MOST_THINGS = 4
SIGNATURE = """<p class="ck-signature">From Loss to Silicon ·
<a href="{page}.html">the whole chapter</a></p>
<p class="ck-keys">Arrow keys or space: move. <kbd>S</kbd> speaker's view, <kbd>N</kbd> notes here,
<kbd>O</kbd> overview, <kbd>F</kbd> full screen, <kbd>?</kbd> all keys.</p>"""
SHORTEST, LONGEST = 20, 175  # characters of a sentence that is shown
OPENING = Path(__file__).with_name("slides.html")
MAKERS = [Path(__file__), OPENING, *map(Path(__file__).with_name, ("slide_things.py", "mathml.py"))]
STATIC = ("*.css", "math.js", "slides.js", "live-host.js", "mark.svg", "vendor/**/*")


@dataclass
class Slide:
    """One slide: the title of its section, a sentence, what is shown, what is said."""

    title: str
    level: int = 0  # of the heading that it opens; 0 where it continues a section
    anchors: list[str] = field(default_factory=list)
    lead: str = ""
    things: list[Thing] = field(default_factory=list)
    notes: list[Tag] = field(default_factory=list)

    @property
    def height(self) -> int:
        """Estimated height of what is below the heading."""
        return sum(thing.height for thing in self.things) + (50 if self.lead else 0)

    def takes(self, thing: Thing) -> bool:
        """Whether `thing` still fits: only equations, code and output share a slide."""
        if not self.things:
            return self.level != 1
        kinds = {one.kind for one in self.things} | {thing.kind}
        back = thing.kind == "equation" and self.things[-1].kind != "equation"
        fits = self.height + thing.height <= ROOM and len(self.things) < MOST_THINGS
        return fits and kinds <= TOGETHER and not back


def slides_of(page: BuiltPage) -> list[Slide]:
    """Put the page's stream together into slides."""
    slides: list[Slide] = []
    said: list[Tag] = []
    for part in parts(page):
        if isinstance(part, Prose):
            said.append(part.tag)
            continue
        if isinstance(part, Heading):
            _close(slides, said)
            slides.append(Slide(part.title, part.level, part.anchors))
        else:
            _show(slides, part, said)
        said = []
    _close(slides, said)
    return slides


def _show(slides: list[Slide], thing: Thing, said: list[Tag]) -> None:
    current = slides[-1]
    if not current.takes(thing):
        current = Slide(current.title)
        slides.append(current)
    if not current.things:
        current.lead = lead(said)
    current.things.append(thing)
    current.notes += said


def _close(slides: list[Slide], said: list[Tag]) -> None:
    """End a section: what is still to be said belongs to its last slide."""
    if not slides:
        return
    slides[-1].notes += said
    if not slides[-1].things and slides[-1].level > 1:
        slides[-1].things = outline(said)


# --- sentences ------------------------------------------------------------------------------------


def first_sentence(paragraph: Tag) -> str:
    """The paragraph's first sentence as HTML, or nothing where it cannot stand alone."""
    whole = " ".join(paragraph.decode_contents().split())
    for end in re.finditer(r"[.?](?:</\w+>)?(?=\s+(?:<\w+[^>]*>)?[A-Z\\]|$)", whole):
        sentence = whole[: end.end()]
        if len(re.findall(r"<\w", sentence)) == sentence.count("</"):
            text = BeautifulSoup(sentence, "html.parser").get_text()
            fits = SHORTEST <= len(text) <= LONGEST and (text[0].isupper() or text[0] in "\\“")
            return sentence if fits else ""
    return ""


def lead(said: list[Tag]) -> str:
    """The sentence that introduces a slide: the first of the last paragraph before it."""
    paragraphs = [tag for tag in said if tag.name == "p"]
    return first_sentence(paragraphs[-1]) if paragraphs else ""


def outline(said: list[Tag]) -> list[Thing]:
    """A section of prose only: the first sentence of each paragraph."""
    sentences = [first_sentence(tag) for tag in said if tag.name == "p"]
    items = "".join(f"<li><p>{sentence}</p></li>" for sentence in sentences if sentence)
    return [Thing("list", f"<ul>{items}</ul>", 60 * len(sentences))] if items else []


# --- HTML -----------------------------------------------------------------------------------------


def deck(page: BuiltPage) -> str:
    """The slides' HTML, grouped by section."""
    columns: list[list[Slide]] = []
    for slide in slides_of(page):
        if 1 <= slide.level <= 2 or not columns:
            columns.append([])
        columns[-1].append(slide)
    text = "\n".join(f"<section>{''.join(map(_slide, column))}</section>" for column in columns)
    tree = BeautifulSoup(text, "html.parser")
    _open(tree, page)
    tidy(tree, page)
    return restore(str(tree), page)


def _slide(slide: Slide) -> str:
    anchors = "".join(f'<span id="{name}"></span>' for name in slide.anchors if name)
    shown = "".join(f'<div class="ck-thing ck-{t.kind}-thing">{t.html}</div>' for t in slide.things)
    sentence = f'<p class="ck-lead-line">{slide.lead}</p>' if slide.lead else ""
    notes = "".join(map(str, slide.notes))
    return (
        f'<section class="ck-slide{" ck-opening-slide" if slide.level == 1 else ""}">{anchors}'
        f'{_title(slide)}{sentence}<div class="ck-fit">{shown}</div>'
        f'<aside class="notes">{notes}</aside></section>'
    )


def _title(slide: Slide) -> str:
    if slide.level:
        return f"<h{slide.level}>{slide.title}</h{slide.level}>"
    return f'<p class="ck-kicker">{slide.title}</p>'


def _open(tree: BeautifulSoup, page: BuiltPage) -> None:
    """The first slide says which chapter this is and how to move."""
    heading = tree.select_one("h1")
    if heading is None:
        raise ValueError(f"{page.name} has no first heading")
    number = f'<p class="ck-chapter">Chapter {int(page.stem[:2])}</p>'
    heading.insert_before(BeautifulSoup(number, "html.parser"))
    heading.insert_after(BeautifulSoup(SIGNATURE.format(page=page.stem), "html.parser"))


def tidy(tree: BeautifulSoup, page: BuiltPage) -> None:
    """Unique ids, formulas in the notes as MathML, links that lead out of the deck to the book."""
    for note in tree.select("aside.notes"):
        write_formulas(note)
        for tag in note.select("[id]"):
            del tag["id"]
    seen: set[str] = set()
    for tag in tree.select("[id]"):
        if tag["id"] in seen or tag.find_parent(class_="bibtex-citation"):
            del tag["id"]
        else:
            seen.add(str(tag["id"]))
    for link in tree.select("a[href]"):
        link["href"] = address(str(link["href"]), page, seen)


def address(href: str, page: BuiltPage, anchors: set[str]) -> str:
    """Where a link of the page leads from its deck, which lies in a folder beside the page's."""
    if re.match(r"[a-z]+:|\.\./", href):
        return href
    if href.startswith("#"):
        return f"#/{href[1:]}" if href[1:] in anchors else f"../{page.name}.html{href}"
    return f"../notebooks/{href}"


def write_deck(site: Path, name: str) -> Path:
    """Write one chapter's deck."""
    target = site / FOLDER / f"{name.rpartition('/')[2]}.html"
    target.parent.mkdir(exist_ok=True)
    made_from = digest(site / f"{name}.html", *MAKERS)
    if target.is_file() and f'content="{made_from}"' in target.read_text(encoding="utf-8")[:1000]:
        return target
    page = read_page(site, name)
    slides = deck(page)
    words = {
        "MADE_FROM": made_from,
        "TITLE": escape(page.title),
        "CHAPTER": str(int(page.stem[:2])),
        "SLIDES": slides,
        "LIVE": '<script src="../_static/live-host.js" defer></script>'
        if "ck-live" in slides
        else "",
    }
    text = OPENING.read_text(encoding="utf-8")
    target.write_text(re.sub(r"\{\{(\w+)\}\}", lambda m: words[m[1]], text), encoding="utf-8")
    return target


def chapters(site: Path) -> Iterator[str]:
    """Names of the published chapters' pages."""
    for file in sorted((site / "notebooks").glob("[0-9][0-9]-*.html")):
        yield f"notebooks/{file.stem}"


def write_decks(site: Path) -> list[Path]:
    """Write every chapter's deck."""
    return [write_deck(site, name) for name in chapters(site)]


def pack_decks(site: Path, target: Path, address: str) -> Path:
    """All decks and what they need in one zip, to show from a folder; links lead to the site."""
    files = {f for pattern in STATIC for f in (site / "_static").glob(pattern) if f.is_file()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted([*files, *(site / FOLDER).glob("*.html")]):
            data = file.read_bytes()
            if file.suffix == ".html":
                data = re.sub(rb'<a ([^>]*)href="\.\./', rb'<a \1href="' + address.encode(), data)
            info = zipfile.ZipInfo(file.relative_to(site).as_posix(), date_time=PACKED)
            info.external_attr, info.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return target


def main() -> int:
    """Parse the command line and run it."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("stems", nargs="*")
    arguments = parser.parse_args()
    names = [f"notebooks/{stem}" for stem in arguments.stems] or list(chapters(arguments.site))
    for name in names:
        print(write_deck(arguments.site, name))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
