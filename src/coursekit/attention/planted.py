"""Plant a mistake in the kernels, to see that a test finds it."""

import contextlib
import importlib.util
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from types import ModuleType

from coursekit import optional

KERNELS = ("forward_kernel", "delta_kernel", "grad_key_value_kernel", "grad_query_kernel")


@contextlib.contextmanager
def planted(before: str, after: str) -> Iterator[ModuleType]:
    """Let :func:`~coursekit.attention.attention` run kernels in which one text is changed.

    The source of ``kernels.py`` is read, changed, and imported under another name; on leaving, the
    right kernels are back. Not for use in several threads.

    Parameters
    ----------
    before, after
        A part of the source, and what it becomes wherever it stands.

    Yields
    ------
    module
        The changed kernels.

    Raises
    ------
    ImportError
        Without Triton.
    ValueError
        If the source does not hold ``before``.

    Examples
    --------
    >>> import torch
    >>> from coursekit.attention import attention
    >>> x = torch.ones(1, 1, 4, 16)
    >>> with planted("acc / tl.where(dead, 1.0, total)[:, None]", "acc"):  # the sum of 4 values
    ...     attention(x, x, x, backend="triton")[0, 0, 0, 0]
    tensor(4.)
    >>> attention(x, x, x, backend="triton")[0, 0, 0, 0]
    tensor(1.)
    """
    optional.require("triton")
    from coursekit.attention import launch

    text = (files("coursekit.attention") / "kernels.py").read_text(encoding="utf-8")
    if before not in text:
        raise ValueError(f"kernels.py does not hold {before!r}; copy a part of its source.")
    right = {name: getattr(launch, name) for name in KERNELS}
    with tempfile.TemporaryDirectory() as room:  # Triton reads a kernel's source from its file
        broken = _imported(Path(room, "planted_kernels.py"), text.replace(before, after))
        try:
            _set(launch, {name: getattr(broken, name) for name in KERNELS})
            yield broken
        finally:
            _set(launch, right)


def _imported(path: Path, text: str) -> ModuleType:
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _set(module: ModuleType, kernels: dict[str, object]) -> None:
    for name, kernel in kernels.items():
        setattr(module, name, kernel)
