"""Attention itself: columns, rows, masks, and how sure the softmax is."""

import numpy as np

from coursekit.grading import case, question


def softmax(scores, axis=-1):
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@question(
    id="column-attention",
    title="The lecture's formula",
    asks="column_attention",
    points=1,
    section="sec-transformer-attention",
)
class ColumnAttention:
    def reference(Q, K, V):
        return V @ softmax(K.T @ Q / np.sqrt(len(K)), axis=0)

    def cases(rng):
        for name, d_k, d_v, n, m, shown in (
            ("two queries, three keys", 4, 2, 2, 3, True),
            ("as many queries as keys", 3, 3, 4, 4, True),
            ("one key", 2, 3, 3, 1, True),
            ("wide values", 5, 9, 6, 7, False),
        ):
            Q, K = 2 * rng.normal(size=(d_k, n)), 2 * rng.normal(size=(d_k, m))
            yield case(name, Q, K, rng.normal(size=(d_v, m)), shown=shown)

    def one_query_after_the_other(Q, K, V):
        columns = []
        for q in Q.T:
            e = np.exp(K.T @ q / len(q) ** 0.5)
            columns.append(V @ (e / e.sum()))
        return np.stack(columns, axis=1)

    def by_rows(Q, K, V):
        return (softmax(Q.T @ K / np.sqrt(K.shape[0])) @ V.T).T

    variants = [one_query_after_the_other, by_rows]
    mistakes = {
        "You divided by d_k; divide by its square root.": (
            lambda Q, K, V: V @ softmax(K.T @ Q / len(K), axis=0)
        ),
        "The scores are not divided by the square root of d_k.": (
            lambda Q, K, V: V @ softmax(K.T @ Q, axis=0)
        ),
        "You divided by the root of the number of keys; the width d_k of a key is meant.": (
            lambda Q, K, V: V @ softmax(K.T @ Q / np.sqrt(K.shape[1]), axis=0)
        ),
        "The softmax runs along the rows; a column is one query's, and its weights sum to 1.": (
            lambda Q, K, V: V @ softmax(K.T @ Q / np.sqrt(len(K)), axis=1)
        ),
        "These are the weights; multiply the values by them.": (
            lambda Q, K, V: softmax(K.T @ Q / np.sqrt(len(K)), axis=0)
        ),
        "Tokens are columns here, in the result too: return shape (d_v, n).": (
            lambda Q, K, V: (V @ softmax(K.T @ Q / np.sqrt(len(K)), axis=0)).T
        ),
    }
    explain = r"""
    $K^TQ$ has one column for each query, and in it one score for each key. Divide by
    $\sqrt{d_k}$, where $d_k$ is the number of rows of $K$, and take the softmax down each column,
    `axis=0`. Then $V$ times that matrix averages the values: column $i$ is
    $a_{i,1}v_1+\dots+a_{i,m}v_m$. With all scores equal the result is the mean of the values.
    """


def plain(q, k, v, scale=None, axis=-1):
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    return softmax(scores, axis) @ v


@question(
    id="batched-attention",
    title="Rows, heads, and large scores",
    asks="attention",
    points=2,
    section="sec-transformer-attention",
)
class BatchedAttention:
    reference = plain

    def cases(rng):
        for name, lead, n, m, d, size, shown in (
            ("one head", (1, 1), 2, 3, 4, 1, True),
            ("two sequences, three heads", (2, 3), 4, 4, 2, 1, True),
            ("scores in the thousands", (1, 2), 3, 3, 4, 60, True),
            ("scores far below zero", (1, 1), 2, 2, 4, -60, True),
            ("no axes before the tokens", (), 3, 5, 2, 1, False),
        ):
            q, k = rng.normal(size=(*lead, n, d)), rng.normal(size=(*lead, m, d))
            if size < 0:
                q, k = np.abs(q) - size, -np.abs(k) + size
            elif size > 1:
                q, k = size * q, size * k
            yield case(name, q, k, rng.normal(size=(*lead, m, d + 1)), shown=shown)

    def with_einsum(q, k, v):
        scores = np.einsum("...id,...jd->...ij", q, k) / q.shape[-1] ** 0.5
        return np.einsum("...ij,...je->...ie", softmax(scores), v)

    def with_log_sum_exp(q, k, v):
        scores = q @ np.swapaxes(k, -1, -2) * q.shape[-1] ** -0.5
        return np.exp(scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)) @ v

    def overflows(q, k, v):
        e = np.exp(q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]))
        return e / e.sum(axis=-1, keepdims=True) @ v

    def one_maximum_for_all(q, k, v):
        scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
        e = np.exp(scores - scores.max()) if scores.max() > 0 else np.exp(scores)
        return e / e.sum(axis=-1, keepdims=True) @ v

    variants = [with_einsum, with_log_sum_exp]
    mistakes = {
        "A large score overflows in exp: subtract each query's largest score first.": overflows,
        "Subtract each query's own largest score: far below the largest of all, exp gives 0 / 0.": (
            one_maximum_for_all
        ),
        "You divided by d, not by sqrt(d).": (
            lambda q, k, v: softmax(q @ np.swapaxes(k, -1, -2) / q.shape[-1]) @ v
        ),
        "The weights must sum to 1 over the keys, the last axis; yours do over the queries.": (
            lambda q, k, v: plain(q, k, v, axis=-2)
        ),
        "Divide by the root of the width of a query, not by that of a value.": (
            lambda q, k, v: softmax(q @ np.swapaxes(k, -1, -2) / np.sqrt(v.shape[-1])) @ v
        ),
    }
    explain = r"""
    `q @ np.swapaxes(k, -1, -2)` gives one score for each query and key and leaves all axes before
    them alone. Divide by the root of the width of a query. The softmax runs over the keys, the
    last axis, and subtracts each row's maximum first: the weights do not change, since numerator
    and denominator shrink alike, and no `exp` sees a number above 0.
    """


@question(
    id="attention-entropy",
    title="How sure is it?",
    asks="attention_entropy",
    points=1,
    section="sec-transformer-scale",
)
class AttentionEntropy:
    def reference(scores):
        p = softmax(scores)
        return -np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1)

    def cases(rng):
        yield case("three queries", 2 * rng.normal(size=(3, 5)))
        yield case("all keys alike", np.zeros((2, 4)))
        yield case("one key takes all", np.array([[900.0, 0.0, -5.0], [0.0, 0.0, 1200.0]]))
        yield case("a sharp head", 12 * rng.normal(size=(4, 6)), shown=False)

    def from_log_softmax(scores):
        log_p = scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)
        return -(np.exp(log_p) * log_p).sum(axis=-1)

    def from_log_sum_exp(scores):
        lse = np.logaddexp.reduce(scores, axis=-1)
        return lse - (softmax(scores) * scores).sum(axis=-1)

    def with_nan(scores):
        p = softmax(scores)
        return -np.sum(p * np.log(p), axis=-1)

    variants = [from_log_softmax, from_log_sum_exp]
    mistakes = {
        "A weight of 0 gives 0 times minus infinity, which is nan; it should add nothing.": (
            with_nan
        ),
        "The entropy is minus the sum of p log p; the sign is wrong.": (
            lambda s: np.sum(softmax(s) * np.log(np.where(softmax(s) > 0, softmax(s), 1)), axis=-1)
        ),
        "This is in bits; the natural logarithm gives nats.": (
            lambda s: (
                -np.sum(softmax(s) * np.log2(np.where(softmax(s) > 0, softmax(s), 1)), axis=-1)
            )
        ),
        "Sum over the keys; you took the mean.": (
            lambda s: (
                -np.mean(softmax(s) * np.log(np.where(softmax(s) > 0, softmax(s), 1)), axis=-1)
            )
        ),
        "Each query has an entropy of its own: return shape (N,), not one number.": (
            lambda s: -np.sum(softmax(s) * np.log(np.where(softmax(s) > 0, softmax(s), 1)))
        ),
    }
    explain = r"""
    $H=-\sum_jp_j\log p_j$ with the weights $p$ of one query. It is $\log M$ when all $M$ keys get
    the same, and 0 when one gets all. From the scores directly, $\log p_j=s_j-\mathrm{lse}(s)$ is
    finite even where $p_j$ has become 0, so that the product is 0 and not nan.
    """


def masked(q, k, v, seen):
    scores = q @ k.T / np.sqrt(q.shape[1])
    scores = np.where(seen, scores, -np.inf)
    top = scores.max(axis=1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(top), top, 0.0))
    total = e.sum(axis=1, keepdims=True)
    return e / np.where(total > 0, total, 1.0) @ v


def lower(n, m, diagonal):
    return np.tril(np.ones((n, m), bool), diagonal)


@question(
    id="causal-attention",
    title="No look ahead",
    asks="causal_attention",
    points=2,
    section="sec-transformer-masks",
)
class CausalAttention:
    def reference(q, k, v):
        return masked(q, k, v, lower(len(q), len(k), len(k) - len(q)))

    def cases(rng):
        for name, n, m, shown in (
            ("as many queries as keys", 4, 4, True),
            ("two new queries, a cache of five keys", 2, 5, True),
            ("more queries than keys", 5, 3, True),
            ("one query", 1, 4, False),
        ):
            q, k = rng.normal(size=(n, 4)), rng.normal(size=(m, 4))
            yield case(name, q, k, rng.normal(size=(m, 2)) + 1.0, shown=shown)

    def row_by_row(q, k, v):
        out = np.zeros((len(q), v.shape[1]))
        for i in range(len(q)):
            seen = i + 1 + len(k) - len(q)
            if seen > 0:
                out[i] = softmax(k[:seen] @ q[i] / q.shape[1] ** 0.5) @ v[:seen]
        return out

    def with_a_penalty(q, k, v):
        i, j = np.arange(len(q))[:, None] + len(k) - len(q), np.arange(len(k))
        scores = q @ k.T / np.sqrt(q.shape[1]) - 1e30 * (j > i)
        return np.where(i >= 0, softmax(scores) @ v, 0.0)

    def nan_rows(q, k, v):
        seen = lower(len(q), len(k), len(k) - len(q))
        scores = np.where(seen, q @ k.T / np.sqrt(q.shape[1]), -np.inf)
        with np.errstate(invalid="ignore"):
            return softmax(scores) @ v

    def after_the_softmax(q, k, v):
        weights = softmax(q @ k.T / np.sqrt(q.shape[1]))
        return np.where(lower(len(q), len(k), len(k) - len(q)), weights, 0.0) @ v

    def zero_scores(q, k, v):
        seen = lower(len(q), len(k), len(k) - len(q))
        weights = softmax(np.where(seen, q @ k.T / np.sqrt(q.shape[1]), 0.0))
        return np.where(seen.any(axis=1, keepdims=True), weights @ v, 0.0)

    variants = [row_by_row, with_a_penalty]
    mistakes = {
        "The last query stands beside the last key; you aligned the first ones.": (
            lambda q, k, v: masked(q, k, v, lower(len(q), len(k), 0))
        ),
        "A token may look at itself; you hid it.": (
            lambda q, k, v: masked(q, k, v, lower(len(q), len(k), len(k) - len(q) - 1))
        ),
        "This hides the past; the future is to be hidden.": (
            lambda q, k, v: masked(q, k, v, ~lower(len(q), len(k), len(k) - len(q) - 1))
        ),
        "A query that sees no key should get 0; a softmax over nothing is nan.": nan_rows,
        "You hid weights after the softmax, so that a row no longer sums to 1.": after_the_softmax,
        "A hidden score of 0 still has weight exp(0) = 1; it should be minus infinity.": (
            zero_scores
        ),
    }
    explain = r"""
    Query $i$ of $N$ has place $i+M-N$ among the $M$ keys, so it sees keys $j\le i+M-N$. Put minus
    infinity in place of the other scores before the softmax. With more queries than keys the first
    rows see nothing: subtract 0 instead of a maximum of minus infinity, divide by 1 instead of 0,
    and their output is 0.
    """
