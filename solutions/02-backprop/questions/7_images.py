"""Convolution, its gradient, and a slow version to make faster."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from coursekit import backprop
from coursekit.grading import case, question


def convolved(image=lambda X: X, kernels=lambda K: K, stride=lambda s: s, padding=lambda p: p):
    """A convolution whose inputs a mistake changes."""
    return lambda X, K, s, p: backprop.conv2d(
        image(X)[None], kernels(K), None, stride(s), padding(p)
    )[0]


@question(
    id="conv2d",
    title="Convolution with stride and padding",
    asks="conv2d",
    points=3,
    section="sec-backprop-convolution",
)
class Conv2d:
    def reference(X, K, stride, padding):
        return backprop.conv2d(X[None], K, None, stride, padding)[0]

    def cases(rng):
        for name, image, kernels, stride, padding, shown in (
            ("one channel", (1, 4, 4), (1, 1, 2, 2), 1, 0, True),
            ("two channels, padded", (2, 3, 4), (3, 2, 3, 3), 1, 1, True),
            ("stride two, a wide kernel", (2, 5, 6), (2, 2, 2, 3), 2, 1, True),
            ("five channels", (5, 9, 7), (4, 5, 3, 2), 3, 2, False),
        ):
            X, K = rng.normal(size=image), rng.normal(size=kernels)
            yield case(name, X, K, stride, padding, shown=shown)

    def with_loops(X, K, stride, padding):
        (C, H, W), (C_out, _, kH, kW) = X.shape, K.shape
        P = np.zeros((C, H + 2 * padding, W + 2 * padding))
        P[:, padding : padding + H, padding : padding + W] = X
        rows, columns = (P.shape[1] - kH) // stride + 1, (P.shape[2] - kW) // stride + 1
        found = np.zeros((C_out, rows, columns))
        for c, i, j in np.ndindex(found.shape):
            window = P[:, i * stride : i * stride + kH, j * stride : j * stride + kW]
            found[c, i, j] = (window * K[c]).sum()
        return found

    def with_columns(X, K, stride, padding):
        P = np.pad(X, ((0, 0), (padding, padding), (padding, padding)))
        V = sliding_window_view(P, K.shape[2:], axis=(1, 2))[:, ::stride, ::stride]
        rows, columns = V.shape[1:3]
        table = V.transpose(1, 2, 0, 3, 4).reshape(rows * columns, -1)
        return (K.reshape(len(K), -1) @ table.T).reshape(len(K), rows, columns)

    def kernel_by_kernel(X, K, stride, padding):
        padded = np.pad(X, ((0, 0), (padding, padding), (padding, padding)))
        found = 0.0
        for a, b in np.ndindex(K.shape[2:]):
            whole = np.tensordot(K[:, :, a, b], padded, axes=1)
            rows, columns = (n - k for n, k in zip(padded.shape[1:], K.shape[2:], strict=True))
            found = found + whole[:, a : a + rows + 1 : stride, b : b + columns + 1 : stride]
        return found

    def edges_repeated(X, K, stride, padding):
        P = np.pad(X, ((0, 0), (padding, padding), (padding, padding)), mode="edge")
        return backprop.conv2d(P[None], K, None, stride, 0)[0]

    def one_side(X, K, stride, padding):
        P = np.pad(X, ((0, 0), (0, 2 * padding), (0, 2 * padding)))
        return backprop.conv2d(P[None], K, None, stride, 0)[0]

    flipped = convolved(kernels=lambda K: K[:, :, ::-1, ::-1])
    not_padded = convolved(padding=lambda p: 0)
    no_stride = convolved(stride=lambda s: 1)
    one_channel = convolved(lambda X: X[:1], lambda K: K[:, :1])
    averaged = convolved(lambda X: X / len(X))

    variants = [with_loops, with_columns, kernel_by_kernel]
    mistakes = {
        "You turned the kernel around; deep learning's convolution lays it on as it is.": flipped,
        "The padding is missing: put zeros around the image first.": not_padded,
        "Padding means zeros; you repeated the border.": edges_repeated,
        "Padding goes on all four sides; yours is on two.": one_side,
        "The stride is missing: the window moves by that many pixels.": no_stride,
        "Every kernel looks at all channels; you used the first alone.": one_channel,
        "Add up over the channels; you averaged.": averaged,
    }
    explain = r"""
    Put `padding` zeros on all four sides. The result has
    $\lfloor(H+2p-k_H)/s\rfloor+1$ rows, and columns likewise. Entry $(c,i,j)$ is the sum of
    `P[:, i*s : i*s + kH, j*s : j*s + kW] * K[c]`, over the channels, rows and columns of the
    window. The image $\begin{pmatrix}1&2\\3&4\end{pmatrix}$ and the kernel
    $\begin{pmatrix}1&0\\0&-1\end{pmatrix}$ give $1-4=-3$; a flipped kernel would give 3.
    """


def kernel_sums(grad, X, size, stride, padding):
    """Products of gradient and window, summed over the places: (C_out, C, kH, kW)."""
    P = np.pad(X, ((0, 0), (padding, padding), (padding, padding)))
    V = sliding_window_view(P, size, axis=(1, 2))[:, ::stride, ::stride]
    V = V[:, : grad.shape[1], : grad.shape[2]]
    return np.einsum("dij,cijab->dcab", grad, V)


@question(
    id="conv2d-kernel-gradient",
    title="The gradient of the kernel",
    asks="conv2d_kernel_gradient",
    points=4,
    section="sec-backprop-convolution",
)
class Conv2dKernelGradient:
    reference = kernel_sums

    def cases(rng):
        for name, image, kernels, stride, padding, shown in (
            ("one channel", (1, 4, 4), (1, 1, 2, 2), 1, 0, True),
            ("two channels, padded", (2, 3, 4), (3, 2, 3, 3), 1, 1, True),
            ("stride two, pixels left over", (2, 6, 5), (2, 2, 2, 2), 2, 1, True),
            ("five channels", (5, 9, 7), (4, 5, 3, 2), 3, 2, False),
        ):
            X = rng.normal(size=image)
            shape = backprop.conv2d(X[None], np.zeros(kernels), None, stride, padding).shape[1:]
            yield case(name, rng.normal(size=shape), X, kernels[2:], stride, padding, shown=shown)

    def with_loops(grad, X, size, stride, padding):
        P = np.pad(X, ((0, 0), (padding, padding), (padding, padding)))
        found = np.zeros((len(grad), len(X), *size))
        for c, i, j in np.ndindex(grad.shape):
            y, x = i * stride, j * stride
            found[c] += grad[c, i, j] * P[:, y : y + size[0], x : x + size[1]]
        return found

    def place_by_place(grad, X, size, stride, padding):
        C_out, rows, columns = grad.shape
        P = np.pad(X, ((0, 0), (padding, padding), (padding, padding)))
        found = np.zeros((C_out, len(X), *size))
        for a, b in np.ndindex(*size):
            seen = P[:, a::stride, b::stride][:, :rows, :columns]
            found[:, :, a, b] = np.tensordot(grad, seen, axes=((1, 2), (1, 2)))
        return found

    def with_the_library(grad, X, size, stride, padding):
        K = np.zeros((len(grad), len(X), *size))
        return backprop.conv2d_backward(grad[None], X[None], K, stride, padding).K[0:]

    def averaged(grad, X, size, stride, padding):
        return kernel_sums(grad, X, size, stride, padding) / (grad.shape[1] * grad.shape[2])

    def flipped(grad, X, size, stride, padding):
        return kernel_sums(grad, X, size, stride, padding)[:, :, ::-1, ::-1]

    def axes_swapped(grad, X, size, stride, padding):
        return kernel_sums(grad, X, size, stride, padding).transpose(1, 0, 2, 3)

    def mixed(grad, X, size, stride, padding):
        found = kernel_sums(grad, X, size, stride, padding)
        return np.broadcast_to(found.sum(axis=1, keepdims=True), found.shape).copy()

    variants = [with_loops, place_by_place, with_the_library]
    mistakes = {
        "The kernel is used at every place: add up over the places, do not average.": averaged,
        "The window lies as it did forward; you turned it around.": flipped,
        "Move the windows by the stride, as forward did.": (
            lambda grad, X, size, stride, padding: kernel_sums(grad, X, size, 1, padding)
        ),
        "Forward put zeros around the image, and the kernel's border met them: pad here too.": (
            lambda grad, X, size, stride, padding: kernel_sums(
                grad, np.pad(X, ((0, 0), (0, 2 * padding), (0, 2 * padding))), size, stride, 0
            )
        ),
        "The gradient has the kernel's shape: (C_out, C, kH, kW), output channels first.": (
            axes_swapped
        ),
        "Each channel of the kernel met only its own channel of the image.": mixed,
    }
    explain = r"""
    Forward, $K_{c,d,a,b}$ is multiplied by the padded pixel $P_{d,\,is+a,\,js+b}$ and added to the
    result at $(c,i,j)$, for every place $(i,j)$. So its gradient is the sum over all places of that
    pixel times the gradient at that place: each place adds `grad[c, i, j] * window` to `K[c]`. One
    kernel weight, an image with the pixels 1 and 2 and gradients 3 and 4: $1\cdot3+2\cdot4=11$.
    It is the bias's rule of a batch again: what is shared adds up.
    """


@question(
    id="make-it-faster",
    title="Make it faster",
    asks="speed",
    points=4,
    section="sec-backprop-cost",
    kind="manual",
)
class MakeItFaster:
    rubric = [
        (1, "shows that the fast version agrees with the slow one, with an argued tolerance"),
        (1, "is at least twenty times as fast on the given input, measured as a median"),
        (1, "says where the time went, with a measurement and not with a guess"),
        (1, "says what the speed costs (memory, clarity) and when the slow one is good enough"),
    ]
