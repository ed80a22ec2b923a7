"""What drivers of questions share: use an answer that is more than a function, return plain values.

A driver is sent as text and runs where the answer is: in the student's notebook, or in the grader's
sandbox. It imports from here what it needs::

    def driver(answer, weights, x):
        from coursekit.grading.drivers import use_module

        return use_module(answer(4, 2), weights, [x])

Each helper raises :class:`AnswerError` where the answer cannot be used; its message is what the
student reads.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from coursekit.grading.wire import is_tensor, type_name


class AnswerError(Exception):
    """The answer cannot be used; the message is a sentence for whoever wrote it."""


def use_module(
    module: Any, weights: dict[str, Any], inputs: list[Any], *, gradient: Any = None
) -> dict[str, Any] | None:
    """Put weights into a torch module, call it, and follow a gradient back.

    Parameters
    ----------
    module
        What the answer made. None (an unfinished answer) gives None.
    weights
        A tensor or an array for each parameter, by the parameter's name. Names and shapes must be
        those of ``module.named_parameters()``.
    inputs
        Arguments of the call.
    gradient
        Gradient of the loss with respect to the output, a tensor of its shape, or a tuple of them
        where the module returns a tuple; without one nothing is followed back.

    Returns
    -------
    dict
        ``"output"``, and with ``gradient`` also ``"gradient of NAME"`` of every parameter and of
        every input that requires one (``"gradient of input 1"``).

    Raises
    ------
    AnswerError
        If it is no module, its parameters are others, or a gradient does not arrive.

    Examples
    --------
    >>> import torch
    >>> ones = {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}
    >>> use_module(torch.nn.Linear(2, 1), ones, [torch.tensor([[3.0, 4.0]])])["output"].item()
    7.0
    """
    if unfinished(module) or not _begun(module, inputs):
        return None
    load_weights(module, weights)
    output = module(*inputs)
    if unfinished(output) or gradient is None:
        return None if unfinished(output) else {"output": output}
    _go_back(output, gradient)
    ends = dict(module.named_parameters())
    ends |= {f"input {i}": x for i, x in enumerate(inputs, 1) if getattr(x, "requires_grad", 0)}
    lost = [name for name, end in ends.items() if end.grad is None]
    if lost:
        raise AnswerError(
            f"No gradient reaches {_listed(lost)}. Is it used in forward, and does nothing on the "
            "way detach it (detach, item, numpy, no_grad, or a new tensor made from numbers)?"
        )
    return {"output": output} | {f"gradient of {name}": end.grad for name, end in ends.items()}


def unfinished(value: Any) -> bool:
    """Whether a starter, where ``...`` stands for the answer, gave this value."""
    return value is None or value is ...


def _begun(module: Any, inputs: list[Any]) -> bool:
    """Whether a module holds something or its forward gives something, unlike a starter's."""
    held = getattr(module, "__dict__", {})
    if held.get("_parameters") or held.get("_modules"):
        return True
    try:
        return not unfinished(type(module).forward(module, *inputs))
    except Exception:  # written, and wrong: the call itself will say how
        return True


def load_weights(module: Any, weights: dict[str, Any]) -> None:
    """Copy ``weights`` into the parameters of a torch module, or say which do not fit."""
    import torch

    if not isinstance(module, torch.nn.Module):
        raise AnswerError(
            f"A value of type {type_name(module)} came; a torch.nn.Module was wanted. "
            "Derive your class from it."
        )
    if "_parameters" not in module.__dict__:
        raise AnswerError("Your __init__ must begin with super().__init__().")
    found = dict(module.named_parameters())
    if found.keys() != weights.keys():
        raise AnswerError(
            f"The module has the parameters {_listed(found)}; {_listed(weights)} were wanted. "
            "An attribute counts when it is a torch.nn.Parameter or a module that holds some."
        )
    with torch.no_grad():
        for name, parameter in found.items():
            new = torch.as_tensor(weights[name])
            if parameter.shape != new.shape:
                raise AnswerError(
                    f"The parameter {name} has shape {tuple(parameter.shape)}; "
                    f"{tuple(new.shape)} was wanted."
                )
            parameter.copy_(new)


def _go_back(output: Any, gradient: Any) -> None:
    several = isinstance(gradient, tuple)
    outputs, gradients = (output, gradient) if several else ((output,), (gradient,))
    if several and (not isinstance(output, tuple) or len(output) != len(gradient)):
        raise AnswerError(f"The output must be a tuple of {len(gradient)} torch tensors.")
    for each, wanted in zip(outputs, gradients, strict=True):
        _takes(each, wanted)
    # Of a sum, because torch imports SymPy when it is handed gradients; a check's clock is running.
    pull = sum((each * wanted).sum() for each, wanted in zip(outputs, gradients, strict=True))
    pull.backward()


def _takes(output: Any, gradient: Any) -> None:
    """Raise unless ``output`` is a tensor that a gradient of this shape can start from."""
    if not is_tensor(output):
        raise AnswerError(f"A value of type {type_name(output)} came; a torch tensor was wanted.")
    if output.shape != gradient.shape:
        raise AnswerError(
            f"The output has shape {tuple(output.shape)}; shape {tuple(gradient.shape)} was wanted."
        )
    if not output.requires_grad:
        raise AnswerError(
            "The output carries no gradient: something detached it (detach, item, numpy, no_grad, "
            "or a new tensor made from its numbers)."
        )


def use_object(make: Callable[[], Any], calls: list[tuple]) -> dict[str, list] | None:
    """Use a class with state: the same calls on two objects, one after the other.

    Parameters
    ----------
    make
        Makes a new object, such as the answer itself or ``lambda: answer(3)``.
    calls
        ``("push", 3)`` calls the method ``push`` with 3; ``("size",)`` reads an attribute or a
        property, and calls it where it is a method.

    Returns
    -------
    dict
        What every call gave, of the first object and of the second. They are the same unless the
        class keeps something that its objects share. None where nothing gave anything.

    Raises
    ------
    AnswerError
        If the object lacks a method.

    Examples
    --------
    >>> use_object(list, [("append", 3), ("count", 3), ("pop",)])["the first object"]
    [None, 1, 3]
    """
    things = make(), make()
    if all(unfinished(thing) for thing in things):
        return None
    both = [_called(thing, calls) for thing in things]
    if all(unfinished(value) for results in both for value in results):
        return None
    return dict(zip(("the first object", "a second object"), both, strict=True))


def _called(thing: Any, calls: list[tuple]) -> list:
    found = []
    for name, *arguments in calls:
        try:
            part = getattr(thing, name)
        except AttributeError as error:
            if hasattr(type(thing), name):  # a property that fails inside
                raise
            raise AnswerError(f"An object of your class has no `{name}`.") from error
        found.append(part(*arguments) if arguments or callable(part) else part)
    return found


def random_calls(rng: Any, kinds: dict[str, Callable[[Any], tuple]], count: int) -> list[tuple]:
    """A random sequence of operations for :func:`use_object`, to write cases with.

    Parameters
    ----------
    rng
        NumPy's generator.
    kinds
        For each method the function that draws its arguments: ``{"push": lambda rng:
        (int(rng.integers(9)),), "size": lambda rng: ()}``.
    count
        How many calls.

    Returns
    -------
    list of tuple
        The calls, for :func:`use_object`.
    """
    names = rng.choice(list(kinds), size=count).tolist()
    return [(name, *kinds[name](rng)) for name in names]


def draw_on_axes(answer: Callable, *inputs: Any) -> dict[str, Any] | None:
    """Read what ``answer(ax, *inputs)`` draws: :func:`drawn` of :func:`axes_drawn_by`."""
    ax = axes_drawn_by(answer, *inputs)
    return None if ax is None else drawn(ax)


def axes_drawn_by(answer: Callable, *inputs: Any) -> Any:
    """Call ``answer(ax, *inputs)`` on new axes that no screen shows.

    Returns
    -------
    matplotlib.axes.Axes or None
        The axes; None where nothing was drawn.

    Raises
    ------
    AnswerError
        If the answer drew with ``plt`` on a figure of its own.
    """
    from matplotlib.figure import Figure

    before = _figures()
    ax = Figure().add_subplot()
    answer(ax, *inputs)
    own = _figures() - before
    for number in own:
        sys.modules["matplotlib.pyplot"].close(number)
    if ax.has_data():
        return ax
    if own:
        raise AnswerError("You drew with plt on a figure of your own; draw on the given ax.")
    return None


def _figures() -> set[int]:
    """Numbers of pyplot's figures; looking at them imports nothing."""
    plt = sys.modules.get("matplotlib.pyplot")
    return set(plt.get_fignums()) if plt else set()


def drawn(ax: Any) -> dict[str, Any] | None:
    """The data of what stands on Matplotlib's axes; None where nothing does.

    Returns
    -------
    dict
        ``"lines"`` (a list of pairs x and y, in the order of drawing), ``"points"`` (scatter, each
        of shape (n, 2)), ``"bars"`` (left edge, bottom, width and height of each),
        ``"images"`` (arrays), ``"scales"`` of both axes, ``"labels of the axes"`` (whether both
        have one), ``"legend"`` (its words).
    """
    from matplotlib.collections import PathCollection
    from matplotlib.patches import Rectangle

    lines = [(line.get_xdata(orig=False), line.get_ydata(orig=False)) for line in ax.lines]
    points = [c.get_offsets() for c in ax.collections if isinstance(c, PathCollection)]
    bars = [
        (*b.get_xy(), b.get_width(), b.get_height()) for b in ax.patches if type(b) is Rectangle
    ]
    images = [image.get_array() for image in ax.images]
    if not (lines or points or bars or images):
        return None
    legend = ax.get_legend()
    return {
        "lines": [(_plain(x), _plain(y)) for x, y in lines],
        "points": [_plain(each) for each in points],
        "bars": [tuple(map(float, bar)) for bar in bars],
        "images": [_plain(each) for each in images],
        "scales": [ax.get_xscale(), ax.get_yscale()],
        "labels of the axes": bool(ax.get_xlabel() and ax.get_ylabel()),
        "legend": [text.get_text() for text in legend.get_texts()] if legend else [],
    }


def _plain(data: Any) -> np.ndarray:
    """Floating-point numbers, hidden entries as nan."""
    return np.ma.filled(np.ma.asarray(data, dtype=float), np.nan)


def after_training(
    train: Callable, model: Any, weights: dict[str, Any], measure: Callable, *inputs: Any
) -> dict[str, Any] | None:
    """Let a training loop train a given torch module from given weights, and measure the result.

    Parameters
    ----------
    train
        The answer, called as ``train(model, *inputs)``.
    model
        A torch module; it gets the ``weights`` first, so that nothing is random.
    measure
        ``measure(model)`` gives the loss as a number, a property that cannot be claimed: it is
        computed here, before and after the training.

    Returns
    -------
    dict
        What the loop returned, the loss before and after, and the weights after. None where the
        loop returned nothing and changed no weight. Losses are plain numbers that were computed
        in float32: ``compare = Close(rtol=1e-4, atol=1e-5)`` suits them.
    """
    import torch

    load_weights(model, weights)
    with torch.no_grad():
        before = float(measure(model))
    returned = train(model, *inputs)
    after = {name: p.detach().clone() for name, p in model.named_parameters()}
    if unfinished(returned) and all(
        torch.equal(after[n], torch.as_tensor(weights[n])) for n in after
    ):
        return None
    with torch.no_grad():
        loss = float(measure(model))
    return {
        "what the loop returned": returned,
        "loss before": before,
        "loss after": loss,
        "weights after": after,
    }


def _listed(names: Any) -> str:
    return ", ".join(map(str, names)) or "none"
