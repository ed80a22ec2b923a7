r"""The score, the slope of the log-density: what denoising learns, known exactly for mixtures."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from coursekit.generative.gaussians import LOG_2PI
from coursekit.generative.guidance import Network


@dataclass(frozen=True)
class GaussianMixture:
    r"""A mixture of round normal distributions in D dimensions.

    Attributes
    ----------
    weights : Tensor, shape (K,)
        Above 0, sum 1.
    means : Tensor, shape (K, D)
    variances : Tensor, shape (K,)
        Above 0, the same in all directions.

    Raises
    ------
    ValueError
        If weights are no distribution, a variance is 0 or less, or the shapes do not fit.

    Examples
    --------
    >>> ring = GaussianMixture.ring(4, radius=2.0, variance=0.1)
    >>> ring.score(torch.zeros(1, 2)).abs().max() < 1e-5  # the middle is level
    tensor(True)
    """

    weights: Tensor
    means: Tensor
    variances: Tensor

    def __post_init__(self) -> None:
        K = len(self.weights)
        if self.means.ndim != 2 or len(self.means) != K or self.variances.shape != (K,):
            raise ValueError(
                f"weights, means and variances have shapes {tuple(self.weights.shape)}, "
                f"{tuple(self.means.shape)} and {tuple(self.variances.shape)}; (K,), (K, D) and "
                "(K,) wanted."
            )
        if not bool((self.variances > 0).all()):
            raise ValueError("a variance is 0 or less: its density would be infinite at a point.")
        if not bool((self.weights > 0).all()) or abs(float(self.weights.sum()) - 1) > 1e-6:
            raise ValueError("weights must be above 0 and sum to 1.")

    @classmethod
    def ring(cls, modes: int, radius: float, variance: float) -> GaussianMixture:
        """Return equal modes on a circle in the plane."""
        angle = torch.arange(modes) * 2 * torch.pi / modes
        means = radius * torch.stack([angle.cos(), angle.sin()], dim=1)  # (K, 2)
        return cls(torch.full((modes,), 1 / modes), means, torch.full((modes,), variance))

    def log_density(self, x: Tensor) -> Tensor:
        """Return log p(x) in nats, shape (B,), of x (B, D)."""
        return self._log_joint(x).logsumexp(1)

    def score(self, x: Tensor) -> Tensor:
        r"""Return :math:`\nabla_x\log p(x)`, shape (B, D); implements :eq:`eq-generative-score`.

        Each mode pulls towards its mean, as strongly as it is likely to have made x.
        """
        mine = self._log_joint(x).softmax(1)  # (B, K)
        pull = (self.means - x[:, None]) / self.variances[:, None]  # (B, K, D)
        return (mine[..., None] * pull).sum(1)

    def noised(self, alpha_bar: float) -> GaussianMixture:
        r"""Return the mixture that the forward process makes of this one: a mixture again."""
        kept = self.variances * alpha_bar + (1 - alpha_bar)
        return GaussianMixture(self.weights, self.means * alpha_bar**0.5, kept)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Return n draws, shape (n, D)."""
        mode = torch.multinomial(self.weights, n, replacement=True, generator=generator)  # (n,)
        noise = torch.randn(n, self.means.shape[1], generator=generator)
        return self.means[mode] + self.variances[mode, None].sqrt() * noise

    def _log_joint(self, x: Tensor) -> Tensor:
        """Log of weight times density of each mode, (B, K)."""
        D = self.means.shape[1]
        squared = (x[:, None] - self.means).square().sum(-1)  # (B, K)
        log_normal = -0.5 * (squared / self.variances + D * (LOG_2PI + self.variances.log()))
        return self.weights.log() + log_normal


def score_from_noise(noise: Tensor, alpha_bar: float) -> Tensor:
    r"""Return the score that a foretold noise stands for: :math:`-\epsilon/\sqrt{1-\bar\alpha}`.

    The best guess of the noise on x is a multiple of the score of the noised data
    (Vincent 2011), :eq:`eq-generative-score`.

    Parameters
    ----------
    noise : Tensor, shape (B, D)
        What a network foretells, or should.
    alpha_bar : float
        Share of the signal, below 1.

    Returns
    -------
    Tensor, shape (B, D)

    Raises
    ------
    ValueError
        If there is no noise at this alpha_bar.

    Examples
    --------
    >>> score_from_noise(torch.ones(1, 1), 0.75)
    tensor([[-2.]])
    """
    if not 0 <= alpha_bar < 1:
        raise ValueError(f"alpha_bar is {alpha_bar}; 0 to below 1 wanted: at 1 there is no noise.")
    return -noise / (1 - alpha_bar) ** 0.5


def perfect_network(mixture: GaussianMixture, alpha_bars: Tensor) -> Network:
    """Return the network that training would end at: the noise by the mixture's exact score.

    Parameters
    ----------
    mixture : GaussianMixture
        The data.
    alpha_bars : Tensor, shape (T + 1,)
        Of the schedule; the network's time is the step over T, one for all rows.

    Returns
    -------
    callable
        ``network(x, t, labels)``, for :class:`coursekit.generative.diffusion.Diffusion`.

    Examples
    --------
    >>> from coursekit.generative.schedule import Schedule
    >>> ring = GaussianMixture.ring(4, 2.0, 0.1)
    >>> network = perfect_network(ring, Schedule.cosine(10).alpha_bar)
    >>> network(torch.zeros(3, 2), torch.ones(3), None).shape
    torch.Size([3, 2])
    """

    def network(x: Tensor, t: Tensor, labels: Tensor | None) -> Tensor:
        kept = float(alpha_bars[round(float(t[0]) * (len(alpha_bars) - 1))])
        return -((1 - kept) ** 0.5) * mixture.noised(kept).score(x)

    return network
