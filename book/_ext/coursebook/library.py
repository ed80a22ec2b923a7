"""API pages: a package's public names under the modules that define them."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from typing import Any

MARKER = re.compile(r"^<!-- library: ([\w.]+) -->$", re.MULTILINE)

LONGEST_VALUE = 60


def by_module(package: str) -> dict[str, list[str]]:
    """Group `package.__all__` by defining module, each in source order."""
    whole = importlib.import_module(package)
    found: dict[str, list[str]] = {}
    for name in whole.__all__:
        thing = getattr(whole, name)
        found.setdefault(_home(package, name, thing), []).append(name)
    for names in found.values():
        names.sort(key=lambda name: _line(getattr(whole, name)))
    return dict(sorted(found.items()))


def _home(package: str, name: str, thing: Any) -> str:
    """Name of the module that defines it; an instance knows only that of its class."""
    if inspect.ismodule(thing):
        return thing.__name__
    home = str(getattr(thing, "__module__", package))
    if _is_code(thing) or hasattr(sys.modules.get(home), name):
        return home
    assigned = re.compile(rf"^{re.escape(name)}\b.*=", re.MULTILINE)
    within = [sys.modules[m] for m in sorted(sys.modules) if m.startswith(f"{package}.")]
    return next((m.__name__ for m in within if assigned.search(inspect.getsource(m))), package)


def _is_code(thing: Any) -> bool:
    return inspect.isclass(thing) or inspect.isroutine(thing)


def _line(thing: Any) -> int:
    return inspect.getsourcelines(thing)[1] if _is_code(thing) else 0


def page(package: str) -> str:
    """Write the package's page as MyST Markdown: a section a module, autodoc a name."""
    whole = importlib.import_module(package)
    parts = [_rst(f".. py:module:: {package}\n\n{inspect.getdoc(whole) or ''}")]
    for module, names in by_module(package).items():
        things = [getattr(whole, name) for name in names]
        title = module.rpartition(".")[2]
        if inspect.ismodule(things[0]):
            parts += [f"## {title}", _rst(f".. automodule:: {module}\n   :members:")]
        else:
            text = inspect.getdoc(sys.modules[module]) or "" if module != package else ""
            parts += [f"## {title}", _rst(text)]
            parts += [
                _entry(package if _is_code(thing) else module, name, thing)
                for name, thing in zip(names, things, strict=True)
            ]
    return "\n\n".join(parts)


def _entry(package: str, name: str, thing: Any) -> str:
    if inspect.isclass(thing):
        return _rst(f".. autoclass:: {package}.{name}\n   :members:")
    if inspect.isroutine(thing):
        return _rst(f".. autofunction:: {package}.{name}")
    if type(thing).__module__ == "builtins":  # its docstring would be that of int or tuple
        value = f"\n   :value: {thing!r}" if len(repr(thing)) <= LONGEST_VALUE else ""
        return _rst(f".. py:data:: {package}.{name}{value}")
    return _rst(f".. autodata:: {package}.{name}\n   :no-value:")  # its words stand in its module


def _rst(text: str) -> str:
    return f"```{{eval-rst}}\n{text.strip()}\n```" if text.strip() else ""


def fill(app: Any, docname: str, source: list[str]) -> None:
    """Replace the marker of an API page by the package's contents."""
    source[0] = MARKER.sub(lambda match: page(match[1]), source[0])


def setup(app: Any) -> None:
    """Register the hook."""
    app.connect("source-read", fill)
