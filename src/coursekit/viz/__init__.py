"""Pictures: the drawing style, accessible figures, numbers for the prose, live figures.

``style.use()`` once, then ``show(fig, alt=...)`` at the end of a plotting cell and
``glue(key, value, spec)`` where the prose needs a number. ``coursekit.viz.live`` holds the figures
that the reader moves.
"""

from coursekit.viz import style
from coursekit.viz.glue import glue
from coursekit.viz.show import show

__all__ = ["glue", "show", "style"]
