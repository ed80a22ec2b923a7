"""``python -m coursekit``: the command line, where no console script is on the path."""

from coursekit.cli import main

main()
