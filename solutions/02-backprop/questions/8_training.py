"""A layer that behaves differently in training, and a network that must learn."""

import numpy as np

from coursekit import backprop
from coursekit.grading import case, question


def normaliser(
    axis=0,
    running=lambda X: X.var(axis=0, ddof=1),
    batch=lambda X: X.var(axis=0),
    root=lambda v, eps: np.sqrt(v + eps),
    share=lambda p: p,
    always=False,
    own=False,
    affine=True,
):
    """A BatchNorm class whose parts a mistake replaces."""

    class BatchNorm:
        def __init__(self, n, momentum, epsilon):
            self.scale, self.shift = np.ones(n), np.zeros(n)
            self.running_mean, self.running_variance = np.zeros(n), np.ones(n)
            self.momentum, self.epsilon = momentum, epsilon

        def forward(self, X, training):
            if training or always:
                p = share(self.momentum)
                self.running_mean = (1 - p) * self.running_mean + p * X.mean(axis=0)
                self.running_variance = (1 - p) * self.running_variance + p * running(X)
            if training or own:
                mean, variance = X.mean(axis=axis, keepdims=True), batch(X)
            else:
                mean, variance = self.running_mean, self.running_variance
            standard = (X - mean) / root(variance, self.epsilon)
            return self.scale * standard + self.shift if affine else standard

    return BatchNorm


@question(
    id="batch-norm",
    title="Batch normalisation with a memory",
    asks="BatchNorm",
    points=3,
    section="sec-backprop-normalisation",
)
class BatchNormQuestion:
    def driver(answer, batches, unseen, momentum, epsilon, scale, shift):
        n = len(scale)
        norm, other = answer(n, momentum, epsilon), answer(n, momentum, epsilon)
        norm.scale, norm.shift = scale, shift
        trained = [norm.forward(X, True) for X in batches]
        other.forward(-3 * batches[0], True)
        applied = norm.forward(unseen, False)
        if applied is None:
            return None
        return {
            "in training": trained,
            "in inference": applied,
            "one example alone": norm.forward(unseen[:1], False),
            "running mean": norm.running_mean * 1.0,
            "running variance": norm.running_variance * 1.0,
        }

    reference = normaliser()

    def cases(rng):
        for name, m, n, steps, epsilon, shown in (
            ("one batch", 4, 2, 1, 1e-5, True),
            ("three batches", 5, 3, 3, 1e-5, True),
            ("small values, where epsilon counts", 6, 2, 2, 0.1, True),
            ("ten batches", 16, 4, 10, 1e-3, False),
        ):
            size = 0.3 if epsilon == 0.1 else 2.0
            batches = [rng.normal(1.0, size, size=(m, n)) for _ in range(steps)]
            scale, shift = rng.uniform(0.5, 2.0, size=n), rng.normal(size=n)
            unseen = rng.normal(size=(3, n))
            yield case(name, batches, unseen, 0.2, epsilon, scale, shift, shown=shown)

    class FromTheLibrary:
        def __init__(self, n, momentum, epsilon):
            self.scale, self.shift, self.epsilon = np.ones(n), np.zeros(n), epsilon
            self.layer = backprop.BatchNorm(n, momentum)

        running_mean = property(lambda self: self.layer.mean)
        running_variance = property(lambda self: self.layer.variance)

        def forward(self, X, training):
            eps = self.epsilon
            if training:
                self.layer.forward(X, True)
                return backprop.batch_norm(X, self.scale, self.shift, eps=eps).Y
            now = self.layer.mean, self.layer.variance
            return backprop.batch_norm_inference(X, self.scale, self.shift, *now, eps=eps)

    class ColumnByColumn:
        def __init__(self, n, momentum, epsilon):
            self.scale, self.shift = [1.0] * n, [0.0] * n
            self.running_mean, self.running_variance = np.zeros(n), np.ones(n)
            self.p, self.epsilon = momentum, epsilon

        def forward(self, X, training):
            Y = np.empty(X.shape)
            for j, column in enumerate(X.T):
                mean, variance = self.running_mean[j], self.running_variance[j]
                if training:
                    m, old_mean, old_variance = len(column), mean, variance
                    mean = column.sum() / m
                    variance = ((column - mean) ** 2).sum() / m
                    self.running_mean[j] = old_mean + self.p * (mean - old_mean)
                    unbiased = variance * m / (m - 1)
                    self.running_variance[j] = old_variance + self.p * (unbiased - old_variance)
                gain = self.scale[j] * (variance + self.epsilon) ** -0.5
                Y[:, j] = gain * column + (self.shift[j] - gain * mean)
            return Y

    biased_memory = normaliser(running=lambda X: X.var(axis=0))
    unbiased_batch = normaliser(batch=lambda X: X.var(axis=0, ddof=1) if len(X) > 1 else 0.0)
    forgetful = normaliser(share=lambda p: 1 - p)
    own_batch = normaliser(own=True)
    restless = normaliser(
        always=True, running=lambda X: X.var(axis=0, ddof=1) if len(X) > 1 else X[0] * 0
    )
    rows = normaliser(axis=1, batch=lambda X: X.var(axis=1, keepdims=True))
    outside = normaliser(root=lambda v, eps: np.sqrt(v) + eps)
    no_scale = normaliser(affine=False)

    variants = [FromTheLibrary, ColumnByColumn]
    mistakes = {
        "The running variance takes in the one with m - 1, as PyTorch's does.": biased_memory,
        "A batch is normalised with the variance that divides by m.": unbiased_batch,
        "Momentum is the share of the new batch here, as in PyTorch; you gave that to the old.": (
            forgetful
        ),
        "In inference use the running averages: an example must not depend on its neighbours.": (
            own_batch
        ),
        "Inference must not move the running averages.": restless,
        "Normalise each feature over the batch, axis 0; over axis 1 it is layer normalisation.": (
            rows
        ),
        "Epsilon is added to the variance, under the root.": outside,
        "The result is scaled and shifted by the learned parameters at the end.": no_scale,
    }
    explain = r"""
    In training take the mean and the variance of each column (with $m$ below), normalise with
    $(x-\mu)/\sqrt{v+\epsilon}$, multiply by `scale` and add `shift`. Then move the memory: running
    value times $1-p$ plus $p$ times the batch's, where the variance now has $m-1$ below. In
    inference use the memory in place of the batch and leave it alone. A column 0, 2 has mean 1 and
    variance 1, so it becomes $-1$ and 1; with $p=0.1$ the running mean goes from 0 to 0.1 and the
    running variance from 1 to $0.9+0.1\cdot2=1.1$.
    """


def learner(width=24, rate=0.1, steps=800, scale=1.0, hidden=np.tanh):
    """Train a network with one hidden layer by full-batch descent; a mistake changes a part."""

    def train(X, y, rng):
        W = [scale * rng.normal(size=(width, X.shape[1])), scale * rng.normal(size=width) / 5]
        b = [scale * rng.normal(size=width), 0.0]
        t = 2.0 * y - 1.0
        for _ in range(steps):
            H = hidden(X @ W[0].T + b[0])
            error = (H @ W[1] + b[1] - t) / len(X)
            back = np.outer(error, W[1]) * (1.0 if hidden is not np.tanh else 1 - H**2)
            W[1] = W[1] - rate * error @ H
            b[1] = b[1] - rate * error.sum()
            W[0] = W[0] - rate * back.T @ X
            b[0] = b[0] - rate * back.sum(axis=0)
        return lambda X: (hidden(X @ W[0].T + b[0]) @ W[1] + b[1] > 0).astype(int)

    return train


@question(
    id="train-a-network",
    title="A network that learns",
    asks="train",
    points=4,
    section="sec-backprop-digits",
)
class TrainANetwork:
    seconds = 2.5  # a thousand small steps take a tenth of a second; some take ten thousand

    def driver(answer, X, y, unseen, seed):
        import numpy as np

        predict = answer(X, y, np.random.default_rng(seed))
        return None if predict is None or predict is ... else predict(unseen)

    def reference(X, y, rng):
        mlp = backprop.MLP([2, 24, 2], rng, hidden="tanh")
        adam = backprop.Adam(mlp.parameters, lr=0.05)
        for _ in range(120):
            adam.step(mlp.loss_and_gradients(X, y)[1])
        return mlp.predict

    def cases(rng):
        yield case("four corners", *corners(rng, 160, 24), int(rng.integers(1000)))
        yield case("a ring around a disc", *ring(rng, 160, 24), int(rng.integers(1000)))
        yield case("other corners", *corners(rng, 200, 60), int(rng.integers(1000)), shown=False)

    def with_plain_descent(X, y, rng):
        return learner()(X, y, rng)

    def with_rectifiers(X, y, rng):
        W, b = rng.normal(size=(200, 2)), rng.normal(size=200)
        H = np.maximum(X @ W.T + b, 0)
        v = np.linalg.solve(H.T @ H + 0.01 * np.eye(200), H.T @ (2.0 * y - 1.0))
        return lambda X: np.where(np.maximum(X @ W.T + b, 0) @ v > 0, 1, 0)

    def probabilities(X, y, rng):
        predict = learner()(X, y, rng)
        return lambda X: predict(X) * 1.0

    def for_the_training_set(X, y, rng):
        predict = learner()(X, y, rng)
        return lambda unseen: predict(X)

    def other_class(X, y, rng):
        predict = learner()(X, y, rng)
        return lambda X: 1 - predict(X)

    def one_column(X, y, rng):
        predict = learner()(X, y, rng)
        return lambda X: predict(X)[:, None]

    same_weights = learner(scale=0.0)
    linear = learner(hidden=lambda z: z, width=4)
    diverged = learner(rate=50.0)

    variants = [with_plain_descent, with_rectifiers]
    mistakes = {
        "All points got the commoner class: with weights of 0 all hidden units are equal.": (
            same_weights
        ),
        "All points got class 0, as when numbers have become nan: take smaller steps.": diverged,
        "A straight line cannot part these classes: an activation is missing.": linear,
        "Return the class, an integer 0 or 1, not a floating-point number.": probabilities,
        "Predict for the points that predict is given, not for the training set.": (
            for_the_training_set
        ),
        "The classes are turned around: 0 and 1 changed places.": other_class,
        "One number per example is wanted, shape (m,); yours has an axis too many.": one_column,
    }
    explain = r"""
    One hidden layer is enough here. Draw its weights at random (weights of 0 would make all hidden
    units the same for ever), then repeat many times: forward, the gradient of the mean loss,
    backward, a step. With 24 tanh units, 800 steps of size 0.1 on the squared error are ten lines
    of code and less than a tenth of a second. The check knows nothing of your network: it asks for
    the class of points that lie well inside their class, which a network that has learned gets
    right.
    """


def corners(rng, m, far):
    """Training points by the sign of x1 x2, and unseen ones away from the axes, as (X, y, new)."""
    X = rng.uniform(-1, 1, size=(m, 2))
    unseen = rng.uniform(0.4, 0.9, size=(far, 2)) * rng.choice([-1, 1], size=(far, 2))
    return 2 * X, (X[:, 0] * X[:, 1] > 0).astype(int), 2 * unseen


def ring(rng, m, far):
    """Training points inside 1 or beyond it, and unseen ones away from the border."""
    angle, radius = rng.uniform(0, 2 * np.pi, size=m), np.sqrt(rng.uniform(0, 4, size=m))
    X = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    turn = rng.uniform(0, 2 * np.pi, size=far)
    where = np.where(rng.random(far) < 0.5, rng.uniform(0, 0.5, far), rng.uniform(1.6, 1.9, far))
    unseen = where[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    return X, (radius > 1.1).astype(int), unseen
