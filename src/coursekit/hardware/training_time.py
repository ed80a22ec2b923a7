"""How long a training takes: from parameters, tokens, chips and utilisation."""

from __future__ import annotations

from dataclasses import dataclass

from coursekit.data.tables import Row, known, load_table

HOUR = 3600.0


def training_hours(
    parameters: float, tokens: float, peak: float, utilisation: float, *, passes: float = 6.0
) -> float:
    r"""Return the hours of one chip that a training takes; divide by the chips for the clock's.

    Implements :eq:`eq-hardware-training-time`.

    Parameters
    ----------
    parameters : float
        That a token passes through: the active ones of a mixture of experts.
    tokens : float
        Trained on, repeats included.
    peak : float
        Operations a second of one chip.
    utilisation : float
        Share of the peak that useful operations make.
    passes : float, default 6
        Operations a parameter and token: 2 forwards, 4 backwards.

    Raises
    ------
    ValueError
        If a number is not positive or the utilisation above one.

    Examples
    --------
    >>> round(training_hours(65.2e9, 1.4e12, 312e12, 0.4746))  # LLaMA-65B, published: 1,022,362
    1027406
    """
    numbers = {"parameters": parameters, "tokens": tokens, "peak": peak, "passes": passes}
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}; a positive number wanted.")
    if not 0 < utilisation <= 1:
        raise ValueError(f"utilisation is {utilisation}; more than 0 and at most 1 wanted.")
    return passes * parameters * tokens / (peak * utilisation * HOUR)


@dataclass(frozen=True)
class Comparison:
    """A prediction beside what was published.

    Attributes
    ----------
    name : str
        Of what.
    predicted, published : float
        In the same unit.
    """

    name: str
    predicted: float
    published: float

    @property
    def error(self) -> float:
        """Relative: (predicted - published) / published."""
        return self.predicted / self.published - 1


NEEDED = ("tokens_trained_b", "accelerator_hours", "peak_tflops_used")
UNLIKE = ("T5-11B", "LaMDA", "GPT-3")
"""Models to which the formula does not apply as it stands: an encoder-decoder passes each token
through half of its weights, the tokens given are a corpus and not what was trained on, the hours
are themselves an estimate."""


def compare_training(utilisation: float | None = None) -> tuple[Comparison, ...]:
    """Predict the accelerator hours of the published trainings and set them beside the published.

    Parameters
    ----------
    utilisation : float, optional
        The same for all; without it, each model's own published figure, and only models that
        published one.

    Returns
    -------
    tuple of Comparison
        One for each model of the table ``llms`` with all figures, by the table's order.

    Examples
    --------
    >>> found = {c.name: c for c in compare_training()}
    >>> f"{found['LLaMA-65B'].error:+.3f}"
    '+0.005'
    """
    return tuple(
        Comparison(str(row["model"]), _predicted(row, utilisation), known(row, "accelerator_hours"))
        for row in load_table("llms")
        if _usable(row, utilisation)
    )


def _usable(row: Row, utilisation: float | None) -> bool:
    own = () if utilisation else ("mfu_reported",)
    there = all(row[column] is not None for column in (*NEEDED, *own))
    return there and _parameters(row) is not None and row["model"] not in UNLIKE


def _parameters(row: Row) -> float | None:
    active = row["params_active_b"] or row["params_total_b"]
    return None if active is None else 1e9 * float(active)


def _predicted(row: Row, utilisation: float | None) -> float:
    share = known(row, "mfu_reported") if utilisation is None else utilisation
    tokens, peak = 1e9 * known(row, "tokens_trained_b"), 1e12 * known(row, "peak_tflops_used")
    return training_hours(_parameters(row) or 0.0, tokens, peak, share)
