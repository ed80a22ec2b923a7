"""No attack earns what its code does not, reaches anything outside, or harms its neighbours.

`make test` grades a sample on the best sandbox of this machine, the way a teacher does;
`make test-all` grades all attacks on every sandbox that the machine allows, cold and warm.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.grading.hostile import makers, pages
from tests.grading.hostile.attack import Attack, committed
from tests.grading.hostile.batch import HONEST, POINTS, Graded, Row, grade, interpreter

ATTACKS = [*committed(), *makers.ATTACKS]
FEWEST_ATTACKS, FEWEST_KINDS = 60, 30
ALL = os.environ.get("COURSEKIT_TEST_ALL") == "1"
ISOLATED = ("bubblewrap", "container", "user")


def usable() -> list[str]:
    """The sandboxes of this machine."""
    return [tier for tier in ISOLATED if not interpreter(tier)[2]]


def settings() -> list[tuple[str, str]]:
    """Every tier, cold and warm; for the sample the best tier as it is used by default."""
    tiers = usable()
    if ALL:
        return [(tier, heat) for tier in tiers for heat in ("cold", "warm")]
    return [(tier, "warm") for tier in tiers[:1]]


@pytest.fixture(scope="module", params=settings(), ids="-".join)
def graded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """One batch, graded in one setting."""
    tier, heat = request.param
    attacks = ATTACKS if ALL else [a for a in ATTACKS if a.sample]
    room = tmp_path_factory.mktemp(f"hostile-{tier}-{heat}")
    found = grade(room, attacks, tier, "--jobs", "2", *(["--cold"] if heat == "cold" else []))
    found.tier, found.attacks = tier, attacks
    return found


def rows_of(attack: Attack, graded: Graded) -> list[Row]:
    """The gradebook's rows of an attack: one, or one for each file of an archive."""
    file = attack.file.replace("@TOKEN@", graded.places["TOKEN"])
    file = file.encode("utf-8", "replace").decode()
    return [row for name, row in graded.rows.items() if name == file or name.startswith(f"{file}/")]


def test_there_are_enough_attacks_of_enough_kinds() -> None:
    kinds = Counter(attack.kind for attack in ATTACKS)
    print(f"{len(ATTACKS)} attacks of {len(kinds)} kinds; {sum(a.sample for a in ATTACKS)} sampled")
    assert len(ATTACKS) >= FEWEST_ATTACKS
    assert len(kinds) >= FEWEST_KINDS
    assert len({a.name for a in ATTACKS}) == len(ATTACKS) == len({a.file for a in ATTACKS})


def test_the_grader_survives_the_batch(graded: Graded) -> None:
    assert graded.status in (0, 1), graded.printed[-3000:]
    assert "Traceback" not in graded.printed


def test_no_attack_earns_what_its_code_does_not(graded: Graded) -> None:
    wrong = []
    for attack in graded.attacks:
        found = {q: n for row in rows_of(attack, graded) for q, n in row.points.items()}
        if found != {q: POINTS[q] for q in attack.earns}:
            wrong.append(f"{attack.name}: {found}, and {set(attack.earns) or 'nothing'} is earned")
    assert not wrong, "\n".join(wrong)


def test_honest_neighbours_are_graded_right(graded: Graded) -> None:
    for name, right in HONEST.items():
        assert graded.rows[f"{name}.ipynb"].points == {q: POINTS[q] for q in right}, name


def test_nothing_outside_is_touched(graded: Graded) -> None:
    assert graded.after == graded.before
    assert graded.reached == []
    assert graded.left_processes == []
    assert graded.left_files == []


def test_no_attack_says_that_it_reached_something(graded: Graded) -> None:
    texts = {a.name: _text(a, graded) for a in graded.attacks if graded.tier not in a.reaches}
    reached = [f"{name}: {text}" for name, text in texts.items() if "REACHED" in text]
    assert not reached, "\n".join(reached)


def test_every_attack_that_tells_ran(graded: Graded) -> None:
    """Otherwise the test before would be passed by an attack with a slip in it."""
    silent = [
        f"{a.name}: {_text(a, graded)!r} lacks {a.says!r}"
        for a in graded.attacks
        if a.says and graded.tier not in a.reaches and a.says not in _text(a, graded)
    ]
    assert not silent, "\n".join(silent)


def _text(attack: Attack, graded: Graded) -> str:
    return " ".join(row.texts.get("essay", "") for row in rows_of(attack, graded))


def test_every_attack_has_a_clear_line_in_the_gradebook(graded: Graded) -> None:
    unclear = []
    for attack in graded.attacks:
        words = " ".join(row.words for row in rows_of(attack, graded)).strip()
        if not words or not re.search(attack.line, words):
            unclear.append(f"{attack.name}: {words[:300]!r} lacks {attack.line!r}")
    assert not unclear, "\n".join(unclear)


def test_words_in_the_gradebook_can_be_printed(graded: Graded) -> None:
    for name, row in graded.rows.items():
        odd = {c for c in row.words if not c.isprintable() and c not in "\n\t"}
        assert not odd, (name, odd)
    assert "\x1b" not in graded.printed


def test_the_secret_and_the_environment_stay_where_they_are(graded: Graded) -> None:
    out = Path(graded.places["OUT"])
    key = (out / "secret.key").read_bytes()
    told = "".join([graded.printed, *(f"{r.words} {r.texts}" for r in graded.rows.values())])
    assert key.hex() not in told
    assert f"{graded.places['TOKEN']}-environment" not in told


def test_nothing_active_is_on_any_page(graded: Graded) -> None:
    """Scripts, handlers, frames, pictures and styles of a student are text, wherever they stand."""
    found = pages.html_pages(Path(graded.places["OUT"]))
    assert len(found) > len(graded.attacks)
    bad = {name: active for name, page in found.items() if (active := pages.active(page))}
    assert not bad
    assert len({frozenset(pages.styles(page)) for page in found.values()}) <= 2
    for name, page in found.items():
        assert "Content-Security-Policy" in page, name
        assert not pages.UNSEEN.search(page), name


def test_no_cell_of_an_exported_table_is_a_formula(graded: Graded) -> None:
    out = Path(graded.places["OUT"])
    written = (out / "grades.csv").read_text(encoding="utf-8-sig")
    for name, rows in [*pages.tables(out), ("grades.csv", pages.parsed(written))]:
        assert not pages.formulas(rows), name
        assert len({len(row) for row in rows}) == 1, f"{name}: rows of different lengths"
        assert not [cell for row in rows for cell in row if pages.UNSEEN.search(cell)], name


def test_pages_hold_no_hidden_input(graded: Graded) -> None:
    out = Path(graded.places["OUT"])
    text = "".join(pages.html_pages(out).values())
    for file in ("honest-right.ipynb", "leak-hidden-inputs.ipynb"):
        hidden = pages.hidden_values(out, file)
        assert len(hidden) > 100
        assert [value for value in hidden if value in text] == [], file
