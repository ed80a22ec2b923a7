"""Small trained models that come with the course, each with what made it and how good it is.

What takes longer to train than a chapter may run starts from here. Beside this file lie one
``.npz`` of weights for each and ``manifest.json``, which says for each: the command that makes it,
seed and settings, the seconds of processor time it took, how it does on data it did not see, and
the file's SHA-256. ``coursekit checkpoints list`` shows them, ``build NAME`` makes one again.

The builder of ``seq2seq-…`` is found by its name: ``coursekit.seq2seq.build_checkpoints`` holds a
dictionary ``BUILDERS`` from names to functions that return a :class:`Built`.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = Path(__file__).parent
LARGEST_BYTES = 3_000_000
"""A file may not be larger than this."""

LARGEST_TOTAL = 12_000_000
"""All files together may not be larger than this."""


@dataclass
class Built:
    """What a builder made.

    Attributes
    ----------
    tensors : dict of str to Tensor
        The weights, as they shall be stored: in float16 where the outputs bear it.
    settings : dict
        What is needed to make the model and its data again; numbers, strings, lists.
    metrics : dict
        How good it is; of the weights as stored, and of other seeds where there are some.
    seed : int
        The seed of the stored weights.
    cpu_seconds : float
        Processor time that their training took.
    """

    tensors: dict[str, Tensor]
    settings: dict[str, Any]
    metrics: dict[str, Any]
    seed: int
    cpu_seconds: float
    notes: str = field(default="")


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


CHECKPOINTS: dict[str, dict[str, Any]] = _read(FOLDER)
"""The manifest: for each name its file, hash, seed, settings, seconds and metrics."""


def load_checkpoint(name: str, folder: Path = FOLDER) -> dict[str, Tensor]:
    """Return the weights of a checkpoint, once its hash has been compared.

    Parameters
    ----------
    name : str
        One of :data:`CHECKPOINTS`.
    folder : pathlib.Path
        Where manifest and files are.

    Returns
    -------
    dict of str to Tensor
        For ``load_state_dict``. What is stored in float16 comes as float32.

    Raises
    ------
    KeyError
        If there is no such checkpoint; the message lists those there are.
    FileNotFoundError
        If its file is missing.
    ValueError
        If the file is not the one that the manifest describes.

    Examples
    --------
    >>> load_checkpoint("word2vec-of-everything")
    Traceback (most recent call last):
    KeyError: "no checkpoint 'word2vec-of-everything'; `coursekit checkpoints list` shows all."
    """
    import torch

    arrays = np.load(io.BytesIO(_verified(name, folder)), allow_pickle=False)
    tensors = {key: torch.from_numpy(arrays[key]) for key in arrays.files}
    return {k: t.float() if t.dtype == torch.float16 else t for k, t in tensors.items()}


def verify(name: str, folder: Path = FOLDER) -> None:
    """Compare a checkpoint's file with its hash.

    Parameters
    ----------
    name : str
        One of :data:`CHECKPOINTS`.
    folder : pathlib.Path
        Where manifest and files are.

    Raises
    ------
    KeyError, FileNotFoundError, ValueError
        As :func:`load_checkpoint` does.
    """
    _verified(name, folder)


def _verified(name: str, folder: Path) -> bytes:
    entries = CHECKPOINTS if folder == FOLDER else _read(folder)
    if name not in entries:
        raise KeyError(f"no checkpoint {name!r}; `coursekit checkpoints list` shows all.")
    path = folder / entries[name]["file"]
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing; `coursekit checkpoints build {name}` makes it."
        )
    data = path.read_bytes()
    if (found := hashlib.sha256(data).hexdigest()) != (wanted := entries[name]["sha256"]):
        raise ValueError(
            f"{path} has the SHA-256 {found[:12]}… and {wanted[:12]}… is wanted: the file was "
            f"changed. Install coursekit again, or run `coursekit checkpoints build {name}`."
        )
    return data


def save_checkpoint(name: str, built: Built, folder: Path = FOLDER) -> dict[str, Any]:
    """Write a checkpoint's file and its entry in the manifest.

    Parameters
    ----------
    name : str
        Package, hyphen, what it is: ``seq2seq-translator-additive``.
    built : Built
        What to write.
    folder : pathlib.Path
        Where to.

    Returns
    -------
    dict
        The entry.

    Raises
    ------
    ValueError
        If the file is too large.
    """
    buffer = io.BytesIO()
    arrays = {key: tensor.detach().cpu().numpy() for key, tensor in built.tensors.items()}
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    data = buffer.getvalue()
    if len(data) > LARGEST_BYTES:
        raise ValueError(
            f"{name} takes {len(data):,} bytes; at most {LARGEST_BYTES:,} wanted. Store it in "
            "float16, or make the model smaller."
        )
    entry: dict[str, Any] = {
        "file": f"{name}.npz",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "command": f"coursekit checkpoints build {name}",
        "seed": built.seed,
        "cpu_seconds": round(built.cpu_seconds, 1),
        "settings": built.settings,
        "metrics": built.metrics,
        "notes": built.notes,
    }
    entries = dict(sorted({**_read(folder), name: entry}.items()))
    (folder / entry["file"]).write_bytes(data)
    text = json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    if folder == FOLDER:
        CHECKPOINTS[name] = entry
    return entry


def build(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Train a checkpoint again and write it.

    Parameters
    ----------
    name : str
        What to build.
    folder : pathlib.Path
        Where to.

    Returns
    -------
    dict
        Its new entry in the manifest.

    Raises
    ------
    KeyError
        If no package has a builder of this name; the message lists those that the package has.
    """
    package = name.split("-")[0]
    try:
        builders = importlib.import_module(f"coursekit.{package}.build_checkpoints").BUILDERS
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("coursekit"):
            raise
        raise KeyError(f"coursekit.{package} builds no checkpoints.") from None
    if name not in builders:
        raise KeyError(f"no builder {name!r}; coursekit.{package} has {', '.join(builders)}.")
    return save_checkpoint(name, builders[name](), folder)
