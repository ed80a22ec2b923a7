"""What a deck is made of: sentences that stand alone, formulas that convert, slides that fill."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup

sys.path.append(str(Path(__file__).parents[2] / "tools"))
import mathml
import slides
from built_page import read_page

PAGE = """<article class="ck-body"><section id="why"><h1>Why?</h1>
<p>An opening that is long enough.</p>
<div class="cell"><div class="cell_input"><pre><span></span>import math
</pre></div></div>
<section id="part"><span id="sec-part"></span><h2>A part</h2>
<p>We begin with a sum of things. Then more.</p>
<div class="ck-equation" id="equation-eq-sum"><div class="math">\\[ \\sum_i x_i \\]</div></div>
<div class="cell"><div class="cell_input"><pre>total = sum(x)
glue("total", total)
print(total)
</pre></div><div class="cell_output"><div class="output stream"><pre>6
</pre></div></div></div>
<p>As <a href="02-other.html#there">before</a>, <span class="math">\\(x &lt; 2\\)</span> holds.</p>
</section></section></article>"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site of one page."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01-topic.html").write_text(PAGE)
    return tmp_path


def paragraph(text: str):
    return BeautifulSoup(f"<p>{text}</p>", "html.parser").p


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("A mask hides the future. It costs nothing.", "A mask hides the future."),
        ("<em>A mask of the wrong type.</em> More.", "<em>A mask of the wrong type.</em>"),
        ("where the softmax goes down each column. Then on.", ""),
        ("It costs 1.5 times as much as before. More.", "It costs 1.5 times as much as before."),
        ("Short. Then a long one follows.", ""),
        ("No end, as an equation follows here", ""),
    ],
)  # fmt: skip
def test_only_a_sentence_that_stands_alone_is_shown(text: str, sentence: str) -> None:
    assert slides.first_sentence(paragraph(text)) == sentence


def test_an_equation_its_code_and_its_output_share_a_slide(site: Path) -> None:
    opening, part = slides.slides_of(read_page(site, "notebooks/01-topic"))
    assert opening.things == []  # a cell that only imports is not shown
    assert [thing.kind for thing in part.things] == ["equation", "code", "output"]
    assert part.lead == "We begin with a sum of things."
    assert [len(note.get_text()) > 10 for note in part.notes] == [True, True]


def test_a_deck_keeps_code_but_not_the_lines_that_quote(site: Path) -> None:
    deck = slides.deck(read_page(site, "notebooks/01-topic"))
    assert "total = sum(x)" in deck
    assert "glue(" not in deck
    assert 'href="../notebooks/02-other.html#there"' in deck
    assert "<mo>&lt;</mo>" in deck  # in the notes a formula is MathML


def test_a_deck_is_written_again_only_when_its_page_has_changed(site: Path) -> None:
    target = slides.write_deck(site, "notebooks/01-topic")
    target.write_text(target.read_text() + "<!-- kept -->")
    assert "kept" in slides.write_deck(site, "notebooks/01-topic").read_text()
    (site / "notebooks" / "01-topic.html").write_text(PAGE.replace("Why?", "Why not?"))
    assert "kept" not in slides.write_deck(site, "notebooks/01-topic").read_text()


def test_an_unknown_command_is_an_error_that_shows_the_formula() -> None:
    with pytest.raises(mathml.FormulaError, match=r"unheard"):
        mathml.mathml(r"\unheard{x}")


@pytest.mark.parametrize("tex", [r"\tfrac12 < a \& b", r"\begin{split}a&=b\\c&=d\end{split}"])
def test_mathml_is_well_formed_and_carries_its_tex(tex: str) -> None:
    root = ElementTree.fromstring(mathml.mathml(tex, display=True))
    assert root.get("alttext") == tex
    for element in root.iter():  # MathML 3, which e-books ask for, has these on mstyle alone
        if not element.tag.endswith("mstyle"):
            assert not {"displaystyle", "scriptlevel"} & set(element.attrib)
