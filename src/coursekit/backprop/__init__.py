"""Chapter 02: how one number's error reaches a million weights.

The lecture's network for one example (column convention) and for batches (rows), its eight
formulas, losses, a gradient check and an autograd: NumPy in float64 throughout.
"""

from coursekit.backprop.activations import Phi, activation, softmax, softmax_jacobian
from coursekit.backprop.autograd import Tensor
from coursekit.backprop.batched import MLP, Trace, mlp_backward, mlp_forward
from coursekit.backprop.differences import central_difference, complex_step
from coursekit.backprop.formulas import (
    AffineGradient,
    activation_backward,
    activation_backward_scalar,
    affine_backward,
    affine_backward_scalar,
    chain_rule,
    chain_rule_scalar,
)
from coursekit.backprop.gradcheck import GradientReport, assert_gradient, check_gradient
from coursekit.backprop.initialise import (
    Scales,
    activation_scales,
    dense_network,
    fans,
    he_normal,
    he_uniform,
    xavier_normal,
    xavier_uniform,
)
from coursekit.backprop.losses import CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR, Loss
from coursekit.backprop.network import Activation, Affine, Gradient, Network, gradient

__all__ = [
    "CROSS_ENTROPY",
    "MLP",
    "SOFTMAX_CROSS_ENTROPY",
    "SQUARED_ERROR",
    "Activation",
    "Affine",
    "AffineGradient",
    "Gradient",
    "GradientReport",
    "Loss",
    "Network",
    "Phi",
    "Scales",
    "Tensor",
    "Trace",
    "activation",
    "activation_backward",
    "activation_backward_scalar",
    "activation_scales",
    "affine_backward",
    "affine_backward_scalar",
    "assert_gradient",
    "central_difference",
    "chain_rule",
    "chain_rule_scalar",
    "check_gradient",
    "complex_step",
    "dense_network",
    "fans",
    "gradient",
    "he_normal",
    "he_uniform",
    "mlp_backward",
    "mlp_forward",
    "softmax",
    "softmax_jacobian",
    "xavier_normal",
    "xavier_uniform",
]
