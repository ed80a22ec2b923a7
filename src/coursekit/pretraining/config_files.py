"""Configuration files: TOML to dataclasses, with a sentence for each mistake in it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

Made = TypeVar("Made")


class ConfigError(ValueError):
    """A configuration file that says something it should not; the message says what to write."""


def read_toml(path: Path | str, make: Callable[[dict[str, Any]], Made]) -> Made:
    """Return what is made of a TOML file.

    Parameters
    ----------
    path : path
        The file.
    make : callable
        Gets its tables.

    Raises
    ------
    FileNotFoundError
        If it is missing.
    ConfigError
        If it is no TOML, or as `make` raises it; the message names the file.
    """
    path = Path(path)
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no TOML: {error}.") from error
    try:
        return make(found)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def example_text(folder: Path, name: str) -> str:
    """Return the text of an example, one of a folder's TOML files.

    Raises
    ------
    ConfigError
        If there is none of this name.

    Examples
    --------
    >>> example_text(Path(__file__).parent / "examples", "huge")
    Traceback (most recent call last):
    coursekit.pretraining.config_files.ConfigError: no example 'huge'; book, gpt2, quick wanted.
    """
    names = sorted(path.stem for path in folder.glob("*.toml"))
    if name not in names:
        raise ConfigError(f"no example {name!r}; {', '.join(names)} wanted.")
    return (folder / f"{name}.toml").read_text(encoding="utf-8")


def check_keys(found: dict[str, Any], known: Sequence[str], where: str) -> None:
    """Refuse a key that nothing reads.

    Raises
    ------
    ConfigError
        Names it, and those that are known.

    Examples
    --------
    >>> check_keys({"stpes": 3}, ["steps", "lr"], "in [training]")
    Traceback (most recent call last):
    coursekit.pretraining.config_files.ConfigError: stpes is unknown in [training]; steps, lr \
wanted.
    """
    for key in found:
        if key not in known:
            raise ConfigError(f"{key} is unknown {where}; {', '.join(known)} wanted.")


def made_of(kind: Callable[..., Made], options: dict[str, Any], name: str = "") -> Made:
    """Make a dataclass of a table, whose mistakes become sentences.

    Parameters
    ----------
    kind : dataclass
        What to make.
    options : dict
        The table.
    name : str
        Of the table; the file's own, without.

    Raises
    ------
    ConfigError
        If a key is missing or unknown, or a value does not fit.
    """
    where = f"[{name}]" if name else "the file"
    check_keys(options, [f.name for f in fields(kind)], f"in {where}")  # type: ignore[arg-type]
    try:
        return kind(**options)
    except ConfigError:
        raise
    except (TypeError, ValueError) as error:
        why = str(error).partition("__init__() ")[2] or str(error)
        raise ConfigError(f"{where}: {why}") from error
