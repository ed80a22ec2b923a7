"""Where the built site is, its pages, and how to start a browser that sees nothing else."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
PAGES = sorted(p.relative_to(SITE).as_posix() for p in SITE.rglob("*.html") if p.is_file())
PAGES = [page for page in PAGES if not page.startswith("_static/")]
CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]
