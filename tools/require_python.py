"""Stop with a sentence when this Python is too old for the course (runs on any Python 3)."""

import sys

NEEDED = (3, 11)

if sys.version_info < NEEDED:
    sys.exit(
        "From Loss to Silicon needs Python %d.%d or newer, and %s is Python %d.%d. "
        "Install a newer one and say `make PYTHON=python3.12 book`, for example."
        % (NEEDED + (sys.executable,) + sys.version_info[:2])
    )
