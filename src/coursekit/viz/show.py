"""Matplotlib figures as accessible SVG whose bytes depend on the drawing alone."""

import hashlib
import io
import re
from html import escape
from typing import Any

from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib import rc_context
from matplotlib.figure import Figure

from coursekit.viz import style

_NO_METADATA: dict[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}
_PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_PAGE_WIDE_STYLE = re.compile(r"\s*<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
_ROOT = re.compile(r"<svg[^>]*>")
_VIEW_BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_INDENT = re.compile(r" *\n\s*")
_NO_ROTATION = re.compile(r' transform="rotate\(-?0 [^)]*\)"')
_COORDINATES = re.compile(r'(?<=[\s(])(?:d|x|y|transform)="[^"]*"')
_LONG_DECIMAL = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
_ID = re.compile(r'\sid="([^"]+)"')


def show(figure: Figure, *, alt: str) -> None:
    """Show a figure as SVG that a screen reader can announce, and close it.

    The same drawing gives the same bytes: no date, no version, identifiers made from the content.
    The ground is the palette's paper, so that ink stays readable in a notebook on a dark ground; on
    the site it follows the page like every other colour of the palette.

    Parameters
    ----------
    figure
        A Matplotlib figure.
    alt
        One or two sentences that carry what the picture shows, for readers who cannot see it.

    Raises
    ------
    TypeError
        If ``figure`` is not a Matplotlib figure.
    ValueError
        If ``alt`` is empty.
    """
    if not isinstance(figure, Figure):
        raise TypeError(
            f"show() got a {type(figure).__name__}; it wants the Matplotlib figure, "
            "as in fig, ax = plt.subplots(); show(fig, alt=...)."
        )
    svg = to_svg(figure, alt=alt)
    plt.close(figure)
    display({"image/svg+xml": svg, "text/plain": alt.strip()}, raw=True)


def to_svg(figure: Figure, *, alt: str, letters: str = "path") -> str:
    """Return the SVG text that :func:`show` displays.

    ``letters="none"`` keeps text as text, for a page that has the typeface; the other parameters
    are those of :func:`show`.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(
            "show() needs alt: one or two sentences that say what the picture shows, "
            "for readers who cannot see it."
        )
    with rc_context({"svg.hashsalt": "coursekit", "svg.fonttype": letters}):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    body = buffer.getvalue()
    for pattern in (_PROLOGUE, _METADATA, _COMMENT, _PAGE_WIDE_STYLE):
        body = pattern.sub("", body)
    body = _INDENT.sub(" ", _NO_ROTATION.sub("", body))  # one line: notebooks store lines apart
    body = _COORDINATES.sub(lambda m: _LONG_DECIMAL.sub(_shorten, m[0]), body)
    return _name_ids(_new_root(body, " ".join(alt.split())))


def _shorten(number: re.Match[str]) -> str:
    """Round a coordinate to a hundredth of a point, and a small scale to six digits."""
    value = float(number[0])
    return f"{value:.6g}" if abs(value) < 0.1 else f"{value:.2f}".rstrip("0").rstrip(".")


def _new_root(svg: str, alt: str) -> str:
    """Replace the root element by one with a role, a name and a size in pixels."""
    box = _VIEW_BOX.search(svg)
    assert box is not None, "Matplotlib writes a viewBox"
    width, height = (float(side) * 96 / 72 for side in box.groups())  # points to CSS pixels
    root = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'class="ck-plot" role="img" aria-label="{escape(alt)}" '
        f'width="{width:.0f}" height="{height:.0f}" {box.group(0)} '
        f'style="background: {style.PAPER}; max-width: 100%; height: auto; '
        'stroke-linejoin: round; stroke-linecap: butt">\n'
        f" <title>{escape(alt, quote=False)}</title>"
    )
    return _ROOT.sub(lambda _: root, svg, count=1)


def _name_ids(svg: str) -> str:
    """Drop identifiers nobody refers to and prefix the others by a hash of the drawing."""
    prefix = "ck" + hashlib.sha256(svg.encode()).hexdigest()[:8]
    used = {name for name in _ID.findall(svg) if f"#{name}" in svg}
    svg = _ID.sub(lambda m: f' id="{prefix}-{m[1]}"' if m[1] in used else "", svg)
    for name in sorted(used, key=len, reverse=True):
        svg = re.sub(rf'(href="|url\()#{re.escape(name)}(?=["\)])', rf"\g<1>#{prefix}-{name}", svg)
    return svg
