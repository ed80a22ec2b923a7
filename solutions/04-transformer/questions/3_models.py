"""Whole models: what they hold and cost, what they are asked, what may come after."""

import numpy as np

from coursekit.grading import case, question


@question(
    id="count-gpt2",
    title="Count GPT-2",
    asks="gpt2_parameters",
    points=1,
    section="sec-transformer-counting",
)
class CountGpt2:
    def reference(vocab, context, d, layers):
        block = 12 * d * d + 13 * d
        return (vocab + context) * d + layers * block + 2 * d

    def cases(rng):
        yield case("GPT-2", 50_257, 1024, 768, 12)
        yield case("GPT-2 medium", 50_257, 1024, 1024, 24)
        yield case("one layer", 100, 16, 8, 1)
        yield case("no layer", 7, 5, 3, 0)
        sizes = (int(n) for n in rng.integers(2, 60, size=4))
        yield case("any other", *sizes, shown=False)

    def matrix_by_matrix(vocab, context, d, layers):
        attention = 4 * (d * d + d)
        feed_forward = d * 4 * d + 4 * d + 4 * d * d + d
        return vocab * d + context * d + layers * (attention + feed_forward + 4 * d) + 2 * d

    def from_shapes(vocab, context, d, layers):
        block = [(3 * d, d), (3 * d,), (d, d), (d,), (4 * d, d), (4 * d,), (d, 4 * d), (d,)]
        shapes = [(vocab, d), (context, d), (d,), (d,), *layers * (block + 4 * [(d,)])]
        return sum(int(np.prod(shape)) for shape in shapes)

    variants = [matrix_by_matrix, from_shapes]
    mistakes = {
        "The output layer is the embedding table again: count it once.": (
            lambda v, c, d, L: (2 * v + c) * d + L * (12 * d * d + 13 * d) + 2 * d
        ),
        "The biases are missing: every matrix of a block has one.": (
            lambda v, c, d, L: (v + c) * d + L * (12 * d * d + 4 * d) + 2 * d
        ),
        "The norms are missing: two in each block, with scale and shift, and one at the end.": (
            lambda v, c, d, L: (v + c) * d + L * (12 * d * d + 9 * d)
        ),
        "The last norm, behind all blocks, is missing.": (
            lambda v, c, d, L: (v + c) * d + L * (12 * d * d + 13 * d)
        ),
        "The learned positions are missing: one vector for each place of the context.": (
            lambda v, c, d, L: v * d + L * (12 * d * d + 13 * d) + 2 * d
        ),
        "Attention has four matrices, that of the output among them; you counted three.": (
            lambda v, c, d, L: (v + c) * d + L * (11 * d * d + 12 * d) + 2 * d
        ),
    }
    explain = r"""
    A block has four matrices $d\times d$ in attention and two of $d\times4d$ in the feed-forward
    part: $12d^2$. Their biases are $4d+4d+d=9d$, the two norms $4d$: $13d$. In front stand the two
    tables, $(V+T)d$, and behind a last norm, $2d$. The output layer shares the token table. With
    $V=50257$, $T=1024$, $d=768$ and 12 layers that is 124,439,808.
    """


def attention_flops(n, d):
    return 8 * n * d * d + 4 * n * n * d


@question(
    id="crossing",
    title="Where the lines cross",
    asks="costs",
    points=2,
    section="sec-transformer-cost",
)
class Crossing:
    def reference(n, d):
        return attention_flops(n, d), 16 * n * d * d, 2 * d

    def cases(rng):
        yield case("a short sentence", 10, 64)
        yield case("at the crossing", 128, 64)
        yield case("a long document", 20_000, 256)
        yield case("any other", int(rng.integers(2, 900)), int(rng.integers(2, 90)), shown=False)

    def product_by_product(n, d):
        def product(a, b, c):
            return 2 * a * b * c

        attention = 4 * product(n, d, d) + product(n, d, n) + product(n, n, d)
        lstm = sum(4 * (product(1, d, d) + product(1, d, d)) for _ in range(n))
        return attention, lstm, 2 * d

    def in_powers(n, d):
        return 4 * n * d * (n + 2 * d), n * (4 * d) ** 2, d + d

    variants = [product_by_product, in_powers]
    mistakes = {
        "A multiplication with its addition counts as two operations.": (
            lambda n, d: (attention_flops(n, d) // 2, 8 * n * d * d, 2 * d)
        ),
        "The four projections of attention are missing; each is n times d times d.": (
            lambda n, d: (4 * n * n * d, 16 * n * d * d, 4 * d)
        ),
        "Attention multiplies twice with n by n: the scores, and the average of the values.": (
            lambda n, d: (8 * n * d * d + 2 * n * n * d, 16 * n * d * d, 4 * d)
        ),
        "An LSTM has two matrices a gate: one for the input, one for the state.": (
            lambda n, d: (attention_flops(n, d), 8 * n * d * d, 0)
        ),
        "The recurrent layer is not free: it costs n times d squared, not O(1).": (
            lambda n, d: (attention_flops(n, d), 16 * d * d, 2 * d)
        ),
    }
    explain = r"""
    A product of an $a\times b$ and a $b\times c$ matrix takes $2abc$ operations. Attention has four
    projections, $8nd^2$, and two products with an $n\times n$ matrix, $4n^2d$. An LSTM has eight
    matrices $d\times d$, at each of $n$ steps: $16nd^2$. They are equal where $4n^2d=8nd^2$, at
    $n=2d$: below that length attention is the cheaper one even in plain operations.
    """


@question(
    id="hide-tokens",
    title="Hide tokens as BERT does",
    asks="hide_tokens",
    points=1,
    section="sec-transformer-bert",
)
class HideTokens:
    def reference(ids, chosen, how, random_ids, mask_id):
        hidden = np.where(chosen & (how < 0.8), mask_id, ids)
        hidden = np.where(chosen & (how >= 0.9), random_ids, hidden)
        return hidden, np.where(chosen, ids, -100)

    def cases(rng):
        def draws(n, share):
            ids, other = rng.integers(4, 40, size=n), rng.integers(40, 80, size=n)
            return ids, rng.random(n) < share, rng.random(n), other

        ids, _, _, other = draws(6, 0.5)
        how = np.array([0.1, 0.79, 0.85, 0.95, 0.5, 0.95])
        picked = np.array([True, True, True, True, False, False])
        yield case("one of each kind", ids, picked, how, other, 3)
        yield case("a sentence", *draws(20, 0.5), 3)
        yield case("nothing chosen", *draws(5, 0.0), 3)
        yield case("everything chosen", *draws(40, 1.0), 99, shown=False)

    def token_by_token(ids, chosen, how, random_ids, mask_id):
        hidden, targets = ids.copy(), np.full_like(ids, -100)
        for i in np.flatnonzero(chosen):
            targets[i] = ids[i]
            if how[i] < 0.8:
                hidden[i] = mask_id
            elif how[i] >= 0.9:
                hidden[i] = random_ids[i]
        return hidden, targets

    def with_select(ids, chosen, how, random_ids, mask_id):
        picked = [~chosen, how < 0.8, how < 0.9]
        hidden = np.select(picked, [ids, np.full_like(ids, mask_id), ids], random_ids)
        targets = ids.copy()
        targets[~chosen] = -100
        return hidden, targets

    variants = [token_by_token, with_select]
    mistakes = {
        "Only four fifths of the chosen tokens become the mask; you hid them all.": (
            lambda ids, c, how, r, m: (np.where(c, m, ids), np.where(c, ids, -100))
        ),
        "The loss asks at chosen places only: elsewhere the target is -100.": (
            lambda ids, c, how, r, m: (
                np.where(c & (how >= 0.9), r, np.where(c & (how < 0.8), m, ids)),
                ids,
            )
        ),
        "A chosen token that stays visible is asked for all the same.": (
            lambda ids, c, how, r, m: (
                np.where(c & (how >= 0.9), r, np.where(c & (how < 0.8), m, ids)),
                np.where(c & ((how < 0.8) | (how >= 0.9)), ids, -100),
            )
        ),
        "The target is the token that stood there, not the one that replaced it.": (
            lambda ids, c, how, r, m: (
                np.where(c & (how >= 0.9), r, np.where(c & (how < 0.8), m, ids)),
                np.where(c, np.where(how >= 0.9, r, ids), -100),
            )
        ),
        "Tokens that were not chosen stay as they are.": (
            lambda ids, c, how, r, m: (
                np.where(how >= 0.9, r, np.where(how < 0.8, m, ids)),
                np.where(c, ids, -100),
            )
        ),
    }
    explain = r"""
    Three masks do it: chosen and below 0.8 becomes the mask, chosen and from 0.9 on a random token,
    and the tenth between them stays. Targets are the old tokens at all chosen places, the visible
    tenth among them, and -100 elsewhere, which the loss passes over.
    """


@question(
    id="induction-score",
    title="Find the induction head",
    asks="induction_scores",
    points=1,
    section="sec-transformer-induction",
)
class InductionScores:
    def reference(weights, period):
        i = np.arange(period, weights.shape[-1])
        return weights[:, i, i - period + 1].mean(axis=-1)

    def cases(rng):
        def heads(h, n):
            raw = np.tril(rng.random((h, n, n)) + 0.05)
            return raw / raw.sum(axis=-1, keepdims=True)

        yield case("two heads", heads(2, 7), 3)
        yield case("a period of one", heads(1, 5), 1)
        perfect = np.zeros((2, 8, 8))
        places = np.arange(8)
        perfect[0, places, np.maximum(places - 3, 0)] = 1.0
        perfect[1, places, np.maximum(places - 1, 0)] = 1.0
        yield case("a perfect head and one that looks one back", perfect, 4)
        yield case("many heads", heads(6, 12), 5, shown=False)

    def with_diagonals(weights, period):
        return np.array([np.diagonal(w, 1 - period)[1:].mean() for w in weights])

    def with_loops(weights, period):
        h, n, _ = weights.shape
        out = np.zeros(h)
        for i in range(period, n):
            out += weights[:, i, i - period + 1] / (n - period)
        return out

    variants = [with_diagonals, with_loops]
    mistakes = {
        "You scored the same token last time; an induction head looks one place after it.": (
            lambda w, p: np.array([np.diagonal(a, -p).mean() for a in w])
        ),
        "Take the mean over the places from the period on, where there was a last time.": (
            lambda w, p: np.array([np.diagonal(a, 1 - p).mean() for a in w])
        ),
        "You added the weights up; divide by the number of places.": (
            lambda w, p: np.array([np.diagonal(a, 1 - p)[1:].sum() for a in w])
        ),
        "Each head has a score of its own: return shape (H,), not one number.": (
            lambda w, p: float(np.mean([np.diagonal(a, 1 - p)[1:].mean() for a in w]))
        ),
        "Rows are the places that look, columns the places looked at; you took them crosswise.": (
            lambda w, p: np.array([np.diagonal(a, p - 1)[1:].mean() for a in w])
        ),
    }
    explain = r"""
    At place $i$ the same token stood at $i-P$, with the period $P$, and what followed it stands at
    $i-P+1$. The score is the mean of that weight over the places $i\ge P$, where there is a last
    time. In each head's matrix these weights lie on one diagonal.
    """


@question(
    id="route",
    title="Wake two experts",
    asks="route",
    points=1,
    section="sec-transformer-experts",
)
class Route:
    def reference(scores, k):
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        top = np.take_along_axis(scores, order, axis=1)
        e = np.exp(top - top.max(axis=1, keepdims=True))
        out = np.zeros_like(scores)
        np.put_along_axis(out, order, e / e.sum(axis=1, keepdims=True), axis=1)
        return out

    def cases(rng):
        yield case("three tokens, four experts", rng.normal(size=(3, 4)), 2)
        yield case("one expert each", rng.normal(size=(4, 3)), 1)
        yield case("all experts", rng.normal(size=(2, 3)), 3)
        yield case("scores below zero", rng.normal(size=(3, 5)) - 900.0, 2)
        yield case("many", 3 * rng.normal(size=(9, 8)), 3, shown=False)

    def with_minus_infinity(scores, k):
        least = np.sort(scores, axis=1)[:, -k, None]
        kept = np.where(scores >= least, scores, -np.inf)
        e = np.exp(kept - kept.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def token_by_token(scores, k):
        out = np.zeros(scores.shape)
        for row, s in zip(out, scores, strict=True):
            best = np.argpartition(s, -k)[-k:]
            row[best] = np.exp(s[best] - np.logaddexp.reduce(s[best]))
        return out

    def weights(shares):
        def answer(scores, k):
            kept = scores >= np.sort(scores, axis=1)[:, -k, None]
            return shares(scores, kept)

        return answer

    def of_all(scores, kept):
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.where(kept, e / e.sum(axis=1, keepdims=True), 0.0)

    def zeros_count(scores, kept):
        kept_scores = np.where(kept, scores, 0.0)
        e = np.exp(kept_scores - kept_scores.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    softmax_first = weights(of_all)
    even = weights(lambda s, kept: kept / kept.sum(axis=1, keepdims=True))
    zeroed = weights(zeros_count)
    del weights, of_all, zeros_count

    def everyone(scores, k):
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    variants = [with_minus_infinity, token_by_token]
    mistakes = {
        "The softmax runs over the chosen experts only; your weights do not sum to 1.": (
            softmax_first
        ),
        "The better expert counts more: softmax of the scores, not equal shares.": even,
        "An expert that sleeps must weigh 0; a score of 0 does not give that.": zeroed,
        "Only the k best experts wake; you woke them all.": everyone,
        "You took the experts with the lowest scores.": (
            lambda scores, k: np.where(
                scores <= np.sort(scores, axis=1)[:, k - 1, None],
                1.0 / k,
                0.0,
            )
        ),
    }
    explain = r"""
    Find each token's $k$ best scores, take the softmax of these alone, and write the shares back to
    their experts' places; all others are 0. Putting minus infinity in place of the other scores
    and taking one softmax gives the same.
    """


def phi(x):
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


@question(
    id="linear-attention",
    title="Attention as a recurrence",
    asks="linear_attention",
    points=3,
    section="sec-transformer-after",
)
class LinearAttention:
    def reference(q, k, v):
        weights = np.tril(phi(q) @ phi(k).T)
        out = weights @ v / weights.sum(axis=1, keepdims=True)
        return out, phi(k).T @ v, phi(k).sum(axis=0)

    def cases(rng):
        for name, n, d, e, shown in (
            ("three tokens", 3, 2, 2, True),
            ("one token", 1, 3, 2, True),
            ("wide values", 4, 2, 5, True),
            ("many tokens", 12, 4, 3, False),
        ):
            yield case(
                *(name, rng.normal(size=(n, d)), rng.normal(size=(n, d)), rng.normal(size=(n, e))),
                shown=shown,
            )

    def step(q, k, v, read_first=False, norm=True, keys=phi, queries=phi, keep=1.0):
        S, z, out = np.zeros((k.shape[1], v.shape[1])), np.zeros(k.shape[1]), []
        for t in range(len(q)):
            if read_first:
                read = queries(q[t]) @ S / max(queries(q[t]) @ z, 1e-9)
            S, z = keep * S + np.outer(keys(k[t]), v[t]), keep * z + keys(k[t])
            if not read_first:
                read = queries(q[t]) @ S / (queries(q[t]) @ z if norm else 1.0)
            out.append(read)
        return np.array(out), S, z

    def token_by_token(q, k, v, step=step):
        return step(q, k, v)

    def with_cumulative_sums(q, k, v):
        S = np.cumsum(phi(k)[:, :, None] * v[:, None, :], axis=0)
        z = np.cumsum(phi(k), axis=0)
        out = np.einsum("td,tde->te", phi(q), S) / np.einsum("td,td->t", phi(q), z)[:, None]
        return out, S[-1], z[-1]

    def reads_before_it_writes(q, k, v, step=step):
        return step(q, k, v, read_first=True)

    def not_normed(q, k, v, step=step):
        return step(q, k, v, norm=False)

    def raw_queries(q, k, v, step=step):
        return step(q, k, v, queries=lambda x: x)

    def forgets(q, k, v, step=step):
        return step(q, k, v, keep=0.0)

    def not_causal(q, k, v):
        weights = phi(q) @ phi(k).T
        out = weights @ v / weights.sum(axis=1, keepdims=True)
        return out, phi(k).T @ v, phi(k).sum(axis=0)

    del step

    variants = [token_by_token, with_cumulative_sums]
    mistakes = {
        "A token sees itself too: write its key and value into S and z before you read.": (
            reads_before_it_writes
        ),
        "Divide by phi(q) z, so that the weights sum to 1.": not_normed,
        "The query goes through phi as well.": raw_queries,
        "S and z are sums over all tokens so far; you kept the last one only.": forgets,
        "Every token sees all the others here; only those before it may count.": not_causal,
    }
    explain = r"""
    Start with $S=0$, of shape (D, E), and $z=0$. For each token add $\phi(k_t)v_t^T$ to $S$ and
    $\phi(k_t)$ to $z$, then read $\phi(q_t)^TS\,/\,\phi(q_t)^Tz$. The sum over the past has moved
    into the state, whose size does not depend on how long the past is: a recurrent network, written
    as attention.
    """


@question(
    id="head-hunt",
    title="What is this head for?",
    asks="findings",
    points=6,
    section="sec-transformer-translation",
    kind="manual",
)
class HeadHunt:
    rubric = [
        (1, "states a guess that a picture suggests, and a number that would refute it"),
        (1, "scores all heads with that number on sentences not used for the guess"),
        (2, "switches the head off, and as a control others, and measures what translation loses"),
        (1, "gives the spread over sentences or seeds and says how sure the finding is"),
        (1, "says what the attention weights do not show, and what would change the conclusion"),
    ]
    explain = r"""
    A picture gives a guess; it proves nothing. Turn the guess into a score for a head, such as the
    share of weight on the aligned source word, and compute it for all heads. Then take the head
    away: set its part of the input to the output matrix to 0, and translate the held-out sentences.
    If other heads cost as much, the first was not special. Weights say where a head looks, and not
    what the values carried.
    """
