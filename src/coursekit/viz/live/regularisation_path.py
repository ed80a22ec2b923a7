"""Live figure: ridge and lasso paths, the constraint picture, and the error."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from sklearn.linear_model import lasso_path

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

LOW, HIGH = -3.0, 1.5
MOST_FEATURES = 12


class RegularisationPath(LiveFigure):
    """The figure that :func:`regularisation_path` makes.

    ``kind`` ("ridge" or "lasso") and ``exponent`` (log10 of gamma) follow its controls.
    """

    _esm = module_source("regularisation_path")
    name = "regularisation_path"
    title = "Ridge and lasso: the price of large weights"
    kind = traitlets.Enum(("ridge", "lasso"), default_value="lasso").tag(sync=True)
    exponent = traitlets.Float(-0.5).tag(sync=True)

    def description(self) -> str:
        """Say which weights are left, and the two errors."""
        weights = self._weights(np.array([10.0**self.exponent]))[0]
        kept = [n for n, w in zip(self.data["names"], weights, strict=True) if abs(w) > 1e-9]
        errors = [_error(self.data[part], weights) for part in ("train", "validation")]
        return (
            f"The weights of {len(weights)} standardised features against the regularisation "
            f"weight gamma. At log10 gamma = {self.exponent:g}, {self.kind} keeps {len(kept)} of "
            f"them ({', '.join(kept) or 'none'}), with a training error of {errors[0]:.3f} and a "
            f"validation error of {errors[1]:.3f} in units of the variance of y. Ridge shrinks all "
            "weights towards zero and reaches it for none; lasso sets one after the other to zero."
        )

    def still(self) -> Figure:
        """Draw the paths of the weights and the two errors."""
        exponents = np.linspace(LOW, HIGH, 31)
        weights = self._weights(10.0**exponents)
        figure, (left, right) = plt.subplots(1, 2, width_ratios=[3, 2])
        lines = left.plot(exponents, weights, lw=1.6)
        height, gap = np.inf, 0.065 * np.ptp(weights)
        for j in np.argsort(-weights[0]):  # names from the top down, none over another
            height = min(weights[0, j], height - gap)
            left.text(
                LOW - 0.06, height, self.data["names"][j], color=lines[j].get_color(), ha="right"
            )
        left.set(title=f"Weights, {self.kind}", xlabel="log₁₀ γ", xlim=(LOW - 0.7, HIGH))
        for part, label in (("train", "training"), ("validation", "validation")):
            right.plot(exponents, [_error(self.data[part], w) for w in weights], label=label)
        right.set(title="Error, 1 = predict the mean", xlabel="log₁₀ γ")
        right.legend()
        for ax in (left, right):
            ax.axvline(self.exponent, color=style.INK, lw=1, ls="-")
        return figure

    def _weights(self, gammas: np.ndarray) -> np.ndarray:
        """Return the weights for each of the rising gammas, shape (len(gammas), n)."""
        G, c = np.array(self.data["train"]["G"]), np.array(self.data["train"]["c"])
        if self.kind == "ridge":
            return np.stack([np.linalg.solve(G + g * np.eye(len(c)), c) for g in gammas])
        root = np.linalg.cholesky(
            G
        ).T  # (n, n): the squared error of n examples with this Gram matrix
        target = np.linalg.solve(root.T, c)
        alphas = gammas / 2 / len(c)  # scikit-learn minimises |y - Xw|^2 / (2n) + alpha |w|_1
        _, weights, _ = lasso_path(root, target, alphas=alphas, tol=1e-8, max_iter=100_000)
        return weights.T[::-1]  # the largest gamma came first


def regularisation_path(
    X: ArrayLike,
    y: ArrayLike,
    names: Sequence[str],
    *,
    pair: tuple[str, str] | None = None,
    validation: float = 0.5,
    seed: int = 0,
) -> RegularisationPath:
    """Pay for large weights, and see which of them survive.

    What a reader can learn: ridge (:eq:`eq-basics-ridge`) shrinks every weight and sets none to
    zero, lasso (:eq:`eq-basics-lasso`) selects; the corner of the lasso's ball is why; the training
    error only rises with gamma, the validation error may first fall.

    Features and target are standardised with the training part's mean and standard deviation, so
    that an error of 1 is the error of predicting the mean, and no intercept is needed.

    Parameters
    ----------
    X
        Features, shape (m, n), at most 12 columns.
    y
        Targets, shape (m,).
    names
        The n names of the features.
    pair
        The two features of the constraint picture, which fits these two alone. The two that
        correlate best with ``y`` where it is not given.
    validation
        Share of the examples kept for the validation error.
    seed
        Seed of the split.

    Raises
    ------
    ValueError
        If shapes do not fit, values are not finite, a column does not vary, a feature is linear in
        the others, or ``pair`` names no feature.
    """
    features, target = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    labels = [str(name) for name in names]
    _check(features, target, labels, validation)
    order = np.random.default_rng(seed).permutation(len(target))
    held = round(validation * len(target))
    train, rest = order[held:], order[:held]
    table = np.column_stack([features, target])
    scale = table[train].std(axis=0)
    if (scale == 0).any():
        raise ValueError("A feature or y does not vary in the training part; leave it out.")
    table = (table - table[train].mean(axis=0)) / scale
    parts = {"train": _moments(table[train]), "validation": _moments(table[rest])}
    G = np.array(parts["train"]["G"])
    if np.linalg.eigvalsh(G)[0] < 1e-6:
        raise ValueError("One feature is a linear combination of the others; leave one out.")
    return RegularisationPath(
        data={
            **parts,
            "names": labels,
            "pair": _pair(pair, labels, parts),
            "low": LOW,
            "high": HIGH,
        }
    )


def _check(X: np.ndarray, y: np.ndarray, names: list[str], validation: float) -> None:
    if X.ndim != 2 or y.shape != X.shape[:1] or len(names) != X.shape[1]:
        raise ValueError(
            f"X has shape {X.shape}, y {y.shape}, and there are {len(names)} names; wanted "
            "(m, n), (m,) and n names."
        )
    if not 2 <= X.shape[1] <= MOST_FEATURES:
        raise ValueError(f"X has {X.shape[1]} columns; the figure shows 2 to {MOST_FEATURES}.")
    if not (np.isfinite(X).all() and np.isfinite(y).all()):
        raise ValueError("X or y has missing or infinite values; drop or fill these rows first.")
    if not 0.05 <= validation <= 0.8:
        raise ValueError(f"validation is {validation}; it is a share between 0.05 and 0.8.")


def _moments(table: np.ndarray) -> dict[str, Any]:
    """Return all that a squared error needs of the data: G = X'X/m, c = X'y/m and y'y/m."""
    moments = table.T @ table / len(table)  # (n + 1, n + 1)
    rounded = np.round(moments, 7).tolist()
    return {
        "G": [row[:-1] for row in rounded[:-1]],
        "c": [row[-1] for row in rounded[:-1]],
        "yy": rounded[-1][-1],
    }


def _pair(pair: tuple[str, str] | None, names: list[str], parts: dict[str, Any]) -> list[int]:
    if pair is None:
        strongest = np.argsort(-np.abs(parts["train"]["c"]))[:2]
        return [int(j) for j in strongest]
    if len(set(pair)) != 2 or not set(pair) <= set(names):
        raise ValueError(f"pair is {pair}; it takes two of {', '.join(names)}.")
    return [names.index(name) for name in pair]


def _error(part: dict[str, Any], w: np.ndarray) -> float:
    return float(part["yy"] - 2 * w @ np.array(part["c"]) + w @ np.array(part["G"]) @ w)
