"""Values that a notebook stored with ``glue``, read from its outputs."""

from __future__ import annotations

import ast
from typing import Any

PREFIX = "application/papermill.record/"


def glued_values(nb: dict[str, Any]) -> dict[str, str]:
    """Values stored by ``glue`` in the notebook's outputs."""
    values = {}
    for cell in nb["cells"]:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name:
                text = output["data"][f"{PREFIX}text/plain"]
                values[name] = str(ast.literal_eval("".join(text)))
    return values


def is_glue(output: dict[str, Any]) -> bool:
    """Whether the output only stores a value and shows nothing."""
    return bool(output.get("data")) and all(m.startswith(PREFIX) for m in output["data"])
