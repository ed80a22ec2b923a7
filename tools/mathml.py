"""TeX to MathML: formulas for readers that run no script (the EPUB, a speaker's notes).

A formula that cannot be converted is an error, never a gap.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape, unescape
from xml.etree import ElementTree

from bs4 import BeautifulSoup, Tag
from math_core import LatexError, LatexToMathML

from built_page import formula_of

ENTITY = re.compile(r"&(?!(?:lt|gt|amp|quot|apos|#\d+|#x[0-9a-fA-F]+);)\w+;")
NAMESPACE = "http://www.w3.org/1998/Math/MathML"
MATHML = f'xmlns="{NAMESPACE}"'
STYLE = ("displaystyle", "scriptlevel")
ElementTree.register_namespace("", NAMESPACE)


class FormulaError(ValueError):
    """A formula that the converter does not know; the message shows it."""


@cache
def _converter() -> LatexToMathML:
    return LatexToMathML(xml_namespace=True, fancy_error=False)


@cache
def mathml(tex: str, display: bool = False) -> str:
    r"""MathML of one formula, as well-formed XML that carries its TeX as alternative text.

    >>> mathml("x_n").partition(">")[2]
    '<msub><mi>x</mi><mi>n</mi></msub></math>'
    """
    known = tex.replace("{split}", "{aligned}")  # the same lines, under the name that it knows
    try:
        found = _converter().convert_with_local_state(known, displaystyle=display)
    except LatexError as error:
        raise FormulaError(f"no MathML for {tex!r}: {error}") from error
    spelled = styled(ENTITY.sub(lambda entity: unescape(entity[0]), found))
    words = escape(" ".join(tex.split()))
    return spelled.replace(MATHML, f'{MATHML} alttext="{words}"', 1)


def styled(text: str) -> str:
    """MathML 3, which e-books ask for, knows these attributes on ``mstyle`` only."""
    if not any(name in text for name in STYLE):
        return text
    root = ElementTree.fromstring(text)
    for parent in list(root.iter()):
        for place, child in enumerate(list(parent)):
            style = {name: child.attrib.pop(name) for name in STYLE if name in child.attrib}
            if style:
                parent[place] = ElementTree.Element(f"{{{NAMESPACE}}}mstyle", style)
                parent[place].append(child)
    return ElementTree.tostring(root, encoding="unicode")


def write_formulas(tree: Tag) -> int:
    """Replace every ``.math`` element's text below `tree` by MathML; returns how many."""
    formulas = tree.select(".math")
    for element in formulas:
        tex, display = formula_of(element)
        element.clear()
        element.append(BeautifulSoup(mathml(tex, display), "html.parser"))
        for name in [name for name in element.attrs if name != "id"]:
            del element[name]
        element["class"] = "math"
    return len(formulas)
