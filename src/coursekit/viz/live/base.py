"""What every live figure is: a widget in Jupyter, the same script on a page with no kernel."""

import json
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from matplotlib import pyplot as plt
from matplotlib import rc_context
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.show import to_svg

_HERE = Path(__file__).parent


def module_source(name: str, *parts: str) -> str:
    """Return the ES module of a figure: the shared kit, further parts, its own file.

    It imports nothing.
    """
    return "\n".join((_HERE / f"{stem}.js").read_text("utf-8") for stem in ("kit", *parts, name))


def stylesheet() -> str:
    """Return the style of live figures: the palette as private variables, then ``live.css``.

    A page that defines ``--ck-ink`` and its kin decides the colours. Elsewhere they follow
    JupyterLab's theme where there is one, and the reader's system where there is none.
    """
    light, dark = (_private_variables(mode) for mode in ("light", "dark"))
    rules = [
        f".ck-live {{ {light} }}",
        f"@media (prefers-color-scheme: dark) {{ .ck-live {{ {dark} }} }}",
        f'[data-jp-theme-light="true"] .ck-live {{ {light} }}',
        f'[data-jp-theme-light="false"] .ck-live {{ {dark} }}',
    ]
    return "\n".join([*rules, (_HERE / "live.css").read_text("utf-8")])


def _private_variables(mode: str) -> str:
    pairs = style.PALETTE.items()
    return " ".join(f"--_{name}: var(--ck-{name}, {colour[mode]});" for name, colour in pairs)


class LiveFigure(anywidget.AnyWidget):
    """A figure that the reader moves, in Jupyter and on a page.

    A subclass sets ``name`` (its module is ``<name>.js``), declares the traits that its controls
    move, fills ``data`` with whatever JSON its module draws from, and draws itself once in
    :meth:`still`. All mathematics of the moving picture is in the module; no Python runs when a
    control moves.
    """

    _css = stylesheet()
    name = ""
    title = ""
    data = traitlets.Dict().tag(sync=True)

    def still(self) -> Figure:
        """Draw the figure as it stands, for readers without scripts."""
        raise NotImplementedError

    def description(self) -> str:
        """Say what the figure shows, in words that replace the picture."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Return what the module reads from its model: the data and the values of the controls."""
        inherited = anywidget.AnyWidget.class_trait_names(sync=True)
        names = sorted(set(self.trait_names(sync=True)) - set(inherited) - {"_esm", "_css"})
        return {name: getattr(self, name) for name in names if not name.startswith("_")}

    def html(self) -> str:
        """Return the figure for a page: still picture, description, state, module and style.

        The text depends on the figure's state alone, and loads nothing. ``live-host.js`` starts
        it; without that script the still picture and the description remain.
        """
        words = self.description()
        state = json.dumps(self.state(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        state = state.replace("<", "\\u003c")
        module = self._esm.replace("</", "<\\/")
        return (
            f'<figure class="ck-live" data-figure="{self.name.replace("_", "-")}" '
            f'aria-label="{escape(self.title)}">\n'
            f'<div class="ck-fallback">\n<p class="ck-title">{escape(self.title)}</p>\n'
            f'{self._still_svg(words)}\n<p class="ck-description">{escape(words)}</p>\n</div>\n'
            f'<script type="application/json" class="ck-state">{state}</script>\n'
            f'<script type="text/plain" class="ck-module">{module}</script>\n'
            f"<style>{self._css}</style>\n</figure>"
        )

    def _still_svg(self, words: str) -> str:
        with plt.ioff(), rc_context():
            style.use()
            plt.rcParams["figure.figsize"] = (7.2, 3.3)
            figure = self.still()
            svg = to_svg(figure, alt=words, letters="none")
            plt.close(figure)
        return style.themed(svg, "--_")

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        data = {
            **data,
            "text/html": self.html(),
            "text/plain": f"{self.title}. {self.description()}",
        }
        return data, metadata
