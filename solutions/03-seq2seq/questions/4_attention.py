"""Attention: weights that skip the padding, and the additive score."""

import torch
from torch import nn

from coursekit.grading import case, question


def masked(fill=-torch.inf, after=False, rescue=True, axis=-1, inclusive=False):
    """Softmax over what is real; a mistake treats padding otherwise."""

    def attention_weights(scores, lengths):
        N = scores.shape[-1]
        places = torch.arange(N)
        real = places <= lengths[:, None] if inclusive else places < lengths[:, None]
        if after:
            return scores.softmax(axis) * real
        weights = scores.masked_fill(~real, fill).softmax(axis)
        return torch.where(lengths[:, None] > 0, weights, 0.0) if rescue else weights

    return attention_weights


@question(
    id="masked-attention",
    title="Do not look at the padding",
    asks="attention_weights",
    points=2,
    section="sec-seq2seq-attention",
)
class MaskedAttention:
    reference = masked()

    def cases(rng):
        def draw(B, N):
            return torch.tensor(rng.normal(size=(B, N)) * 2, dtype=torch.float32)

        yield case("all real", draw(2, 3), torch.tensor([3, 3]))
        yield case("two lengths", draw(2, 4), torch.tensor([4, 2]))
        yield case("a row of padding only", draw(3, 3), torch.tensor([2, 0, 1]))
        yield case("scores of a thousand", draw(2, 4) * 500, torch.tensor([3, 4]))
        lengths = torch.tensor([int(n) for n in rng.integers(0, 7, size=8)])
        yield case("a batch", draw(8, 6), lengths, shown=False)

    def row_by_row(scores, lengths):
        weights = torch.zeros_like(scores)
        for row, n in enumerate(lengths.tolist()):
            if n:
                weights[row, :n] = torch.softmax(scores[row, :n], dim=0)
        return weights

    def with_exponentials(scores, lengths):
        real = (torch.arange(scores.size(1))[None] < lengths[:, None]).to(scores.dtype)
        top = (scores * real + (real - 1) * 1e9).max(dim=1, keepdim=True).values.clamp(min=-1e8)
        e = torch.exp((scores - top).clamp(max=0)) * real
        return e / e.sum(1, keepdim=True).clamp(min=1e-30)

    variants = [row_by_row, with_exponentials]
    mistakes = {
        "You masked after the softmax: the weights no longer sum to 1.": masked(after=True),
        "A score of 0 is not nothing: padding needs minus infinity.": masked(fill=0.0),
        "A row of padding only gives nan; its weights are to be 0.": masked(rescue=False),
        "The softmax runs over the places of one sentence, the last axis.": masked(axis=0),
        "A sentence of length n has the places 0 to n - 1; yours has one more.": masked(
            inclusive=True
        ),
    }
    explain = r"""
    Put $-\infty$ where `arange(N) >= length`, then take the softmax over the last axis: what is
    masked gets exactly 0 and the others share 1. Where nothing is real the softmax is 0/0, so set
    that row to 0.
    """


def additive(squash=torch.tanh, weigh=lambda w, keys: w @ keys, axis=-1, add=True, both=False):
    """Additive attention for one query; a mistake changes a part."""

    def additive_attention(query, keys, W_q, W_k, v):
        left, right = query @ W_q.T, keys @ W_k.T  # (A,), (N, A)
        scores = squash(left + right if add else left * right) @ v  # (N,)
        weights = torch.softmax(scores, dim=axis) if not both else scores
        return weigh(weights, keys), weights

    return additive_attention


@question(
    id="additive-attention",
    title="Additive attention",
    asks="additive_attention",
    points=2,
    section="sec-seq2seq-attention",
)
class AdditiveAttention:
    reference = additive()

    def cases(rng):
        def draw(*shape):
            return torch.tensor(rng.normal(size=shape), dtype=torch.float32)

        for name, Q, K, A, N, shown in (
            ("two keys", 2, 2, 2, 2, True),
            ("four keys", 3, 2, 5, 4, True),
            ("many keys", 4, 6, 8, 20, False),
        ):
            yield case(name, draw(Q), draw(N, K), draw(A, Q), draw(A, K), draw(A), shown=shown)

    def key_by_key(query, keys, W_q, W_k, v):
        scores = torch.stack([v.dot(torch.tanh(W_q.mv(query) + W_k.mv(k))) for k in keys])
        e = torch.exp(scores)
        weights = e / e.sum()
        return sum(w * k for w, k in zip(weights, keys, strict=True)), weights

    def with_linear(query, keys, W_q, W_k, v):
        hidden = nn.functional.linear(query[None], W_q) + nn.functional.linear(keys, W_k)
        weights = torch.einsum("na,a->n", hidden.tanh(), v).softmax(0)
        return torch.einsum("n,nk->k", weights, keys), weights

    def turned_around(query, keys, W_q, W_k, v):
        return additive()(query, keys, W_q, W_k, v)[::-1]

    variants = [key_by_key, with_linear]
    mistakes = {
        "The tanh is missing: without it the score of a key would not depend on the query.": (
            additive(squash=lambda z: z)
        ),
        "Query and key are added, as the name says; you multiplied.": additive(add=False),
        "Scores are not weights yet: take the softmax over the keys.": additive(both=True),
        "The context is the sum of the keys times their weights, not their mean.": additive(
            weigh=lambda w, keys: keys.mean(0)
        ),
        "Return the context first, then the weights.": turned_around,
    }
    explain = r"""
    $e_j=v^\top\tanh(W_q s+W_k h_j)$ for each key, weights $\alpha=\operatorname{softmax}(e)$,
    context $\sum_j\alpha_jh_j$. With $v=0$ all weights are equal and the context is the mean.
    """
