"""Numbers that the prose quotes, taken from the cell that computed them."""

import re
from typing import Any

from IPython.display import display

KEY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")


def glue(key: str, value: Any, spec: str = "") -> None:
    """Record a value of this cell so that a sentence can quote it.

    The text ``format(value, spec)`` is stored with the cell's outputs; a page quotes it with
    ``{glue:text}`` and the key. Nothing is shown below the cell.

    Parameters
    ----------
    key
        Lower-case words joined by hyphens, the first one the chapter's package:
        ``"basics-accuracy"``.
    value
        A number or a text.
    spec
        Format specification, as in ``format(0.9731, ".1%")``.

    Raises
    ------
    ValueError
        If the key has another form, or the specification does not fit the value.
    """
    if not KEY.fullmatch(key):
        raise ValueError(
            f"glue key {key!r} is not lower-case words joined by hyphens; "
            'name the chapter first, as in "basics-accuracy".'
        )
    try:
        text = format(value, spec)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"glue({key!r}): {type(value).__name__} {value!r} cannot be formatted with {spec!r} "
            f"({error}); pass a plain number and a specification such as '.3f'."
        ) from error
    prefix = "application/papermill.record/"
    display(
        {f"{prefix}text/plain": repr(text)},  # quoted, or "1,797" would be read as a tuple
        raw=True,
        metadata={"scrapbook": {"name": key, "mime_prefix": prefix}},
    )
