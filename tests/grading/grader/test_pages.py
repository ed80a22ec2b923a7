"""What students and teachers read: escaped, without scripts, and readable on a phone."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinyclass import NAME, answers, command, hand_in
from typer.testing import CliRunner

from coursekit import cli
from coursekit.grading.grader import pages
from coursekit.grading.grader.gradebook import open_gradebook
from coursekit.grading.grader.manual import Mark, give
from coursekit.grading.grader.outputs import write_outputs
from coursekit.grading.grader.report import histogram, report
from coursekit.grading.grader.standing import standings

EVIL = "</pre></main><script>document.title='owned'</script><img src=x onerror=alert(1)>\"'`{{7*7}}"
OURS = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "dl", "dt", "dd"}
OURS |= {"pre", "section", "span", "a", "div", "table", "caption", "thead", "tbody", "tr", "th"}
OURS |= {"td", "ul", "li", "svg", "rect", "text"}


class Tags(HTMLParser):
    """The elements and attributes of a page, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text())
def test_any_text_stays_text(text: str) -> None:
    shown = Tags(pages.tag("p", text, title=text))
    assert shown.seen == {"p"}
    assert shown.attributes <= {"title"}


@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80))
def test_file_names_are_safe_and_differ(one: str, other: str) -> None:
    names = pages.file_name(one), pages.file_name(other)
    assert all(re.fullmatch(r"[A-Za-z0-9._@-]{1,80}", name) for name in names)
    assert not names[0].startswith(".")
    assert (names[0] == names[1]) == (one == other)


def test_a_page_allows_its_own_style_and_nothing_else() -> None:
    text = pages.page("t", pages.tag("p", "x"))
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert style
    assert policy
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1].replace("&#x27;", "'") == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert "<script" not in text


@pytest.fixture(scope="module")
def hostile(own_questions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grading in which everything that a submission can write is HTML."""
    room = tmp_path_factory.mktemp("hostile")
    source = hand_in(
        room / "in",
        eve=answers(
            double=f"def double(x):\n    raise ValueError({EVIL!r})",
            both=f"raise RuntimeError({EVIL!r})",
            essay=f"essay = {EVIL!r}",
        ),
        good=answers(),
    )
    folder = source / f"a{EVIL.replace('/', '')}"
    folder.mkdir()
    (folder / "w.ipynb").write_bytes(answers(double=f"def double(x): return {EVIL!r}"))
    out = room / "out"
    CliRunner().invoke(cli.app, command(source, out, own_questions))
    with open_gradebook(out) as book:
        give(book, [Mark("eve", "essay", 1.0, EVIL)], EVIL)
    write_outputs(out)
    return out


def test_nothing_from_a_submission_becomes_markup(hostile: Path) -> None:
    files = [*(hostile / "feedback").iterdir(), hostile / "report.html"]
    assert len(files) == 4
    for path in files:
        shown = Tags(path.read_text(encoding="utf-8"))
        assert shown.seen <= OURS, path
        assert not {a for a in shown.attributes if a.startswith("on")}, path
    assert "owned" in Tags((hostile / "feedback" / "eve.html").read_text()).text


def test_feedback_says_what_happened(graded: Path) -> None:
    wrong = Tags((graded / "feedback" / "wrong.html").read_text()).text
    assert "5 of 10 points; essay still to be read by your teacher" in wrong
    assert "Twice, not squared." in wrong
    assert "double(x=" in wrong
    half = Tags((graded / "feedback" / "half.html").read_text()).text
    assert "partly right" in half
    broken = Tags((graded / "feedback" / "broken.html").read_text()).text
    assert "could not be graded" in broken


def test_the_class_report_counts_the_class(graded: Path) -> None:
    shown = Tags((graded / "report.html").read_text()).text
    assert "8 students, 7 graded, 0 without a submission." in shown
    with open_gradebook(graded) as book:
        totals = [s.total for s in standings(book) if s.result]
    assert f"Mean {pages.number(sum(totals) / 7)}, median 7 of 10." in shown
    assert "Twice, not squared." in shown


def test_an_empty_class_has_a_report() -> None:
    assert "0 students" in report([], NAME)


def test_the_histogram_says_its_numbers() -> None:
    svg = histogram([0.0, 1.0, 9.9, 10.0], 10.0)
    assert 'aria-label="Histogram of totals: 1 between 0 and 1, 1 between 1 and 2, 2 between' in svg


@pytest.mark.browser
@pytest.mark.parametrize("width", [1200, 390])
def test_the_pages_run_nothing_and_fit_the_screen(
    hostile: Path, browser, serve, width: int
) -> None:
    address = serve(hostile)
    page = browser.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message) or dialog.dismiss())
    for name in ("feedback/eve.html", "feedback/good.html", "report.html"):
        page.goto(f"{address}/{name}")
        assert "owned" not in page.title()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("h1").count() == 1
        assert page.evaluate("getComputedStyle(document.body).maxWidth") != "none"  # style applied
    assert said == []
    page.close()


def test_feedback_is_written_anew_after_a_mark(graded: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(graded, out)
    args = ["gradebook", "manual", str(out), "--student", "s0", "--question", "essay"]
    found = CliRunner().invoke(cli.app, [*args, "--points", "3", "--comment", "Just so."])
    assert found.exit_code == 0, found.output
    shown = Tags((out / "feedback" / "s0.html").read_text()).text
    assert "10 of 10 points." in shown
    assert "Just so." in shown
