"""Live figures on a page without a kernel: they start, move by keyboard, and ask for nothing."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from coursekit.viz import live, style

ROOT = Path(__file__).resolve().parents[2]
HOST = ROOT / "book" / "_static" / "live-host.js"
AXE = ROOT / "tests" / "book" / "vendor" / "axe.min.js"
NAMES = [
    "gaussian_fit",
    "regularisation_path",
    "capacity",
    "softmax",
    "wafer_map",
    "export_plane",
    "descent_paths",
    "signal_depth",
    "backprop_graph",
    "lstm_cell",
    "alignment",
    "beam_tree",
    "soft_lookup",
    "positions",
    "attention_heads",
    "online_softmax",
    "roofline",
    "model_roofline",
    "cost_per_token",
    "minmax_game",
    "latent_walk",
    "denoising",
    "guidance",
    "bpe_merges",
    "sampling_knobs",
    "scaling_law",
    "clipped_step",
    "many_answers",
    "over_optimised",
    "fairness_thresholds",
    "agent_trace",
]
LARGEST = 60_000  # bytes of text/html


class Scripts(HTMLParser):
    """Collects the text of each script element by its class."""

    def __init__(self):
        super().__init__()
        self.found, self.inside = {}, None

    def handle_starttag(self, tag, attrs):
        if tag == "script":
            self.inside = dict(attrs).get("class")

    def handle_data(self, data):
        if self.inside:
            self.found[self.inside] = self.found.get(self.inside, "") + data

    def handle_endtag(self, tag):
        if tag == "script":
            self.inside = None


class Page:
    """A bare page with some figures, its errors and its requests."""

    def __init__(self, browser, body: str, *, scripts: bool = True, width: int = 820, **context):
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=scripts, **context
        )
        self.tab = self.context.new_page()
        self.errors, self.requests = [], []
        self.tab.on("console", lambda m: m.type == "error" and self.errors.append(m.text))
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.on("request", lambda r: self.requests.append(r.url))
        html = (
            "<!doctype html><html lang='en'><meta charset='utf-8'><title>Figures</title>"
            "<meta name='viewport' content='width=device-width, initial-scale=1'>"
            f"<main><h1>Figures</h1>{body}</main><script>{HOST.read_text('utf-8')}</script></html>"
        )
        self.tab.set_content(html)
        if scripts:
            for figure in self.tab.query_selector_all("figure.ck-live"):
                figure.wait_for_selector(".ck-picture text")

    def clean(self) -> None:
        assert self.errors == []
        assert [url for url in self.requests if not url.startswith("blob:")] == []


@pytest.fixture
def page(browser):
    opened = []

    def build(body: str, **options) -> Page:
        opened.append(Page(browser, body, **options))
        return opened[-1]

    yield build
    for one in opened:
        one.context.close()


@pytest.mark.parametrize("name", NAMES)
def test_the_same_figure_gives_the_same_bytes(figures, name):
    figure = figures[name]
    assert figure.html() == figure.html()
    again = type(figure)(**figure.state())
    assert again.html() == figure.html()
    assert again.model_id not in figure.html()


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_is_light_and_loads_nothing(figures, name):
    html = figures[name].html()
    assert len(html.encode()) < LARGEST
    assert set(re.findall(r"https?://[^\"'\s)]+", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_the_largest_figures_stay_within_their_size():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 12)) * 123.456
    wide = live.regularisation_path(
        X, X @ rng.normal(size=12), [f"feature {i:02d}" for i in range(12)]
    )
    many = live.gaussian_fit(rng.normal(1e4, 1e3, 1000))
    paths = [
        live.descent_paths(name, kappa=kappa, learning_rate=0.02, steps=150)
        for name in ("quadratic", "rosenbrock", "wells")
        for kappa in (2, 100)
    ]
    for figure in (wide, many, *paths):
        assert len(figure.html().encode()) < LARGEST


@pytest.mark.parametrize("name", NAMES)
def test_state_and_module_survive_the_html(figures, name):
    parser = Scripts()
    parser.feed(figures[name].html())
    assert json.loads(parser.found["ck-state"]) == json.loads(json.dumps(figures[name].state()))
    assert "import " not in re.sub(r"//.*|/\*.*?\*/", "", parser.found["ck-module"])


def test_names_from_data_cannot_break_out():
    rng = np.random.default_rng(0)
    bad = "</script><img src=x onerror=alert(1)>"
    X = rng.normal(size=(50, 2))
    figure = live.regularisation_path(X, X[:, 0] + rng.normal(size=50), [bad, 'a"b&c'])
    assert "<img" not in figure.html()


def moved(tab, seen, before):
    """Whether the picture becomes another one, within three seconds on a busy machine."""
    for _ in range(60):
        if seen()[0] != before[0]:
            return True
        tab.wait_for_timeout(50)
    return False


@pytest.mark.browser
@pytest.mark.parametrize("name", NAMES)
def test_every_control_moves_picture_and_words_by_keyboard(page, figures, name):
    tab = (opened := page(figures[name].html())).tab
    assert tab.is_hidden(".ck-fallback")
    picture = tab.locator(".ck-picture")

    def seen():
        return picture.inner_html(), picture.get_attribute("aria-label")

    controls = tab.locator("input[type=range], fieldset, button")
    assert controls.count() >= 2
    for i in range(controls.count()):
        control, before = controls.nth(i), seen()
        kind = control.evaluate("e => e.tagName + (e.type ?? '')")
        if kind == "INPUTrange":
            output = control.locator("xpath=../output")
            words, spoken = output.text_content(), control.get_attribute("aria-valuetext")
            control.focus()
            tab.keyboard.press("ArrowRight")
            assert moved(tab, seen, before)
            assert output.text_content() != words
            assert control.get_attribute("aria-valuetext") == output.text_content() != spoken
            assert seen()[1] != before[1]
        elif kind.startswith("FIELDSET"):
            control.locator("input:checked").first.focus()
            boxes = control.locator("input[type=checkbox]").count()
            tab.keyboard.press("Space" if boxes else "ArrowDown")
        else:
            control.focus()
            tab.keyboard.press("Enter")
            tab.wait_for_timeout(600)
        if "Clear" not in (control.text_content() or ""):
            assert moved(tab, seen, before), kind
    tab.wait_for_timeout(900)
    assert tab.locator("[role=status]").text_content() == seen()[1]
    opened.clean()


@pytest.mark.browser
def test_the_button_reaches_the_best_fit(page):
    x = np.random.default_rng(3).normal(5, 2, 80)
    tab = page(live.gaussian_fit(x).html()).tab
    tab.get_by_role("button", name="Go to the maximum-likelihood fit").press("Enter")
    tab.wait_for_timeout(700)
    readings = tab.locator("dd").all_text_contents()
    deviations = np.std(np.array([float(f"{v:.6g}") for v in x]))
    assert readings[0].startswith(
        f"{-0.5 * np.log(2 * np.pi * np.e * deviations**2):.3f}".replace("-", "−")
    )
    assert readings[1] == readings[2] == "0.000 nats"
    assert readings[3] == "0.000 ± 0.000 nats"


@pytest.mark.browser
def test_two_of_the_same_share_no_identifier_and_no_state(page, figures):
    opened = page(figures["softmax"].html() * 2)
    first, second = (opened.tab.locator(".ck-picture").nth(i) for i in (0, 1))
    ids = opened.tab.eval_on_selector_all(".ck-stage [id]", "es => es.map(e => e.id)")
    assert len(ids) == len(set(ids)) > 0
    before = second.inner_html()
    opened.tab.locator("input[type=range]").first.press("ArrowRight")
    opened.tab.wait_for_timeout(60)
    assert first.get_attribute("aria-label") != second.get_attribute("aria-label")
    assert second.inner_html() == before
    opened.clean()


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 360, 820])
def test_nothing_is_wider_than_the_window(page, figures, width):
    opened = page("".join(f.html() for f in figures.values()), width=width)
    assert opened.tab.evaluate("document.documentElement.scrollWidth") <= width
    outside = opened.tab.eval_on_selector_all(
        ".ck-picture text",
        """es => es.filter(e => { const a = e.getBoundingClientRect();
            const b = e.closest("figure").getBoundingClientRect();
            return a.left < b.left || a.right > b.right; }).map(e => e.textContent)""",
    )
    assert outside == []
    sizes = opened.tab.eval_on_selector_all(
        ".ck-picture text", "es => es.map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 11
    opened.clean()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page, figures, scheme):
    if not AXE.exists():
        pytest.skip("axe-core is not in this checkout")
    opened = page("".join(f.html() for f in figures.values()), color_scheme=scheme)
    opened.tab.evaluate(AXE.read_text("utf-8"))
    report = opened.tab.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(v["id"], v["nodes"][0]["html"]) for v in report["violations"]] == []


@pytest.mark.browser
@pytest.mark.parametrize(
    ("scheme", "attribute", "site", "ink"),
    [
        ("light", "", "", "light"),
        ("dark", "", "", "dark"),
        ("dark", "data-jp-theme-light='true'", "", "light"),
        ("light", "data-jp-theme-light='false'", "", "dark"),
        ("light", "", "--ck-ink: rgb(1, 2, 3)", "site"),
        ("dark", "data-jp-theme-light='true'", "--ck-ink: rgb(1, 2, 3)", "site"),
    ],
)
def test_colours_follow_site_then_jupyter_then_system(page, figures, scheme, attribute, site, ink):
    body = f"<div {attribute} style='{site}'>{figures['softmax'].html()}</div>"
    tab = page(body, color_scheme=scheme).tab
    if ink == "site":
        wanted = "rgb(1, 2, 3)"
    else:
        colour = style.PALETTE["ink"][ink]
        wanted = "rgb({}, {}, {})".format(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))
    assert tab.locator(".ck-title:visible").evaluate("e => getComputedStyle(e).color") == wanted


@pytest.mark.browser
@pytest.mark.parametrize("name", NAMES)
def test_without_scripts_picture_and_description_are_there(page, figures, name):
    tab = page(figures[name].html(), scripts=False).tab
    assert tab.is_visible(".ck-fallback svg")
    assert tab.text_content(".ck-description") == figures[name].description()


@pytest.mark.browser
def test_a_broken_module_leaves_the_still_picture(page, figures):
    html = figures["softmax"].html().replace("export default { render };", "throw Error('no');")
    opened = page("<p>no figure yet</p>")
    opened.tab.set_content(f"<main>{html}</main><script>{HOST.read_text('utf-8')}</script>")
    opened.tab.wait_for_selector("figure[data-state=still]")
    assert opened.tab.is_visible(".ck-fallback svg")
    assert "stays still" in opened.errors[0]


def test_the_host_is_short():
    assert len(HOST.read_text("utf-8").splitlines()) <= 80


@pytest.mark.browser
def test_momentum_reaches_the_rate_of_the_theory(page):
    opened = page(live.descent_paths(kappa=81, learning_rate=0.01, steps=150).html())
    opened.tab.get_by_role("button", name="best η and μ for momentum").press("Enter")
    opened.tab.wait_for_timeout(200)
    readings = dict(
        zip(
            opened.tab.locator("dt").all_text_contents(),
            opened.tab.locator("dd").all_text_contents(),
            strict=True,
        )
    )
    assert readings["Best for momentum, (√κ − 1) / (√κ + 1)"] == "× 0.800"
    measured, theory = re.findall(r"\d\.\d+", readings["Distance per step, momentum"])
    assert theory == "0.800"
    # a double root: the distance falls as k 0.8^k, which over steps 75 to 150 adds about 1 %
    assert float(measured) == pytest.approx(0.8, rel=0.02)
    opened.clean()


@pytest.mark.browser
def test_divergence_is_said_in_words(page):
    tab = page(live.descent_paths(learning_rate=0.2, momentum=0.5).html()).tab
    readings = tab.locator("dd").all_text_contents()
    assert all(reading.startswith("diverges, gone at step") for reading in readings[:2])
    assert "it grows" in readings[4]
    assert "Gradient descent diverges" in tab.locator(".ck-picture").text_content()


@pytest.mark.browser
def test_walking_forward_and_back_shows_every_formula_and_the_numbers(page):
    figure = live.backprop_graph()
    numbers, tab = figure.numbers(), page(figure.html()).tab
    assert tab.locator("dd").all_text_contents()[:2] == ["not yet known"] * 2
    words = []
    for _ in range(24):
        tab.get_by_role("button", name="Next step").press("Enter")
        tab.wait_for_timeout(40)
        words.append(tab.locator(".ck-picture").get_attribute("aria-label"))
    for formula in range(1, 5):
        assert sum(f"Formula ({formula}), in matrices ({formula + 4})" in w for w in words) >= 2
    shown = tab.locator(".ck-picture").text_content().replace("−", "-")
    for slope in numbers.gradient:
        assert f"∂ {slope:.4f}" in shown
    readings = tab.locator("dd").all_text_contents()
    assert readings[:2] == [f"{numbers.o2:.3f}", f"{numbers.loss:.4f}"]
    tab.get_by_role("button", name="gradient").press("Enter")
    tab.wait_for_timeout(40)
    after = live.backprop_graph(np.array(figure.weights) - numbers.gradient).numbers()
    assert tab.locator("dd").all_text_contents()[1] == f"{after.loss:.4f}"
    assert after.loss < numbers.loss


@pytest.mark.browser
def test_gain_of_he_keeps_what_that_of_xavier_loses(page):
    tab = page(live.signal_depth("relu", gain=1.0, depth=50).html()).tab
    readings = tab.locator("dd").all_text_contents()
    assert readings[0].endswith("vanishes")
    assert readings[2].endswith("vanishes")
    tab.get_by_role("button", name="He: gain √2").press("Enter")
    tab.wait_for_timeout(600)
    readings = tab.locator("dd").all_text_contents()
    assert readings[0].endswith("stays in range")
    assert readings[2].endswith("stays in range")
