"""Chapter 02: how one number's error reaches a million weights.

The lecture's network for one example (column convention) and for batches (rows), its eight
formulas, losses, a gradient check, an autograd, optimisers, initialisation, convolution,
normalisation and a training loop: NumPy in float64 throughout.
"""

from coursekit.backprop.activations import Phi, activation, softmax, softmax_jacobian
from coursekit.backprop.adaptive import Adam, AdamW, RMSProp
from coursekit.backprop.autograd import Tensor
from coursekit.backprop.batched import MLP, Trace, mlp_backward, mlp_forward
from coursekit.backprop.convolution import (
    ConvGradient,
    conv2d,
    conv2d_backward,
    conv2d_backward_loops,
    conv2d_loops,
)
from coursekit.backprop.differences import central_difference, complex_step
from coursekit.backprop.dropout import dropout
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
from coursekit.backprop.image_layers import Conv2d, MaxPool2d
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
from coursekit.backprop.layers import BatchLayer, Componentwise, Dense, Flatten
from coursekit.backprop.losses import CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR, Loss
from coursekit.backprop.network import Activation, Affine, Gradient, Network, gradient
from coursekit.backprop.normalisation import (
    Normalised,
    NormGradient,
    batch_norm,
    batch_norm_inference,
    layer_norm,
    norm_backward,
)
from coursekit.backprop.optimisers import SGD, Optimiser
from coursekit.backprop.pooling import (
    avg_pool2d,
    avg_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)
from coursekit.backprop.schedules import (
    QuadraticRates,
    clip_by_global_norm,
    constant,
    cosine,
    gradient_descent_rate,
    heavy_ball_rate,
    one_cycle,
    step_decay,
)
from coursekit.backprop.sequential import Sequential, digits_cnn
from coursekit.backprop.train import (
    Digits,
    History,
    accuracy,
    batches,
    digits_split,
    images,
    train,
)
from coursekit.backprop.training_layers import BatchNorm, Dropout

__all__ = [
    "CROSS_ENTROPY",
    "MLP",
    "SGD",
    "SOFTMAX_CROSS_ENTROPY",
    "SQUARED_ERROR",
    "Activation",
    "Adam",
    "AdamW",
    "Affine",
    "AffineGradient",
    "BatchLayer",
    "BatchNorm",
    "Componentwise",
    "Conv2d",
    "ConvGradient",
    "Dense",
    "Digits",
    "Dropout",
    "Flatten",
    "Gradient",
    "GradientReport",
    "History",
    "Loss",
    "MaxPool2d",
    "Network",
    "NormGradient",
    "Normalised",
    "Optimiser",
    "Phi",
    "QuadraticRates",
    "RMSProp",
    "Scales",
    "Sequential",
    "Tensor",
    "Trace",
    "accuracy",
    "activation",
    "activation_backward",
    "activation_backward_scalar",
    "activation_scales",
    "affine_backward",
    "affine_backward_scalar",
    "assert_gradient",
    "avg_pool2d",
    "avg_pool2d_backward",
    "batch_norm",
    "batch_norm_inference",
    "batches",
    "central_difference",
    "chain_rule",
    "chain_rule_scalar",
    "check_gradient",
    "clip_by_global_norm",
    "complex_step",
    "constant",
    "conv2d",
    "conv2d_backward",
    "conv2d_backward_loops",
    "conv2d_loops",
    "cosine",
    "dense_network",
    "digits_cnn",
    "digits_split",
    "dropout",
    "fans",
    "gradient",
    "gradient_descent_rate",
    "he_normal",
    "he_uniform",
    "heavy_ball_rate",
    "images",
    "layer_norm",
    "max_pool2d",
    "max_pool2d_backward",
    "mlp_backward",
    "mlp_forward",
    "norm_backward",
    "one_cycle",
    "softmax",
    "softmax_jacobian",
    "step_decay",
    "train",
    "xavier_normal",
    "xavier_uniform",
]
