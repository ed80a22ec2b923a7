"""The gradient from one saved number a row."""

import numpy as np

from coursekit.grading import case, question


@question(
    id="attention-backward",
    title="The gradient without the table",
    asks="attention_backward",
    points=3,
    section="sec-attention-backward",
)
class AttentionBackward:
    def reference(grad, q, k, v, out, lse, scale):
        weights = np.exp(scale * q @ k.T - lse[:, None])
        delta = (grad * out).sum(axis=1)
        grad_scores = weights * (grad @ v.T - delta[:, None])
        return scale * grad_scores @ k, scale * grad_scores.T @ q, weights.T @ grad

    def cases(rng):
        yield case("three queries, four keys", *problem(rng, 3, 4, 2))
        yield case("as many queries as keys", *problem(rng, 4, 4, 3))
        yield case("scores near 1000", *problem(rng, 3, 5, 2, far=1000.0))
        yield case("many", *problem(rng, 20, 31, 8), shown=False)

    def key_by_key(grad, q, k, v, out, lse, scale):
        delta = np.einsum("nd,nd->n", grad, out)
        dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
        for j in range(len(k)):
            p = np.exp(scale * (q @ k[j]) - lse)  # (n,)
            ds = scale * p * (grad @ v[j] - delta)
            dv[j], dk[j] = p @ grad, ds @ q
            dq += np.outer(ds, k[j])
        return dq, dk, dv

    def through_the_jacobian(grad, q, k, v, out, lse, scale):
        dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
        for i, row in enumerate(np.exp(scale * q @ k.T - lse[:, None])):
            jacobian = np.diag(row) - np.outer(row, row)
            ds = scale * jacobian @ (v @ grad[i])
            dq[i] = ds @ k
            dk += np.outer(ds, q[i])
            dv += np.outer(row, grad[i])
        return dq, dk, dv

    def back(
        *,
        delta=lambda grad, out, dp: (grad * out).sum(axis=1)[:, None],
        into_scores=lambda scale: scale,
        outward=lambda scale: scale,
        values=lambda p, grad: p.T @ grad,
        weigh=lambda p, dp: p * dp,
        lse_of=lambda lse: lse[:, None],
    ):
        def answer(grad, q, k, v, out, lse, scale):
            with np.errstate(all="ignore"):
                p = np.exp(into_scores(scale) * q @ k.T - lse_of(lse))
                dp = grad @ v.T
                ds = outward(scale) * weigh(p, dp - delta(grad, out, dp))
                return ds @ k, ds.T @ q, values(p, grad)

        return answer

    no_delta = back(delta=lambda grad, out, dp: 0.0)
    plain_row_sum = back(delta=lambda grad, out, dp: dp.sum(axis=1, keepdims=True))
    unscaled = back(outward=lambda scale: 1.0)
    unscaled_scores = back(into_scores=lambda scale: 1.0)
    of_scores = back(values=lambda p, grad: np.log(p).T @ grad)
    no_weights = back(weigh=lambda p, dp: dp)
    no_lse = back(lse_of=lambda lse: 0.0)
    del back

    variants = [key_by_key, through_the_jacobian]
    mistakes = {
        "The softmax subtracts from each row of dP its delta, the sum of output times gradient.": (
            no_delta
        ),
        "Delta weighs the row of dP by the weights; the plain sum of the row is another number.": (
            plain_row_sum
        ),
        "The scores are `scale` times the products, so `scale` is in the gradients of q and k.": (
            unscaled
        ),
        "The weights come from scaled scores: multiply the products by `scale` first.": (
            unscaled_scores
        ),
        "The gradient of the values needs the weights, not their logarithm.": of_scores,
        "The gradient of a score is its weight times (dP - delta); you left out the weight.": (
            no_weights
        ),
        "Subtract the log-sum-exp of each row before you take the exponential.": no_lse,
    }
    explain = r"""
    The weights come back from one number a row: $P_{ij}=e^{S_{ij}-L_i}$ with $S$ the scaled
    products. Then $dV=P^TdO$, $dP=dO\,V^T$, $\delta_i=\sum_d dO_{id}O_{id}$,
    $dS_{ij}=P_{ij}(dP_{ij}-\delta_i)$, and with the scale $dQ=\text{scale}\cdot dS\,K$ and
    $dK=\text{scale}\cdot dS^TQ$. Two equal scores, values 1 and 3 and a gradient of 1 give
    $P=(\frac12,\frac12)$, output 2, $\delta=2$ and $dS=(-\frac12,\frac12)$.
    """


def problem(rng, n, m, d, far=0.0):
    """A gradient, and what the forward pass took, gave and saved."""
    scale = float(rng.uniform(0.4, 0.7))
    q, k, v, grad = (rng.normal(size=(rows, d)) for rows in (n, m, m, n))
    scores = scale * q @ k.T
    if far:  # a last column that adds the same to all scores of a row
        q = np.concatenate([q, np.full((n, 1), far / scale)], axis=1)
        k, v, grad = (
            np.concatenate([x, column * np.ones((len(x), 1))], axis=1)
            for x, column in ((k, 1.0), (v, rng.normal()), (grad, rng.normal()))
        )
        scores = scale * q @ k.T
    peak = scores.max(axis=1)
    weights = np.exp(scores - peak[:, None])
    total = weights.sum(axis=1)
    return grad, q, k, v, weights @ v / total[:, None], peak + np.log(total), scale
