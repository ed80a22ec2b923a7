"""Stop with a sentence when this Python is too old for the course (runs on any Python 3)."""

import sys

NEEDED = (3, 11)

if sys.version_info < NEEDED:
    sys.exit(
        "From Loss to Silicon needs Python {}.{} or newer, and {} is Python {}.{}. "
        "Install a newer one and say `make PYTHON=python3.12 book`, for example.".format(
            *NEEDED, sys.executable, *sys.version_info[:2]
        )
    )
