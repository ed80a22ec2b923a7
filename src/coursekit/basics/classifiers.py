"""Two ways to classify: model the label given the input, or the input given the label."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coursekit._validate import Array, array, count, generator, labels, positive
from coursekit.basics.likelihood import cholesky, multivariate_gaussian_log_pdf
from coursekit.basics.losses import (
    log_softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
)

Labels = NDArray[np.int64]
Covariance = Literal["shared", "diagonal", "full"]


class SoftmaxRegression:
    r"""The discriminative classifier: :math:`p(y|x) = \mathrm{softmax}(x^TW + b)_y`.

    Minimises :eq:`eq-basics-cross-entropy` plus :math:`\gamma\|W\|^2` (the intercepts carry no
    penalty), a convex problem, with this class's own gradient and SciPy's L-BFGS.

    Parameters
    ----------
    gamma : float
        Regularisation weight, 0 or more. (scikit-learn's ``LogisticRegression(C=C)`` is
        :math:`C = 1/(2m\gamma)`.)
    max_iterations : int
        Give up after this many steps.
    tolerance : float
        Stop when no entry of the gradient is larger, in nats.

    Attributes
    ----------
    weights : ndarray, shape (n, K)
        Set by :meth:`fit`.
    intercepts : ndarray, shape (K,)
        Set by :meth:`fit`.

    Raises
    ------
    ValueError
        If `gamma` is negative.

    Examples
    --------
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> SoftmaxRegression(gamma=0.01).fit(X, y).predict([[0.5], [2.5]])
    array([0, 1])
    """

    weights: Array
    intercepts: Array

    def __init__(
        self, gamma: float = 1e-3, *, max_iterations: int = 2000, tolerance: float = 1e-6
    ) -> None:
        self.gamma = float(positive(array(gamma, "gamma", shape=()), "gamma", zero=True))
        self.max_iterations = count(max_iterations, "max_iterations")
        self.tolerance = float(positive(tolerance, "tolerance"))

    def objective(self, theta: Array, X: Array, y: Labels) -> tuple[float, Array]:
        r"""Return the regularised risk and its gradient.

        Parameters
        ----------
        theta : ndarray, shape ((n + 1) * K,)
            Weights row by row, then intercepts.
        X : ndarray, shape (m, n)
            Features.
        y : ndarray of int, shape (m,)
            Class labels.

        Returns
        -------
        value : float
            In nats.
        gradient : ndarray, shape ((n + 1) * K,)

        Raises
        ------
        ValueError
            If shapes disagree.
        """
        W, b = self._unpack(theta, X.shape[1])
        logits = X @ W + b  # (m, K)
        value = softmax_cross_entropy(logits, y) + self.gamma * (W**2).sum()
        slope = softmax_cross_entropy_gradient(logits, y)  # (m, K)
        dW, db = X.T @ slope + 2 * self.gamma * W, slope.sum(axis=0)
        return float(value), np.concatenate([dW.ravel(), db])

    def fit(self, X: ArrayLike, y: ArrayLike) -> SoftmaxRegression:
        """Find the weights of least regularised risk.

        Parameters
        ----------
        X : array_like, shape (m, n)
            Features.
        y : array_like of int, shape (m,)
            Class labels 0 … K - 1, each at least once.

        Returns
        -------
        SoftmaxRegression
            Itself.

        Raises
        ------
        ValueError
            If shapes disagree or a class has no example.
        RuntimeError
            If the minimiser has not arrived after `max_iterations`.
        """
        from scipy.optimize import minimize

        X, y, K = _training_data(X, y)
        theta = minimize(
            self.objective,
            np.zeros((X.shape[1] + 1) * K),
            args=(X, y),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.max_iterations, "gtol": self.tolerance, "ftol": 0.0},
        )
        if np.abs(theta.jac).max() > 100 * self.tolerance:
            raise RuntimeError(
                f"the gradient is still {np.abs(theta.jac).max():.1e} after {theta.nit} steps. "
                "Standardise the columns of X, raise gamma (classes that a plane separates have "
                "no minimum at gamma = 0), or raise max_iterations."
            )
        self.weights, self.intercepts = self._unpack(theta.x, X.shape[1])
        return self

    def log_proba(self, X: ArrayLike) -> Array:
        r"""Return :math:`\log p(y|x)` for each example and class.

        Parameters
        ----------
        X : array_like, shape (m, n)
            Features.

        Returns
        -------
        ndarray, shape (m, K)
            In nats.

        Raises
        ------
        AttributeError
            If :meth:`fit` was not called.
        ValueError
            If the number of columns is not that of the training data.
        """
        _fitted(self, "weights")
        X = array(X, "X", shape=(None, len(self.weights)))
        return log_softmax(X @ self.weights + self.intercepts)

    def predict(self, X: ArrayLike) -> Labels:
        """Return the most probable class of each row of `X`, shape (m,)."""
        return self.log_proba(X).argmax(axis=1)

    @staticmethod
    def _unpack(theta: Array, n: int) -> tuple[Array, Array]:
        W = theta.reshape(n + 1, -1)
        return W[:n], W[n]


class GaussianClassifier:
    r"""The generative classifier: a Gaussian for each class, turned round by Bayes' rule.

    Fits :math:`p(y)` by counting and :math:`p(x|y)` by maximum likelihood, then applies
    :eq:`eq-basics-bayes`. A shared covariance makes the boundaries linear (linear discriminant
    analysis), one for each class quadratic, a diagonal one assumes that features are independent
    within a class (naive Bayes).

    Parameters
    ----------
    covariance : {"shared", "diagonal", "full"}
        One covariance for all classes; variances only, for each class; one for each class.
    shrinkage : float
        From 0 to 1: how far each covariance moves to the multiple of the identity with the same
        trace. Needed where a feature is constant within a class, as at the digits' corners.

    Attributes
    ----------
    log_prior : ndarray, shape (K,)
        Set by :meth:`fit`.
    means : ndarray, shape (K, n)
        Set by :meth:`fit`.
    covariances : ndarray, shape (K, n, n)
        Set by :meth:`fit`; the same matrix K times if shared.

    Raises
    ------
    ValueError
        If `covariance` is none of the three, or `shrinkage` is not between 0 and 1.

    Examples
    --------
    >>> X, y = np.array([[0.0], [1.0], [4.0], [5.0]]), np.array([0, 0, 1, 1])
    >>> GaussianClassifier().fit(X, y).predict([[2.0], [3.0]])
    array([0, 1])
    """

    log_prior: Array
    means: Array
    covariances: Array

    def __init__(self, covariance: Covariance = "shared", *, shrinkage: float = 0.0) -> None:
        if covariance not in ("shared", "diagonal", "full"):
            raise ValueError(
                f"covariance is {covariance!r}; 'shared', 'diagonal' or 'full' wanted."
            )
        if not 0 <= shrinkage <= 1:
            raise ValueError(f"shrinkage is {shrinkage}; a number from 0 to 1 wanted.")
        self.covariance, self.shrinkage = covariance, float(shrinkage)

    def fit(self, X: ArrayLike, y: ArrayLike) -> GaussianClassifier:
        """Estimate the classes' shares, means and covariances.

        Parameters
        ----------
        X : array_like, shape (m, n)
            Features.
        y : array_like of int, shape (m,)
            Class labels 0 … K - 1, each at least once.

        Returns
        -------
        GaussianClassifier
            Itself.

        Raises
        ------
        ValueError
            If shapes disagree, a class has no example, or a covariance is singular.
        """
        X, y, K = _training_data(X, y)
        shares = np.bincount(y, minlength=K) / len(y)  # (K,)
        self.log_prior = np.log(shares)
        self.means = np.stack([X[y == k].mean(axis=0) for k in range(K)])
        scatter = np.stack([self._scatter(X[y == k]) for k in range(K)])  # (K, n, n)
        if self.covariance == "shared":
            scatter = np.broadcast_to(np.tensordot(shares, scatter, axes=1), scatter.shape)
        self.covariances = np.stack([self._shrink(S) for S in scatter])
        return self

    def log_joint(self, X: ArrayLike) -> Array:
        r"""Return :math:`\log p(x|y) + \log p(y)` for each example and class.

        Parameters
        ----------
        X : array_like, shape (m, n)
            Features.

        Returns
        -------
        ndarray, shape (m, K)
            In nats; :math:`\log p(x)` is its log-sum-exp along the classes.

        Raises
        ------
        AttributeError
            If :meth:`fit` was not called.
        ValueError
            If the number of columns is not that of the training data.
        """
        _fitted(self, "means")
        X = array(X, "X", shape=(None, self.means.shape[1]))
        classes = zip(self.means, self.covariances, strict=True)
        columns = [multivariate_gaussian_log_pdf(X, mean, S) for mean, S in classes]
        return np.stack(columns, axis=1) + self.log_prior  # (m, K)

    def log_proba(self, X: ArrayLike) -> Array:
        r"""Return :math:`\log p(y|x)` for each example and class, by :eq:`eq-basics-bayes`.

        Parameters
        ----------
        X : array_like, shape (m, n)
            Features.

        Returns
        -------
        ndarray, shape (m, K)
            In nats.

        Raises
        ------
        AttributeError, ValueError
            As :meth:`log_joint`.
        """
        return log_softmax(self.log_joint(X))

    def predict(self, X: ArrayLike) -> Labels:
        """Return the most probable class of each row of `X`, shape (m,)."""
        return self.log_joint(X).argmax(axis=1)

    def sample(self, label: int, m: int, rng: np.random.Generator) -> Array:
        """Draw new inputs of one class, which a discriminative model cannot do.

        Parameters
        ----------
        label : int
            The class.
        m : int
            How many.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        ndarray, shape (m, n)

        Raises
        ------
        AttributeError
            If :meth:`fit` was not called.
        TypeError, ValueError
            If there is no such class, or `rng` is no generator.
        """
        _fitted(self, "means")
        K, n = self.means.shape
        k = int(labels([label], "label", m=1, classes=K)[0])
        noise = generator(rng).normal(size=(count(m, "m"), n))
        return self.means[k] + noise @ cholesky(self.covariances[k]).T

    def _scatter(self, X: Array) -> Array:
        centred = X - X.mean(axis=0)
        S = centred.T @ centred / len(X)  # (n, n)
        return np.diag(np.diag(S)) if self.covariance == "diagonal" else S

    def _shrink(self, S: Array) -> Array:
        n, s = len(S), self.shrinkage
        out = (1 - s) * S + s * np.trace(S) / n * np.eye(n)
        smallest, largest = np.linalg.eigvalsh(out)[[0, -1]]
        if smallest <= n * np.finfo(float).eps * largest:
            raise ValueError(
                "a class has no spread in some direction, so that its Gaussian has no density "
                "(a constant feature, or fewer examples than features). Pass shrinkage=0.1."
            )
        return out


def _training_data(X: ArrayLike, y: ArrayLike) -> tuple[Array, Labels, int]:
    X = array(X, "X", ndim=2)
    y = labels(y, "y", m=len(X))
    counts = np.bincount(y)
    if len(counts) < 2 or counts.min() == 0:
        raise ValueError(
            f"the classes have {counts.tolist()} examples; two classes or more wanted, numbered "
            "from 0 without holes. Renumber with np.unique(y, return_inverse=True)[1]."
        )
    return X, y, len(counts)


def _fitted(model: object, attribute: str) -> None:
    if not hasattr(model, attribute):
        name = type(model).__name__
        raise AttributeError(f"this {name} has not been trained; call .fit(X, y) first.")
