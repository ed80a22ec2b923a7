"""The course's colours: coursekit's palette.json becomes CSS custom properties, light and dark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SOURCE = Path("src/coursekit/viz/palette.json")


def read(root: Path) -> dict[str, dict[str, str]]:
    """Name -> {"light": hex, "dark": hex}."""
    return json.loads((root / SOURCE).read_text(encoding="utf8"))


def style_sheet(palette: dict[str, dict[str, str]]) -> str:
    """Custom properties for both schemes; `data-theme` overrules the system's."""

    def block(scheme: str) -> str:
        rows = "".join(f"--ck-{name}:{tones[scheme]};" for name, tones in palette.items())
        return f"{{color-scheme:{scheme};{rows}}}\n"

    return (
        f":root{block('light')}"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){block('dark')}}}\n"
        f":root[data-theme=dark]{block('dark')}"
        f"@media print{{:root:root:root{block('light')}}}\n"
    )


def write(app: Any, exception: Exception | None) -> None:
    """Write the sheet beside the other static files."""
    if app.builder.format == "html" and exception is None:
        sheet = Path(app.outdir, "_static", "palette.css")
        sheet.write_text(style_sheet(read(Path(app.srcdir))), encoding="utf8")


def setup(app: Any) -> None:
    """Serve palette.css before every other sheet."""
    app.connect("build-finished", write)
    app.add_css_file("palette.css", priority=100)
