"""The palette is readable and complete; the style uses the typeface that it ships."""

import itertools

import matplotlib as mpl
import pytest
from matplotlib import font_manager

from coursekit.viz import style


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, two: str) -> float:
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "panel"])
@pytest.mark.parametrize("name", sorted(set(style.PALETTE) - {"paper", "panel", "rule"}))
def test_text_in_every_colour_reaches_wcag_aa(name, ground, mode):
    assert contrast(style.PALETTE[name][mode], style.PALETTE[ground][mode]) >= 4.5


def test_constants_are_the_palette():
    for name, colour in style.PALETTE.items():
        assert getattr(style, name.upper()) == colour["light"]


def test_series_differ_in_line_and_marker_too():
    assert (
        len(set(style.SERIES)) == len(set(map(str, style.DASHES))) == len(set(style.MARKERS)) == 6
    )


def test_text_is_set_in_the_shipped_typeface():
    style.use()
    found = font_manager.findfont(mpl.rcParams["font.family"][0], fallback_to_default=False)
    assert "coursekit" in found
    assert mpl.rcParams["svg.fonttype"] == "path"


def test_using_the_style_undoes_what_was_set_before():
    mpl.rcParams["lines.linewidth"] = 9
    style.use()
    assert mpl.rcParams["lines.linewidth"] == style.RC["lines.linewidth"]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_css_has_every_colour(mode):
    css = style.variables(mode)
    assert all(f"--ck-{n}: {c[mode]};" in css for n, c in style.PALETTE.items())


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="'light' and 'dark'"):
        style.variables("sepia")


def test_colours_of_one_mode_are_all_different():
    for mode in ("light", "dark"):
        colours = [c[mode] for c in style.PALETTE.values()]
        assert all(a != b for a, b in itertools.combinations(colours, 2))
