"""Download editions: notebooks that read cleanly where MyST is not understood.

The page's notebook speaks Sphinx (roles, directives, labels, glued values); plain Jupyter, Colab
and VS Code show those raw. An edition has the same code cells, byte for byte, and the same outputs;
its text is turned into plain Markdown, with cross-references as words that link to the page.

    python tools/editions.py OUT        write notebooks/ and exercises/ editions below OUT
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "book" / "_ext"))
from coursebook.equations import LABEL, labels_in_book, numbers  # noqa: E402
from coursebook.glued import glued_values, is_glue  # noqa: E402
from coursebook.reading import minutes  # noqa: E402

Notebook = dict[str, Any]


class EditionError(ValueError):
    """A page uses something that the download edition cannot say in plain words."""


# --- what can be referred to ----------------------------------------------------------------------


@dataclass
class Index:
    """Every place of the book that a cross-reference can name, and the words for it."""

    site: str
    titles: dict[str, str] = field(default_factory=dict)  # page path without suffix -> title
    sections: dict[str, tuple[str, str]] = field(default_factory=dict)  # label -> (page, heading)
    equations: dict[str, tuple[str, str]] = field(default_factory=dict)  # label -> (page, number)
    citations: dict[str, tuple[str, str]] = field(default_factory=dict)  # key -> (authors, year)
    minutes: dict[str, int] = field(default_factory=dict)  # page -> reading time

    def url(self, page: str, anchor: str = "") -> str:
        """Address of a page on the published site."""
        return f"{self.site}{page}.html" + (f"#{anchor}" if anchor else "")


LABELLED_EQUATION = re.compile(r"\$\$(?P<body>[^$]+?)\$\$ *\((?P<label>[\w-]+)\)")
TARGET = re.compile(r"^\((?P<label>[\w-]+)\)=\s*$", re.MULTILINE)
TARGET_AND_HEADING = re.compile(r"^\((?P<label>[\w-]+)\)=\s*\n+#+ (?P<title>.+)$", re.MULTILINE)


def site_address(root: Path = ROOT) -> str:
    """The published site's address, from the one place that states it."""
    config = (root / "_config.yml").read_text(encoding="utf-8")
    found = re.search(r"^\s*baseurl:\s*[\"']?(https?://[^\s\"']+)", config, re.MULTILINE)
    if not found:
        raise EditionError("_config.yml has no html.baseurl, which the editions link to")
    return found[1].rstrip("/") + "/"


def page_path(file: Path, root: Path) -> str:
    """Path of the page that a source file becomes: paired pages are published as notebooks."""
    paired = (root / "notebooks" / f"{file.stem}.ipynb").is_file()
    folder = "notebooks" if paired else file.parent.relative_to(root).as_posix()
    return f"{folder}/{file.stem}"


def bibliography(text: str) -> dict[str, tuple[str, str]]:
    """Authors' family names and year of every entry of a BibTeX file."""
    from pybtex.database import parse_string

    entries = parse_string(text, "bibtex").entries
    return {
        key: (authors(entry), entry.fields.get("year", "n.d.")) for key, entry in entries.items()
    }


def authors(entry: Any) -> str:
    """``A``, ``A and B`` or ``A et al.``."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [re.sub(r"[{}]", "", " ".join([*p.prelast_names, *p.last_names])) for p in people]
    if len(names) > 2:
        return f"{names[0]} et al."
    return " and ".join(names) or str(entry.fields.get("title", entry.key))


def build_index(root: Path = ROOT) -> Index:
    """Read every page of the book once."""
    index = Index(site_address(root))
    for file in sorted((root / "book").rglob("*.md")):
        text, page = file.read_text(encoding="utf-8"), page_path(file, root)
        heading = re.search(r"^# (.+)$", text, re.MULTILINE)
        index.titles[page] = heading[1].strip() if heading else file.stem
        index.minutes[page] = minutes(text)
        for found in TARGET_AND_HEADING.finditer(text):
            index.sections[found["label"]] = (page, found["title"].strip())
    labels = labels_in_book(root)
    for label, number in numbers(labels).items():
        index.equations[label] = (page_path(root / labels[label], root), number)
    bib = root / "book" / "references.bib"
    if bib.is_file():
        index.citations = bibliography(bib.read_text(encoding="utf-8"))
    return index


# --- inline: roles --------------------------------------------------------------------------------

ROLE = re.compile(r"\{(?P<name>[a-z][a-z:]*)\}`(?P<content>[^`]+)`")


def split_title(content: str) -> tuple[str | None, str]:
    """``words <target>`` gives both; a bare target gives no words."""
    found = re.fullmatch(r"(?P<words>.+?)\s*<(?P<target>[^<>]+)>", content, re.DOTALL)
    return (found["words"], found["target"]) if found else (None, content)


def look_up(table: dict[str, Any], key: str, kind: str) -> Any:
    """The entry, or an error that says which reference leads nowhere."""
    if key not in table:
        raise EditionError(f"{kind} {key!r} is referred to and is defined nowhere in book/")
    return table[key]


def equation_link(content: str, index: Index) -> str:
    """``(1.3)`` with a link to the equation on its page."""
    page, number = look_up(index.equations, content, "equation")
    return f"[({number})]({index.url(page, f'equation-{content}')})"


def section_link(content: str, index: Index) -> str:
    """The section's heading, or the words given, with a link."""
    words, label = split_title(content)
    page, heading = look_up(index.sections, label, "section")
    return f"[{words or heading}]({index.url(page, label)})"


def page_link(content: str, index: Index) -> str:
    """The page's title, or the words given, with a link."""
    words, target = split_title(content)
    name = target.split("/")[-1]
    page = next((p for p in index.titles if p.split("/")[-1] == name), None)
    if page is None:
        raise EditionError(f"page {target!r} is referred to and is not in book/")
    return f"[{words or index.titles[page]}]({index.url(page)})"


def term_link(content: str, index: Index) -> str:
    """The term with a link to its entry in the glossary."""
    words, term = split_title(content)
    plain = unicodedata.normalize("NFKD", term).encode("ascii", "ignore").decode()  # as Sphinx does
    anchor = re.sub(r"[^a-zA-Z0-9._]+", "-", plain).strip("-")
    return f"[{words or term}]({index.url('book/glossary', f'term-{anchor}')})"


def code_link(content: str, index: Index) -> str:
    """The function's name with a link to its documentation."""
    words, target = split_title(content)
    full = target.lstrip("~")
    parts = full.split(".")
    page = f"book/api/{parts[1]}" if len(parts) > 1 else "book/api"
    return f"[`{words or parts[-1]}`]({index.url(page, full)})"


def citation_links(content: str, index: Index, join: Callable[[str, str], str]) -> str:
    """Authors and years with links to the bibliography."""
    keys = [key.strip() for key in content.split(",")]
    found = [(key, *look_up(index.citations, key, "citation")) for key in keys]
    page = index.url("book/bibliography")
    return "; ".join(f"[{join(names, year)}]({page})" for _, names, year in found)


def textual_citation(content: str, index: Index) -> str:
    """Kullback and Leibler (1951)."""
    return citation_links(content, index, lambda names, year: f"{names} ({year})")


def parenthetical_citation(content: str, index: Index) -> str:
    """(Kullback and Leibler, 1951)."""
    return f"({citation_links(content, index, lambda names, year: f'{names}, {year}')})"


ROLES: dict[str, Callable[[str, Index], str]] = {
    "eq": equation_link,
    "ref": section_link,
    "numref": section_link,
    "doc": page_link,
    "term": term_link,
    "py:func": code_link,
    "py:class": code_link,
    "py:mod": code_link,
    "cite:t": textual_citation,
    "cite:p": parenthetical_citation,
}


def plain_roles(text: str, index: Index, glued: dict[str, str]) -> str:
    """Replace every role by words and a link; glued values by their text."""

    def replace(found: re.Match[str]) -> str:
        name, content = found["name"], found["content"]
        if name == "glue:text":
            return str(look_up(glued, content, "glued value"))
        if name not in ROLES:
            raise EditionError(f"role {{{name}}} has no plain form; allowed: {', '.join(ROLES)}")
        return ROLES[name](content, index)

    return ROLE.sub(replace, text)


def plain_links(text: str, index: Index) -> str:
    """Turn links to pages of the repository into links to the site."""

    def replace(found: re.Match[str]) -> str:
        name, anchor = Path(found["path"]).stem, found["anchor"] or ""
        page = next((p for p in index.titles if p.split("/")[-1] == name), None)
        return f"]({index.url(page)}{anchor})" if page else found[0]

    link = r"\]\((?P<path>(?!https?:)[^)#\s]+\.(?:md|ipynb|html))(?P<anchor>#[^)\s]*)?\)"
    return re.sub(link, replace, text)


# --- blocks: directives ---------------------------------------------------------------------------

FENCE = re.compile(r"^(?P<colons>:{3,})\{(?P<name>[\w-]+)\}\s*(?P<argument>.*)$")


def quotation(title: str, body: str) -> str:
    """A callout as a block quotation."""
    return "\n".join(f"> {line}".rstrip() for line in [f"**{title}.**", "", *body.splitlines()])


def details(title: str, body: str) -> str:
    """A collapsed block in the HTML that all notebook front ends show."""
    return f"<details>\n<summary>{title}</summary>\n\n{body}\n\n</details>"


def exercise_table(assignment: str, index: Index, root: Path = ROOT) -> str:
    """The chapter's questions: number, title, points, section."""
    path = root / "src" / "coursekit" / "grading" / "checks" / f"{assignment}.json"
    rows = ["| | exercise | points | trains |", "|---|---|---|---|"]
    for number, question in enumerate(json.loads(path.read_text(encoding="utf-8"))["questions"], 1):
        link = section_link(question["section"], index)
        rows.append(f"| {number} | {question['title']} | {question['points']} | {link} |")
    return "\n".join(rows)


def plain_blocks(text: str, index: Index) -> str:
    """Replace colon-fenced directives, innermost last; leave backtick fences alone."""
    lines, out, in_code = iter(text.splitlines()), [], False
    for line in lines:
        if line.lstrip().startswith("```"):
            in_code = not in_code
        opened = None if in_code else FENCE.match(line)
        out.append(plain_directive(opened, lines, index) if opened else line)
    return "\n".join(out)


def plain_directive(opened: re.Match[str], lines: Iterator[str], index: Index) -> str:
    """One directive, its options dropped and its body treated in turn."""
    body: list[str] = []
    for line in lines:
        if line.strip() == opened["colons"]:
            break
        body.append(line)
    else:
        raise EditionError(f"directive {{{opened['name']}}} is never closed")
    while body and (re.match(r"^:[\w-]+:", body[0]) or not body[0].strip()):
        body.pop(0)
    inner = plain_blocks("\n".join(body).rstrip(), index)
    name, argument = opened["name"], opened["argument"].strip()
    if name == "exercise-list":
        return exercise_table(argument, index)
    if name == "dropdown":
        return details(argument, inner)
    if name == "admonition":
        return quotation(argument.rstrip("."), inner)
    raise EditionError(f"directive {{{name}}} has no plain form; use admonition or dropdown")


def plain_equations(text: str, index: Index) -> str:
    """Give labelled equations their number as a TeX tag."""

    def replace(found: re.Match[str]) -> str:
        number = look_up(index.equations, found["label"], "equation")[1]
        return f"$${found['body'].rstrip()} \\tag{{{number}}}$$"

    plain = LABELLED_EQUATION.sub(replace, text)
    if left := LABEL.search(plain):
        raise EditionError(f"equation {left[1]} cannot be read; write it without a dollar sign")
    return plain


def plain_markdown(text: str, index: Index, glued: dict[str, str]) -> str:
    """A Markdown cell without anything that only Sphinx understands."""
    text = TARGET.sub("", text)
    text = plain_equations(plain_blocks(text, index), index)
    return plain_links(plain_roles(text, index, glued), index).strip("\n")


# --- the notebook ---------------------------------------------------------------------------------


def text_of(cell: dict[str, Any]) -> str:
    """The cell's source, which nbformat stores as a string or as lines."""
    return "".join(cell["source"])


def edition(nb: Notebook, page: str, index: Index) -> Notebook:
    """The download edition of an executed notebook."""
    plain, glued = copy.deepcopy(nb), glued_values(nb)
    for cell in plain["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = plain_markdown(text_of(cell), index, glued)
        elif cell["cell_type"] == "code":
            cell["outputs"] = [o for o in cell["outputs"] if not is_glue(o)]
    plain["cells"] = [c for c in plain["cells"] if c["cell_type"] == "code" or text_of(c).strip()]
    plain["cells"].insert(0, provenance(page, index))
    plain["metadata"].pop("coursekit", None)
    return plain


def provenance(page: str, index: Index) -> dict[str, Any]:
    """The first cell: which book this is from and where its page is."""
    source = (
        f"From *From Loss to Silicon*: about {index.minutes[page]} minutes to read. "
        f"[On the web]({index.url(page)}) its figures also move without a kernel. "
        f"Text CC BY 4.0, code BSD-3-Clause."
    )
    return {"cell_type": "markdown", "id": "provenance", "metadata": {}, "source": source}


def write_editions(out: Path, root: Path = ROOT) -> list[Path]:
    """Write all notebooks' editions, and the exercises as they are, below ``out``."""
    index, written = build_index(root), []
    for folder in ("notebooks", "exercises"):
        (out / folder).mkdir(parents=True, exist_ok=True)
        for path in sorted((root / folder).glob("*.ipynb")):
            nb = json.loads(path.read_text(encoding="utf-8"))
            if folder == "notebooks":
                try:
                    nb = edition(nb, f"{folder}/{path.stem}", index)
                except EditionError as error:
                    raise EditionError(f"{path.stem}: {error}") from error
            target = out / folder / path.name
            target.write_text(json.dumps(nb, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            written.append(target)
    return written


def main() -> int:
    """Parse the command line and run it."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("out", type=Path)
    print(f"{len(write_editions(parser.parse_args().out))} notebooks written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
