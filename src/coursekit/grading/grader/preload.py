"""What to import once for all submissions, so that none of them has to wait for it."""

import re
from collections.abc import Iterable

# Packages of the course, and the module of each that a notebook's import really loads.
MODULES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "torch": "torch",
    "matplotlib": "matplotlib.pyplot",
    "coursekit": "coursekit.grading",
}
IMPORTED = re.compile(r"^\s*(?:import|from)\s+(\w+)", re.MULTILINE)
MAGIC = re.compile(r"^\s*[%!]", re.MULTILINE)


def modules(sources: Iterable[str]) -> tuple[str, ...]:
    """The modules to load before the first of ``sources`` runs; only those of :data:`MODULES`.

    Examples
    --------
    >>> modules(["import torch", "from os import path"])
    ('numpy', 'torch')
    """
    named, magic = {"numpy"}, False
    for source in sources:
        named |= set(IMPORTED.findall(source))
        magic = magic or bool(MAGIC.search(source))
    found = tuple(module for package, module in MODULES.items() if package in named)
    return (*found, "IPython.core.inputtransformer2") if magic else found
