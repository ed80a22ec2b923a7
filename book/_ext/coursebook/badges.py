"""Numbered equations: their box, the badge that names their test, and the build's verdict."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.ext.mathjax import html_visit_math
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.math import get_node_equation_number

from .equations import Ledger, Place, numbers, read_ledger

logger = logging.getLogger(__name__)


def load(app: Any) -> None:
    """Read the ledger once a build."""
    app.course_ledger = read_ledger(Path(app.srcdir))


def verdict(app: Any, env: Any) -> None:
    """Warn of what the ledger finds wrong; the build runs with -W and fails."""
    for problem in app.course_ledger.problems():
        logger.warning(problem)


def refresh(app: Any, env: Any, added: set, changed: set, removed: set) -> list[str]:
    """Rewrite the pages whose badges changed although their text did not."""
    ledger: Ledger = app.course_ledger
    before = getattr(env, "course_ledger", None)
    env.course_ledger = ledger
    if before is None or before == ledger:
        return []
    return sorted(env.found_docs & (set(_pages_with_equations(env)) | {"book/equations"}))


def _pages_with_equations(env: Any) -> list[str]:
    return [docname for docname, _ in env.get_domain("math").equations.values()]


def source_url(config: Any, place: Place) -> str:
    """Return the place in the repository's web view."""
    return f"{config.course_repository}/blob/{config.course_branch}/{place.path}#L{place.line}"


def visit_displaymath(translator: Any, node: nodes.math_block) -> None:
    """Write a displayed equation: a box that scrolls by itself, then number and badge."""
    number = get_node_equation_number(translator, node) if node["number"] else ""
    text = "Equation" + (f" {number}" if number else "")
    opening, closing = translator.builder.config.mathjax_display
    ids = f' id="{node["ids"][0]}"' if node["ids"] else ""
    body = _aligned(translator.encode(node.astext()))
    translator.body.append(
        f'<div class="ck-equation"{ids}><div class="math notranslate nohighlight" '
        f'data-scroll-label="{text}">{opening}{body}{closing}</div>'
    )
    if number:
        translator.body.append(_number(translator, node, number))
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def _aligned(text: str) -> str:
    return (
        rf"\begin{{split}}{text}\end{{split}}" if r"\\" in text and r"\begin" not in text else text
    )


def _number(translator: Any, node: nodes.math_block, number: str) -> str:
    ledger: Ledger = translator.builder.app.course_ledger
    link = f'href="#{node["ids"][0]}" title="Link to this equation"'
    anchor = f'<a class="ck-number" {link}>({number})</a>'
    return f'<div class="eqno">{anchor}{_badge(translator.builder, ledger, node["label"])}</div>'


def _badge(builder: Any, ledger: Ledger, label: str) -> str:
    tests = ledger.tests.get(label, [])
    if not tests:
        return ""
    names = ", ".join(place.name for place in tests)
    title = escape(f"Checked by {names}", quote=True)
    more = f" ×{len(tests)}" if len(tests) > 1 else ""
    url = source_url(builder.config, tests[0])
    badge = f'<a class="ck-checked" href="{url}" title="{title}">checked{more}</a>'
    for place in ledger.functions.get(label, [])[:1]:
        if url := api_url(builder, place):
            badge += f'<a class="ck-code" href="{url}"><code>{place.name}</code></a>'
    return badge


def api_url(builder: Any, place: Place, page: str = "") -> str:
    """Link to the function's entry in the API reference, from the page being written."""
    module = place.path.removeprefix("src/").removesuffix(".py").replace("/", ".")
    objects = builder.env.get_domain("py").objects
    for name in (f"{module}.{place.name}", f"{module.rpartition('.')[0]}.{place.name}"):
        if name in objects:
            entry = objects[name]
            here = page or builder.current_docname
            return f"{builder.get_relative_uri(here, entry.docname)}#{entry.node_id}"
    return ""


class ledger_table(nodes.General, nodes.Element):  # noqa: N801  (docutils names nodes in lower case)
    """Where the table of all equations will stand, once their numbers are known."""


class CheckedEquations(SphinxDirective):
    """``checked-equations``: every numbered equation, its tests, its code."""

    def run(self) -> list[nodes.Node]:
        """Leave a placeholder; numbers are known after reading."""
        return [ledger_table()]


def visit_ledger_table(translator: Any, node: ledger_table) -> None:
    """Write the table."""
    builder = translator.builder
    ledger: Ledger = builder.app.course_ledger
    rows = "".join(
        _row(builder, ledger, label, number) for label, number in numbers(ledger.labels).items()
    )
    translator.body.append(
        '<div class="ck-table" data-scroll-label="Checked equations"><table><thead><tr>'
        "<th>equation</th><th>proved by</th><th>computed by</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )
    raise nodes.SkipNode


def _row(builder: Any, ledger: Ledger, label: str, number: str) -> str:
    docname = builder.env.get_domain("math").equations[label][0]
    page = builder.get_relative_uri(builder.current_docname, docname)
    tests = "<br>".join(
        f'<a href="{source_url(builder.config, place)}">{_claim(place)}</a>'
        for place in ledger.tests.get(label, [])
    )
    code = "<br>".join(
        f'<a href="{url}"><code>{place.name}</code></a>'
        for place in ledger.functions.get(label, [])
        if (url := api_url(builder, place))
    )
    name = " ".join(label.split("-")[2:])
    where = f'<a href="{page}#equation-{label}">({number})</a> {name}'
    return f"<tr><td>{where}</td><td>{tests}</td><td>{code}</td></tr>"


def _claim(place: Place) -> str:
    """Read a test's name as the sentence that it is."""
    return place.name.rpartition(".")[2].removeprefix("test_").replace("_", " ")


def load_mathjax(app: Any, pagename: str, templatename: str, context: dict, doctree: Any) -> None:
    """Serve MathJax where there is mathematics, and nowhere else."""
    if app.env.get_domain("math").data["has_equations"].get(pagename):
        app.add_js_file("math.js", priority=700)
        app.add_js_file("vendor/mathjax/startup.js", priority=701, defer="defer")


def setup(app: Any) -> None:
    """Register the renderer, the table and the verdict."""
    app.add_html_math_renderer("checked", (html_visit_math, None), (visit_displaymath, None))
    app.add_node(ledger_table, html=(visit_ledger_table, None))
    app.add_directive("checked-equations", CheckedEquations)
    app.connect("builder-inited", load)
    app.connect("env-get-outdated", refresh)
    app.connect("env-check-consistency", verdict)
    app.connect("html-page-context", load_mathjax)
