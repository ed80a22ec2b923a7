"""Reading time and steps: what is counted, and that the words about them are true."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "book" / "_ext"))

from coursebook import reading

PAGE = """---
jupytext: {}
---

# A page

(sec-a-first)=
## First

One two $x$ three.

$$
y = x
$$ (eq-a-y)

```{code-cell} ipython3
a = 1
## not a heading

b = 2
```

```{code-cell} ipython3
:tags: [hide-input]
c = 3
```

(sec-a-second)=
## Second

Four words stand here.
"""


@pytest.fixture(scope="module")
def chapters(root: Path) -> dict[str, str]:
    """The published chapters' pages."""
    pages = sorted((root / "book").glob("[01]*.md"))
    return {page.stem: page.read_text(encoding="utf-8") for page in pages}


def test_words_formulas_and_shown_code_are_counted() -> None:
    first = reading.section_efforts(PAGE)["sec-a-first"]
    assert first == reading.Effort(words=4, equations=1, formulas=1, code_lines=3)


def test_a_section_ends_where_the_next_one_begins() -> None:
    assert list(reading.section_efforts(PAGE)) == ["sec-a-first", "sec-a-second"]
    assert reading.section_efforts(PAGE)["sec-a-second"].words == 4


@pytest.mark.parametrize(
    ("effort", "minutes"),
    [
        (reading.Effort(1800, 0, 0, 0), 10),
        (reading.Effort(0, 20, 0, 0), 10),
        (reading.Effort(0, 0, 999, 120), 10),
        (reading.Effort(3, 0, 0, 0), 1),
    ],
)
def test_minutes_follow_the_rates_that_the_page_states(effort, minutes: int) -> None:
    assert effort.minutes == minutes


@pytest.mark.parametrize(
    ("effort", "step"),
    [
        (reading.Effort(100, 0, 5, 0), "gentle"),
        (reading.Effort(100, 1, 2, 5), "steady"),
        (reading.Effort(100, 3, 0, 0), "steady"),
        (reading.Effort(100, 3, 0, 1), "steep"),
    ],
)
def test_the_step_follows_the_density_at_its_limits(effort, step: str) -> None:
    assert effort.step == step


def test_a_third_of_the_sections_is_gentle_and_a_sixth_steep(chapters: dict[str, str]) -> None:
    """The sentence on the page of sheets, within a quarter of what it says."""
    steps = [
        effort.step
        for page in chapters.values()
        for label, effort in reading.section_efforts(page).items()
        if label.rpartition("-")[2] not in reading.CLOSING
    ]
    assert len(steps) > 100
    assert steps.count("gentle") / len(steps) == pytest.approx(1 / 3, rel=0.25)
    assert steps.count("steep") / len(steps) == pytest.approx(1 / 6, rel=0.25)


def test_the_page_of_sheets_states_the_rates_and_limits_of_the_code(root: Path) -> None:
    text = (root / "book" / "sheets.md").read_text(encoding="utf-8")
    assert f"divided by {reading.WORDS_A_MINUTE} a minute" in text
    assert reading.EQUATIONS_A_MINUTE == 2
    assert "half a minute for each displayed equation" in text
    assert reading.CODE_LINES_A_MINUTE == 12
    assert "a minute for twelve lines" in text
    (gentle, _), (steady, _), _ = reading.STEPS
    assert re.search(rf"up to {gentle:.0f} is gentle, up to {steady:.0f} steady", text)


def test_no_labelled_section_is_lost(chapters: dict[str, str]) -> None:
    for stem, page in chapters.items():
        bare = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
        headings = re.findall(r"^\(([\w-]+)\)=\s*\n+## ", bare, re.MULTILINE)
        assert list(reading.section_efforts(page)) == headings, stem
