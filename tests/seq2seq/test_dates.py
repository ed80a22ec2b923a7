"""Dates: read back by the standard library, and their bad input."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.seq2seq import date_pairs, written_date
from coursekit.seq2seq.dates import FIRST, LAST

DIRECTIVES = ("%d %B %Y", "%B %d, %Y", "%A %d %B %Y", "%d %b %Y", None, "%Y, %B %d")


@given(st.dates(FIRST, LAST), st.integers(0, 5))
def test_the_standard_library_reads_every_style_back(day, style):
    text = written_date(day, style)
    form = DIRECTIVES[style]
    if form is None:  # strptime knows no ordinals
        text, form = text.replace("the ", "").replace(" of", ""), "%d %B %Y"
        number, *rest = text.split()
        text = " ".join([number[:-2], *rest])
    assert datetime.datetime.strptime(text, form).date() == day


@pytest.mark.parametrize(
    ("number", "ordinal"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"),
     (21, "21st"), (22, "22nd"), (23, "23rd"), (31, "31st")],
)  # fmt: skip
def test_ordinals(number, ordinal):
    assert written_date(datetime.date(2000, 1, number), 4) == f"the {ordinal} of January 2000"


def test_pairs_use_every_style_and_the_whole_range():
    pairs = date_pairs(2000, np.random.default_rng(0))
    years = {int(iso[:4]) for _, iso in pairs}
    assert min(years) < 1910
    assert max(years) > 2090
    assert all(datetime.date.fromisoformat(iso).isoformat() == iso for _, iso in pairs)
    assert {sum(c.isdigit() for c in text) > 4 for text, _ in pairs} == {True}


def test_what_cannot_be_written_is_explained():
    with pytest.raises(ValueError, match="style is 6; 0 to 5"):
        written_date(FIRST, 6)
    with pytest.raises(ValueError, match="m is 0"):
        date_pairs(0, np.random.default_rng(0))
    with pytest.raises(TypeError, match="default_rng"):
        date_pairs(1, 0)
