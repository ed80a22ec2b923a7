"""The library behind *From Loss to Silicon*: one sub-package per chapter.

Importing this package is cheap; sub-packages import what they need.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the message is for a reader who runs from a checkout
    raise RuntimeError(
        "coursekit needs Python 3.11 or newer, and this is Python {}.{}. Install a newer Python "
        "(https://www.python.org/downloads/) and run this again with it.".format(
            *sys.version_info[:2]
        )
    )

__version__ = "0.1.0"
