"""The tier "unsafe": an ordinary child process with limits on its resources, and no isolation.

It keeps an endless loop or a memory leak from stopping a batch. It does not keep a submission from
anything that the person who grades may do: read, change and delete files, and use the network.
"""

import os
import sys

from coursekit.grading.sandbox.parent import ENVIRONMENT, Parent


def start(preload: tuple[str, ...]) -> Parent:
    """Start a launcher as an ordinary child process."""
    return Parent([sys.executable, "-u"], "none", preload, {**os.environ, **ENVIRONMENT})
