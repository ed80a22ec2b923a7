"""Build hook: the wheel carries the download editions, so that `coursekit get` needs no network."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class EditionsHook(BuildHookInterface):
    """Write the editions into the package before it is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before a wheel, editable or not, is built."""
        root = Path(self.root)
        sys.path.insert(0, str(root / "tools"))
        from editions import write_editions

        shelf = root / "src" / "coursekit" / "_book"
        shutil.rmtree(shelf, ignore_errors=True)  # a renamed chapter must not stay behind
        write_editions(shelf, root)
        build_data["artifacts"].append("src/coursekit/_book/**/*.ipynb")
