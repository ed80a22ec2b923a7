"""Figures of the book: the same bytes every time, readable without eyes, nothing page-wide."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from IPython.utils.capture import capture_output
from matplotlib import pyplot as plt

from coursekit.viz import show, style
from coursekit.viz.show import to_svg

SVG = "{http://www.w3.org/2000/svg}"


def drawing(phase: float = 0.0):
    style.use()
    figure, ax = plt.subplots()
    x = np.linspace(0, 6, 50)
    ax.plot(x, np.sin(x + phase), label=r"$\sin \theta$")
    ax.fill_between(x, -0.2, 0.2, alpha=0.3)
    ax.legend()
    ax.set(title="A wave", xlabel="x", ylabel="height")
    return figure


def shown(figure, alt: str) -> str:
    with capture_output() as captured:
        show(figure, alt=alt)
    return captured.outputs[0].data["image/svg+xml"]


def test_the_same_drawing_gives_the_same_bytes():
    assert shown(drawing(), "A wave.") == shown(drawing(), "A wave.")


def test_another_drawing_shares_no_identifier():
    one, two = (set(re.findall(r'id="([^"]+)"', shown(drawing(p), "A wave."))) for p in (0, 1))
    assert one
    assert two
    assert not one & two


def test_every_reference_inside_the_picture_has_its_target():
    svg = shown(drawing(), "A wave.")
    wanted = set(re.findall(r'(?:href="|url\()#([^")]+)', svg))
    assert wanted
    assert wanted <= set(re.findall(r'\sid="([^"]+)"', svg))


def test_the_alternative_text_survives_quotes_and_signs():
    alt = 'The loss is < 2 & falls; "flat" after it\'s \n trained.'
    root = ET.fromstring(shown(drawing(), alt))
    assert root.get("role") == "img"
    assert root.get("aria-label") == " ".join(alt.split())
    assert root.findtext(f"{SVG}title") == " ".join(alt.split())


def test_the_picture_brings_no_style_sheet_no_date_and_no_address():
    svg = shown(drawing(), "A wave.")
    assert "<style" not in svg
    assert "<metadata" not in svg
    assert "matplotlib" not in svg.lower()
    assert set(re.findall(r'https?://[^"\s]+', svg)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_only_palette_colours_are_drawn():
    light = {colour["light"] for colour in style.PALETTE.values()}
    assert set(re.findall(r"#[0-9a-f]{6}\b", shown(drawing(), "A wave."))) <= light
    assert not re.findall(r"#[0-9a-f]{6}\b", style.themed(shown(drawing(), "A wave.")))


def test_rounding_moves_no_point_by_more_than_a_hundredth():
    figure = drawing()
    with plt.rc_context({"svg.hashsalt": "coursekit"}):
        import io

        buffer = io.StringIO()
        figure.savefig(buffer, format="svg")
    raw = re.findall(r'd="(M[^"]+)"', buffer.getvalue())
    rounded = re.findall(r'd="(M[^"]+)"', to_svg(figure, alt="A wave."))
    assert len(raw) == len(rounded)
    for one, two in zip(raw, rounded, strict=True):
        numbers = [np.array(re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", d), float) for d in (one, two)]
        np.testing.assert_allclose(*numbers, atol=0.0051)


def test_showing_closes_the_figure():
    figure = drawing()
    shown(figure, "A wave.")
    assert not plt.fignum_exists(figure.number)


@pytest.mark.parametrize("alt", ["", "   ", None])
def test_a_picture_without_words_is_refused(alt):
    with pytest.raises(ValueError, match="alt: one or two sentences"):
        show(drawing(), alt=alt)


def test_axes_instead_of_a_figure_are_named_in_the_error():
    with pytest.raises(TypeError, match=r"Axes.*wants the Matplotlib figure"):
        show(drawing().axes[0], alt="A wave.")
