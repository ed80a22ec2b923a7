"""Download editions: plain words for every construct, and the same code, byte for byte."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

import editions

INDEX = editions.Index(
    site="https://example.org/c/",
    titles={"notebooks/01-basics": "Basics", "book/notation": "Notation"},
    sections={"sec-basics-kl": ("notebooks/01-basics", "A distance that is none")},
    equations={"eq-basics-kl": ("notebooks/01-basics", "1.3")},
    citations={"kullback1951": ("Kullback and Leibler", "1951"), "x1999": ("X et al.", "1999")},
)
LEFTOVER = re.compile(r"\{[a-z][a-z:-]*\}`|^[:`]{3,}\{|^:{3,}|^\([\w-]+\)=$", re.MULTILINE)


def plain(text: str) -> str:
    """The text as a reader of the edition gets it."""
    return editions.plain_markdown(text, INDEX, {"basics-accuracy": "97.3 %"})


@pytest.mark.parametrize(
    ("myst", "markdown"),
    [
        (
            "see {eq}`eq-basics-kl`",
            "see [(1.3)](https://example.org/c/notebooks/01-basics.html#equation-eq-basics-kl)",
        ),
        (
            "{ref}`sec-basics-kl`",
            "[A distance that is none]"
            "(https://example.org/c/notebooks/01-basics.html#sec-basics-kl)",
        ),
        (
            "{ref}`there <sec-basics-kl>`",
            "[there](https://example.org/c/notebooks/01-basics.html#sec-basics-kl)",
        ),
        ("{doc}`notation`", "[Notation](https://example.org/c/book/notation.html)"),
        (
            "{term}`KL divergences <KL divergence>`",
            "[KL divergences](https://example.org/c/book/glossary.html#term-KL-divergence)",
        ),
        (
            "{py:func}`~coursekit.basics.softmax`",
            "[`softmax`](https://example.org/c/book/api/basics.html#coursekit.basics.softmax)",
        ),
        (
            "{cite:p}`kullback1951,x1999`",
            "([Kullback and Leibler, 1951](https://example.org/c/book/bibliography.html); "
            "[X et al., 1999](https://example.org/c/book/bibliography.html))",
        ),
        (
            "{cite:t}`kullback1951`",
            "[Kullback and Leibler (1951)](https://example.org/c/book/bibliography.html)",
        ),
        ("reaches {glue:text}`basics-accuracy`", "reaches 97.3 %"),
        ("$$a = b$$ (eq-basics-kl)", "$$a = b \\tag{1.3}$$"),
        ("(sec-basics-kl)=\n## Heading", "## Heading"),
        ("[n](../book/notation.md#x)", "[n](https://example.org/c/book/notation.html#x)"),
        ("```python\n:::{odd}\n```", "```python\n:::{odd}\n```"),
    ],
)
def test_every_construct_has_plain_words(myst: str, markdown: str) -> None:
    assert plain(myst) == markdown


def test_a_callout_becomes_a_quotation() -> None:
    text = ":::{admonition} Takeaway\n:class: takeaway\nOne $x$.\n\n- two\n:::\nafter"
    assert plain(text) == "> **Takeaway.**\n>\n> One $x$.\n>\n> - two\nafter"


def test_nested_callouts_are_turned_from_the_inside() -> None:
    text = "::::{admonition} Out\n:::{dropdown} In\nbody\n:::\n::::"
    assert "> <summary>In</summary>" in plain(text)
    assert not LEFTOVER.search(plain(text))


@pytest.mark.parametrize(
    ("myst", "complaint"),
    [
        ("{eq}`eq-basics-none`", "equation 'eq-basics-none'"),
        ("{ref}`sec-none`", "section 'sec-none'"),
        ("{cite:p}`nobody`", "citation 'nobody'"),
        ("{glue:text}`basics-none`", "glued value 'basics-none'"),
        ("{abbr}`KL`", "role {abbr}"),
        (":::{figure} x.svg\n:::", "directive {figure}"),
    ],
)
def test_what_leads_nowhere_is_an_error_that_names_it(myst: str, complaint: str) -> None:
    with pytest.raises(editions.EditionError, match=re.escape(complaint)):
        plain(myst)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The editions of the real notebooks."""
    out = tmp_path_factory.mktemp("editions")
    editions.write_editions(out)
    return out


def pairs(root: Path, written: Path) -> list[tuple[dict, dict]]:
    """Published notebook and its edition, for every notebook."""
    found = sorted((root / "notebooks").glob("*.ipynb"))
    return [
        (json.loads(p.read_text()), json.loads((written / "notebooks" / p.name).read_text()))
        for p in found
    ]


def test_code_cells_are_the_same_byte_for_byte(root: Path, written: Path) -> None:
    both = pairs(root, written)
    assert both
    for published, plain_edition in both:
        code = [
            ["".join(c["source"]) for c in nb["cells"] if c["cell_type"] == "code"]
            for nb in (published, plain_edition)
        ]
        assert code[0] == code[1]
        assert len(code[0]) > 5


def test_no_edition_shows_raw_myst(root: Path, written: Path) -> None:
    for path in sorted(written.rglob("*.ipynb")):
        nb = nbformat.read(path, as_version=4)
        nbformat.validate(nb)
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                text = re.sub(r"```.*?```|`[^`\n]*`(?!\w)", "", cell.source, flags=re.DOTALL)
                assert not LEFTOVER.search(text), f"{path.name}: {cell.source[:200]}"


def test_editions_keep_the_pictures(root: Path, written: Path) -> None:
    for published, plain_edition in pairs(root, written):
        pictures = [
            sum(
                "image/svg+xml" in o.get("data", {})
                for c in nb["cells"]
                for o in c.get("outputs", [])
            )
            for nb in (published, plain_edition)
        ]
        assert pictures[0] == pictures[1]
        assert pictures[0] >= 6
