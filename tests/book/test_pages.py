"""Every page in a browser, light and dark: what it asks for, complains of and weighs."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from built import PAGES

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf8")
SCHEMES = ("light", "dark")
PHONE = {"width": 360, "height": 780}
DESK = {"width": 1280, "height": 900}
WEIGHT_LIMIT = {
    False: 600_000,
    True: 1_000_000,
}  # bytes over the wire, without and with live figures
ALREADY_PACKED = (".woff", ".woff2", ".png")

SETTLED = """async () => {
  if (window.MathJax) await MathJax.startup.promise;
  await document.fonts.ready;
}"""
FIGURES_LIVE = "() => !document.querySelector('figure.ck-live:not([data-state=live])')"
# Ten thousand nodes a page say nothing new: a drawing's lines stand for its label (test_files.py asks
# for it), a formula's boxes for the formula, and a code token for the others of its class.
THIN_OUT = """() => {
  document.querySelectorAll(".ck-picture > svg > *, mjx-container > *").forEach(e => e.remove());
  const kept = new Map();
  document.querySelectorAll(".highlight pre span:not(:has(*))").forEach(token => {
    const kind = token.className + !!token.closest(".cell_output") + !!token.closest(".admonition");
    kept.set(kind, (kept.get(kind) ?? 0) + 1);
    if (kept.get(kind) > 3) token.replaceWith(token.textContent);
  });
}"""
SERIOUS = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations.filter(v => ["serious", "critical"].includes(v.impact))
    .map(v => `${v.id}: ${v.nodes.slice(0, 4).map(n => n.target.join(" ")).join(" | ")}`);
}"""
TOO_WIDE = """() => {
  const limit = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= limit) return [];
  return [...document.querySelectorAll("body *")]
    .filter(e => e.getBoundingClientRect().right > limit + 1).slice(0, 5)
    .map(e => `${e.tagName}.${e.className} to ${Math.round(e.getBoundingClientRect().right)}`)
    .concat(`page ${document.documentElement.scrollWidth} of ${limit}`);
}"""
UNREACHABLE = """() => [...document.querySelectorAll("body *")].filter(e => {
  const flow = getComputedStyle(e).overflowX;
  return ["auto", "scroll"].includes(flow) && e.scrollWidth > e.clientWidth + 1 && e.tabIndex < 0
    && !e.querySelector("a, button, input, [tabindex]") && e.clientWidth > 0;
}).map(e => e.className || e.tagName)"""


@dataclass
class Visit:
    """What one page did in one scheme."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    barriers: list[str] = field(default_factory=list)
    too_wide: list[str] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    formulas: int = 0
    untypeset: list[str] = field(default_factory=list)
    live: bool = False


def look(browser, url: str, scheme: str) -> Visit:
    """Visit a page at the desk and on a phone."""
    visit = Visit()
    context = browser.new_context(viewport=DESK, color_scheme=scheme, reduced_motion="reduce")
    tab = context.new_page()
    tab.on("request", lambda request: visit.requests.append(request.url))
    tab.on("console", lambda m: m.type in ("error", "warning") and visit.complaints.append(m.text))
    tab.on("pageerror", lambda error: visit.complaints.append(str(error)))
    tab.on("response", lambda r: r.status >= 400 and visit.complaints.append(f"{r.status} {r.url}"))
    tab.goto(url)
    tab.evaluate(SETTLED)
    tab.wait_for_function(FIGURES_LIVE)
    visit.live = tab.locator("figure.ck-live").count() > 0
    visit.formulas = tab.locator(".math").count()
    visit.untypeset = tab.locator(".math:not(:has(mjx-container)), mjx-merror").all_inner_texts()
    tab.set_viewport_size(PHONE)
    tab.wait_for_timeout(150)
    visit.too_wide = tab.evaluate(TOO_WIDE)
    visit.unreachable = tab.evaluate(UNREACHABLE)
    tab.set_viewport_size(DESK)
    tab.evaluate(THIN_OUT)
    tab.evaluate(AXE)
    visit.barriers = tab.evaluate(SERIOUS)
    context.close()
    return visit


@pytest.fixture(scope="module")
def visit(browser, address: str):
    """Visit each page once a scheme, whatever is asked of it."""
    return cache(lambda page, scheme: look(browser, f"{address}/{page}", scheme))


everywhere = pytest.mark.parametrize("page", [page for page in PAGES if page != "index.html"])
light_and_dark = pytest.mark.parametrize("scheme", SCHEMES)


@everywhere
def test_no_request_leaves_this_machine(page: str, visit, address: str) -> None:
    strangers = [
        url for url in visit(page, "light").requests
        if not url.startswith((address, "data:", f"blob:{address}"))
    ]  # fmt: skip
    assert strangers == []


@everywhere
@light_and_dark
def test_no_error_and_no_missing_file(page: str, scheme: str, visit) -> None:
    assert visit(page, scheme).complaints == []


@everywhere
@light_and_dark
def test_no_serious_barrier(page: str, scheme: str, visit) -> None:
    assert visit(page, scheme).barriers == []


@everywhere
@light_and_dark
def test_a_phone_scrolls_one_way_only(page: str, scheme: str, visit) -> None:
    assert visit(page, scheme).too_wide == []
    assert visit(page, scheme).unreachable == []


@everywhere
def test_mathematics_is_typeset(page: str, visit) -> None:
    assert visit(page, "light").untypeset == []


def test_there_is_mathematics_and_there_are_live_figures(visit) -> None:
    visits = [visit(page, "light") for page in PAGES if page.startswith("notebooks/")]
    assert sum(v.formulas for v in visits) > 50
    assert any(v.live for v in visits)


@cache
def sent(path: Path) -> int:
    """Bytes of a file over the wire."""
    data = path.read_bytes()
    return len(data) if path.suffix in ALREADY_PACKED else len(gzip.compress(data))


@everywhere
def test_a_page_stays_light(page: str, visit, site: Path, address: str) -> None:
    seen = visit(page, "light")
    urls = {url for url in seen.requests if url.startswith(address)}
    weights = {url: sent(site / unquote(urlsplit(url).path).lstrip("/")) for url in urls}
    limit = WEIGHT_LIMIT[seen.live]
    heaviest = sorted(weights, key=weights.get, reverse=True)[:4]
    assert sum(weights.values()) <= limit, [(u.rpartition("/")[2], weights[u]) for u in heaviest]


@everywhere
def test_mathjax_is_loaded_only_for_mathematics(page: str, visit) -> None:
    seen = visit(page, "light")
    loaded = any("/mathjax/" in url for url in seen.requests)
    assert loaded == (seen.formulas > 0)


@everywhere
def test_the_figures_host_is_loaded_only_for_live_figures(page: str, visit) -> None:
    seen = visit(page, "light")
    assert any("live-host.js" in url for url in seen.requests) == seen.live
