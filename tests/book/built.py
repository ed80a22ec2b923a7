"""Where the built site is, its pages."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
PAGES = sorted(p.relative_to(SITE).as_posix() for p in SITE.rglob("*.html") if p.is_file())
PAGES = [page for page in PAGES if not page.startswith(("_static/", "slides/"))]
CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]
