"""SVG pictures go into the page itself: they follow its colours and can be read out."""

from __future__ import annotations

import hashlib
import re
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from . import palette

IDS = re.compile(r'\bid="([^"]+)"')
REFERENCES = re.compile(
    r'(\bid="|\burl\(#|\bhref="#|\baria-(?:labelledby|describedby)=")([^")\s]+)'
)
FULL_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")


def inline(svg: str, colours: dict[str, str], *, prefix: str, label: str = "") -> str:
    """Return `svg` without prologue, its ids prefixed, the light palette's colours as variables."""
    svg = svg[svg.index("<svg") :]
    own = set(IDS.findall(svg))
    svg = REFERENCES.sub(lambda m: m[1] + (f"{prefix}-{m[2]}" if m[2] in own else m[2]), svg)
    svg = FULL_HEX.sub(lambda m: colours.get(m[0].lower(), m[0]), svg)
    head, rest = svg.split(">", 1)
    if label and "aria-label" not in head:
        head += f' role="img" aria-label="{escape(label, quote=True)}"'
    return f"{head}>{rest}"


def colours(root: Path) -> dict[str, str]:
    """Light hex -> CSS variable."""
    return {tones["light"]: f"var(--ck-{name})" for name, tones in palette.read(root).items()}


class InlinePictures(SphinxPostTransform):
    """Replace image nodes that point to an SVG file by the drawing."""

    default_priority = 8  # after MyST-NB has chosen among a cell's outputs (4)
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Walk over the page's images."""
        root = Path(self.app.srcdir)
        known = colours(root)
        for number, node in enumerate(list(self.document.findall(nodes.image))):
            path = root / node["uri"]
            if path.suffix == ".svg" and path.is_file():
                svg = path.read_text(encoding="utf8")
                prefix = f"p{number}-{hashlib.sha256(svg.encode()).hexdigest()[:6]}"
                drawing = inline(svg, known, prefix=prefix, label=node.get("alt", ""))
                raw = nodes.raw("", f'<div class="ck-picture">{drawing}</div>', format="html")
                node.replace_self(raw)


def setup(app: Any) -> None:
    """Register the transform."""
    app.add_post_transform(InlinePictures)
