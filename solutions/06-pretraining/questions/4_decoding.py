"""Writing: the nucleus, the cache and its bytes, guessing ahead."""

import numpy as np

from coursekit.grading import case, question


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def renormalised(p, keep):
    kept = np.where(keep, p, 0.0)
    return kept / kept.sum()


def nucleus(logits, share):
    p = softmax(logits)
    order = np.argsort(-p, kind="stable")
    keep = np.zeros(len(p), bool)
    keep[order[: np.searchsorted(np.cumsum(p[order]), share) + 1]] = True
    return renormalised(p, keep)


@question(
    id="top-p",
    title="The nucleus",
    asks="top_p",
    points=2,
    section="sec-pretraining-decoding",
)
class TopP:
    reference = nucleus

    def cases(rng):
        yield case("four tokens", np.log([0.3, 0.45, 0.05, 0.2]), 0.7)
        yield case("a sure model", np.array([0.0, 9.0, 1.0, 2.0]), 0.5)
        yield case("an unsure model", np.array([0.2, 0.1, 0.0, 0.3, 0.25]), 0.9)
        yield case("logits in the thousands", np.array([3000.0, 2999.0, 2998.5, 0.0]), 0.8)
        yield case("drawn", 2 * rng.normal(size=12), 0.85, shown=False)
        yield case("a smaller share", 2 * rng.normal(size=9), 0.6, shown=False)

    def one_after_the_other(logits, share):
        p, kept, total = softmax(logits), [], 0.0
        for i in sorted(range(len(p)), key=lambda i: -p[i]):
            kept.append(i)
            total += p[i]
            if total >= share:
                break
        out = np.zeros(len(p))
        out[kept] = p[kept] / total
        return out

    def by_what_is_before(logits, share):
        p = softmax(logits)
        before = np.array([p[(p > x)].sum() for x in p])
        return renormalised(p, before < share)

    def drops_the_last(logits, share):
        p = softmax(logits)
        order = np.argsort(-p)
        n = max(1, int((np.cumsum(p[order]) <= share).sum()))
        return renormalised(p, np.isin(np.arange(len(p)), order[:n]))

    def one_too_many(logits, share):
        p = softmax(logits)
        order = np.argsort(-p)
        n = int((np.cumsum(p[order]) < share).sum()) + 2
        return renormalised(p, np.isin(np.arange(len(p)), order[:n]))

    def not_normed(logits, share):
        return np.where(nucleus(logits, share) > 0, softmax(logits), 0.0)

    def sorted_away(logits, share):
        return np.sort(nucleus(logits, share))[::-1]

    def of_the_greatest(logits, share):
        p = softmax(logits)
        return renormalised(p, p >= (1 - share) * p.max())

    def rarest_first(logits, share):
        p = softmax(logits)
        order = np.argsort(p)
        n = int((np.cumsum(p[order]) < share).sum()) + 1
        return renormalised(p, np.isin(np.arange(len(p)), order[:n]))

    variants = [one_after_the_other, by_what_is_before]
    mistakes = {
        "The token that crosses the share is kept too; without it the nucleus is too small.": (
            drops_the_last
        ),
        "One token too many: stop as soon as the share is reached.": one_too_many,
        "What is kept must sum to 1 again.": not_normed,
        "Each token keeps its place: your result is sorted.": sorted_away,
        "You compared each token with the likeliest, which is min-p; add up probabilities here.": (
            of_the_greatest
        ),
        "Start with the likeliest token; you started with the rarest.": rarest_first,
    }
    explain = r"""
    Sort the probabilities, the greatest first, and add them up until the sum reaches the share. The
    token that reaches it belongs to the nucleus. With 0.45, 0.3, 0.2, 0.05 and a share of 0.7 two
    tokens are kept, 0.75 together, and become 0.6 and 0.4, each in its own place.
    """


class Reference:
    def __init__(self):
        self.keys, self.values = [], []

    def step(self, q, k, v):
        self.keys.append(k)
        self.values.append(v)
        weights = softmax(np.stack(self.keys) @ q / np.sqrt(len(q)))
        return weights @ np.stack(self.values)


@question(
    id="cached-head",
    title="A head that remembers",
    asks="CachedHead",
    points=2,
    section="sec-pretraining-cache",
)
class CachedHead:
    reference = Reference

    def driver(answer, tokens):
        from coursekit.grading.drivers import use_object

        return use_object(answer, [("step", *token) for token in tokens])

    def cases(rng):
        for name, n, d, e, size, shown in (
            ("one token", 1, 4, 2, 1.0, True),
            ("four tokens", 4, 4, 3, 1.0, True),
            ("scores in the thousands", 3, 2, 2, 50.0, True),
            ("ten tokens", 10, 3, 4, 2.0, False),
        ):
            q, k = (size * rng.normal(size=(n, d)) for _ in "qk")
            if size > 2:  # each score far above what exp can take
                q, k = np.abs(q) + size, np.abs(k) + size
            yield case(name, list(zip(q, k, rng.normal(size=(n, e)), strict=True)), shown=shown)

    class WithArrays:
        def __init__(self):
            self.table = None

        def step(self, q, k, v):
            row = np.concatenate([k, v])[None]
            self.table = row if self.table is None else np.vstack([self.table, row])
            scores = self.table[:, : len(k)] @ q * len(q) ** -0.5
            return np.exp(scores - np.logaddexp.reduce(scores)) @ self.table[:, len(k) :]

    class OnlineSoftmax:
        def __init__(self):
            self.pairs = []

        def step(self, q, k, v):
            self.pairs = [*self.pairs, (k, v)]
            top, total, mean = -np.inf, 0.0, 0.0 * v
            for key, value in self.pairs:
                score = float(key @ q) / len(q) ** 0.5
                new = max(top, score)
                share = np.exp(score - new)
                total = total * np.exp(top - new) + share
                mean = mean + share / total * (value - mean)
                top = new
            return mean

    class AnswersFirst(Reference):
        def step(self, q, k, v):
            out = (
                v
                if not self.keys
                else softmax(np.stack(self.keys) @ q / np.sqrt(len(q))) @ np.stack(self.values)
            )
            self.keys.append(k)
            self.values.append(v)
            return out

    class Shared(Reference):
        made = []

        def __init__(self):
            super().__init__()
            if len(self.made) % 2:  # a case makes two objects: the second finds what the first kept
                self.keys, self.values = self.made[-1].keys, self.made[-1].values
            self.made.append(self)

    class Unscaled(Reference):
        def step(self, q, k, v):
            return super().step(q * np.sqrt(len(q)), k, v)

    class Forgets(Reference):
        def step(self, q, k, v):
            self.keys, self.values = [], []
            return super().step(q, k, v)

    class Overflows(Reference):
        def step(self, q, k, v):
            super().step(q, k, v)
            e = np.exp(np.stack(self.keys) @ q / np.sqrt(len(q)))
            return e / e.sum() @ np.stack(self.values)

    class Swapped(Reference):
        def step(self, q, k, v):
            return super().step(k, q, v)

    variants = [WithArrays, OnlineSoftmax]
    mistakes = {
        "A token looks at itself too: keep its key and value before you answer.": AnswersFirst,
        "Two heads share what they keep: make the lists in __init__, not in the class.": Shared,
        "Divide the scores by the root of the width of a key.": Unscaled,
        "Each step sees its own token only; keep the keys and values of all before.": Forgets,
        "A large score overflows in exp: subtract the largest first.": Overflows,
        "You kept queries; keys are kept, and only the newest query asks.": Swapped,
    }
    explain = r"""
    Two lists, made in `__init__`. A step appends its key and its value, scores its query against
    every key kept, divides by $\sqrt{D}$, takes the softmax and averages the values. Earlier
    queries are never needed again, and so are not kept. The first step returns its own value.
    """


@question(
    id="conversations",
    title="How many at once?",
    asks="conversations",
    points=1,
    section="sec-pretraining-cache",
)
class Conversations:
    def reference(memory, weights, layers, heads, kv_heads, d_model, tokens, itemsize):
        each = 2 * layers * kv_heads * (d_model // heads) * tokens * itemsize
        return (memory - weights) // each

    def cases(rng):
        yield case("as many heads of keys", 4_000_000, 1_000_000, 4, 8, 8, 64, 100, 4)
        yield case("grouped heads", 80 * 10**9, 16 * 10**9, 32, 32, 8, 4096, 8192, 2)
        yield case("one head of keys", 10**9, 10**8, 12, 12, 1, 768, 1000, 2)
        layers, groups = int(rng.integers(16, 80)), int(rng.integers(1, 4))
        yield case(
            "drawn", 140 * 10**9, 20 * 10**9, layers, 32, 4 * groups, 4096, 3000, 2, shown=False
        )

    def by_tokens(memory, weights, layers, heads, kv_heads, d_model, tokens, itemsize):
        width = kv_heads * d_model // heads
        per_token = itemsize * layers * (width + width)
        return int((memory - weights) / (per_token * tokens))

    def counting(memory, weights, layers, heads, kv_heads, d_model, tokens, itemsize):
        keys = np.prod([layers, kv_heads, d_model // heads, tokens], dtype=object) * itemsize
        return (memory - weights - (memory - weights) % (2 * keys)) // (2 * keys)

    def of_heads(memory, weights, layers, heads, kv_heads, d_model, tokens, itemsize, factor=2):
        return (memory - weights) // (factor * layers * d_model * tokens * itemsize)

    def keys_only(memory, weights, layers, heads, kv_heads, d_model, tokens, itemsize):
        return (memory - weights) // (layers * kv_heads * (d_model // heads) * tokens * itemsize)

    def no_weights(memory, weights, layers, heads, kv_heads, d_model, tokens, itemsize):
        return memory // (2 * layers * kv_heads * (d_model // heads) * tokens * itemsize)

    def wide_heads(memory, weights, layers, heads, kv_heads, d_model, tokens, itemsize):
        return (memory - weights) // (2 * layers * kv_heads * d_model * tokens * itemsize)

    def one_layer(memory, weights, layers, heads, kv_heads, d_model, tokens, itemsize):
        return (memory - weights) // (2 * kv_heads * (d_model // heads) * tokens * itemsize)

    variants = [by_tokens, counting]
    mistakes = {
        "Only heads of keys are kept, kv_heads of them; the queries' heads are not.": of_heads,
        "Keys and values are kept: twice as many bytes.": keys_only,
        "The model itself takes memory: subtract its weights first.": no_weights,
        "A head is d_model / heads wide, not d_model.": wide_heads,
        "Every layer keeps its own keys and values.": one_layer,
    }
    explain = r"""
    A token keeps a key and a value in every layer and head of keys, each `d_model // heads` numbers
    wide: $2LGD$ numbers. Times the tokens and the bytes of a number, this is one conversation. What
    the weights leave free, divided by it and rounded down, is the answer. With 32 layers, 8 heads
    of keys of width 128 and 2 bytes a token takes 131,072 bytes.
    """


def checked(p, q):
    accept = np.where(q > 0, np.minimum(1.0, p / np.where(q > 0, q, 1.0)), 1.0)
    more = np.maximum(p - q, 0.0)
    return accept, np.minimum(p, q).sum(), more / more.sum() if more.sum() > 0 else p


@question(
    id="check-a-guess",
    title="To accept or to refuse",
    asks="check_guess",
    points=3,
    section="sec-pretraining-speculative",
)
class CheckAGuess:
    reference = checked

    def cases(rng):
        yield case("two tokens", np.array([0.5, 0.5]), np.array([0.8, 0.2]))
        yield case("a token never guessed", np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.4, 0.0]))
        yield case("the same model", np.array([0.25, 0.75]), np.array([0.25, 0.75]))
        yield case("nothing in common", np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.5, 0.5]))
        for name in ("drawn", "drawn again"):
            yield case(name, rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(5)), shown=False)

    def token_by_token(p, q):
        accept, rate, more = np.ones(len(p)), 0.0, np.zeros(len(p))
        for x in range(len(p)):
            if q[x] > p[x]:
                accept[x] = p[x] / q[x]
            rate += q[x] * accept[x]
            more[x] = p[x] - q[x] * accept[x]
        return accept, rate, more / (1 - rate) if not np.array_equal(p, q) else p

    def by_distance(p, q):
        gap = p - q
        accept = 1.0 + np.divide(np.minimum(gap, 0), q, out=np.zeros(len(q)), where=q > 0)
        distance = np.abs(gap).sum() / 2
        return accept, 1 - distance, np.clip(gap, 0, None) / distance if distance else p

    def upside_down(p, q):
        _, rate, rest = checked(p, q)
        return np.minimum(1.0, q / np.where(p > 0, p, 1e-300)), rate, rest

    def not_capped(p, q):
        _, rate, rest = checked(p, q)
        return p / np.where(q > 0, q, np.where(p > 0, 1e-300, 1.0)), rate, rest

    def rate_of_agreement(p, q):
        accept, _, rest = checked(p, q)
        return accept, (p * q).sum(), rest

    def mean_of_tokens(p, q):
        accept, _, rest = checked(p, q)
        return accept, accept.mean(), rest

    def draws_anew(p, q):
        accept, rate, _ = checked(p, q)
        return accept, rate, p

    def not_normed(p, q):
        accept, rate, rest = checked(p, q)
        return accept, rate, rest if rate == 1 else np.maximum(p - q, 0.0)

    def nan_for_equals(p, q):
        accept, rate, _ = checked(p, q)
        more = np.maximum(p - q, 0.0)
        with np.errstate(invalid="ignore"):
            return accept, rate, more / more.sum()

    variants = [token_by_token, by_distance]
    mistakes = {
        "The ratio is upside down: what q guesses more often than p wants is refused at times.": (
            upside_down
        ),
        "A probability is at most 1: what q guesses too rarely is always accepted.": not_capped,
        "The rate is the mean of the acceptance over the guesses, which are drawn from q.": (
            mean_of_tokens
        ),
        "The rate is not that of two equal draws: a guess need not be what p would have drawn.": (
            rate_of_agreement
        ),
        "After a refusal, drawing from p gives what q likes too much weight; draw what q lacks.": (
            draws_anew
        ),
        "The last one must sum to 1, since a token is drawn from it.": not_normed,
        "With the same model nothing is lacking, and 0 / 0 is nan; return p there.": nan_for_equals,
    }
    explain = r"""
    Accept with $\min(1,p/q)$. Guessed and accepted is then $q\min(1,p/q)=\min(p,q)$ for each
    token, in sum the rate. What is still missing to $p$ is $p-\min(p,q)=\max(0,p-q)$, and exactly
    that, made to sum to 1, is drawn from after a refusal. For $p=(0.5,0.5)$ and $q=(0.8,0.2)$:
    accept with 0.625 and 1, rate 0.7, and the rest is all on the second token: $0.2+0.3=0.5$.
    """
