"""HTML that cannot be injected into: text is escaped unless it was made here.

A page carries no script and allows none; its one style sheet is named by its hash in the page's
content security policy.
"""

import base64
import hashlib
import json
import re
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

TAG = re.compile(r"[a-z][a-z0-9]*")
STYLE = """
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; color: {ink}; background: {paper}; margin: 0 auto;
  max-width: 52rem; padding: 1rem; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; line-height: 1.25; }} h2 {{ font-size: 1.15rem; margin: 2rem 0 .5rem; }}
.total {{ font-size: 1.3rem; font-weight: 600; }}
.muted, caption {{ color: {muted}; }}
.q {{ border-left: 4px solid {copper}; padding: .1rem 0 .1rem 1rem; margin: 1.5rem 0; }}
.q.full {{ border-color: {teal}; }} .q.open {{ border-color: {gold}; }}
.q h2 {{ margin: 0; display: flex; justify-content: space-between; gap: 1rem; }}
dl {{ margin: .5rem 0; display: grid; gap: .3rem 1rem;
  grid-template-columns: 7rem minmax(0, 1fr); }}
dt {{ color: {muted}; }} dd {{ margin: 0; min-width: 0; }}
pre {{ margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; background: {panel};
  padding: .4rem .6rem; border-radius: 4px; font-size: .9rem; }}
table {{ border-collapse: collapse; width: 100%; margin: .5rem 0; }}
caption {{ text-align: left; }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0;
  border-bottom: 1px solid {rule}; overflow-wrap: break-word; }}
td.n, th.n {{ text-align: right; }}
.wide {{ overflow-x: auto; }}
svg {{ max-width: 100%; height: auto; }} svg text {{ fill: {ink}; font-size: 12px; }}
svg .bar {{ fill: {blue}; }} svg .line {{ stroke: {rule}; }}
a {{ color: {blue}; }}
@media (max-width: 34rem) {{ dl {{ grid-template-columns: 1fr; gap: 0; }}
  dt {{ margin-top: .4rem; }} }}
@media print {{ .q {{ break-inside: avoid; }} }}
"""
DARK = """
@media (prefers-color-scheme: dark) {{ body {{ color: {ink}; background: {paper}; }}
  pre {{ background: {panel}; }} a {{ color: {blue}; }} dt, .muted, caption {{ color: {muted}; }}
  th, td {{ border-color: {rule}; }} svg text {{ fill: {ink}; }} svg .bar {{ fill: {blue}; }}
  .q {{ border-color: {copper}; }} .q.full {{ border-color: {teal}; }}
  .q.open {{ border-color: {gold}; }} }}
"""


class Html(str):
    """Text that is HTML already. Only this module makes it."""

    __slots__ = ()


def tag(name: str, *children: str, **attributes: str) -> Html:
    """One element; every child and value that is not :class:`Html` is escaped.

    Examples
    --------
    >>> tag("p", "1 < 2", tag("b", "yes"), cls="x")
    '<p class="x">1 &lt; 2<b>yes</b></p>'
    """
    if not TAG.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an element")
    pairs = {("class" if key == "cls" else key): text for key, text in attributes.items()}
    opening = "".join(f' {key}="{escape(text, quote=True)}"' for key, text in pairs.items() if text)
    inside = "".join(c if isinstance(c, Html) else escape(c) for c in children)
    return Html(f"<{name}{opening}>{inside}</{name}>")


@cache
def colours(shade: str) -> dict[str, str]:
    """The course's palette, ``light`` or ``dark``."""
    text = (files("coursekit.viz") / "palette.json").read_text(encoding="utf-8")
    return {name: shades[shade] for name, shades in json.loads(text).items()}


def page(title: str, *body: str) -> str:
    """A whole page, with its style and a policy that allows nothing else."""
    style = STYLE.format(**colours("light")) + DARK.format(**colours("dark"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=True)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
        f"{tag('title', title)}<style>{style}</style></head>"
        f"<body>{tag('main', *body)}</body></html>\n"
    )


def table(caption: str, headings: list[str], rows: list[list[str]], numbers: int = 0) -> Html:
    """A table; the last ``numbers`` columns are aligned to the right."""
    first = len(headings) - numbers
    css = ["n" if i >= first else "" for i in range(len(headings))]
    head = [tag("th", h, cls=c, scope="col") for h, c in zip(headings, css, strict=True)]
    body = [
        tag("tr", *(tag("td", cell, cls=c) for cell, c in zip(row, css, strict=True)))
        for row in rows
    ]
    inside = tag("caption", caption), tag("thead", tag("tr", *head)), tag("tbody", *body)
    return tag("div", tag("table", *inside), cls="wide", tabindex="0", role="region")


def number(points: float) -> str:
    """Points without needless digits.

    Examples
    --------
    >>> number(3.0), number(2.5)
    ('3', '2.5')
    """
    return f"{points:.2f}".rstrip("0").rstrip(".")


def write(path: Path, text: str) -> None:
    """Write a file in one step: it is there as a whole or as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="")
    part.replace(path)


def file_name(student: str) -> str:
    """A file name for a student's id, whatever the id holds; equal only for equal ids.

    Examples
    --------
    >>> file_name("anna"), file_name("../x")
    ('anna', 'x-d6b96a')
    """
    kept = re.sub(r"[^A-Za-z0-9._@-]+", "-", student).strip("-.")[:60]
    if kept == student:
        return kept
    return f"{kept}-{hashlib.sha256(student.encode()).hexdigest()[:6]}".strip("-")
