"""Data sets that ship with what is installed, with their sources; nothing is downloaded."""

from coursekit.data.datasets import NAMES, Dataset, Split, load
from coursekit.data.generators import gaussian_mixture, sine, sine_curve

__all__ = ["NAMES", "Dataset", "Split", "gaussian_mixture", "load", "sine", "sine_curve"]
