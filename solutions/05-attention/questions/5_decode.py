"""One query against a long past: pages, and keys dealt out."""

import numpy as np

from coursekit.grading import case, question


@question(
    id="page-lookup",
    title="A cache in pages",
    asks="read_pages",
    points=1,
    section="sec-attention-decode",
)
class PageLookup:
    def reference(pool, pages, length):
        size = pool.shape[1]
        used = pages[: -(-length // size)]
        return pool[used].reshape(-1, pool.shape[2])[:length]

    def cases(rng):
        yield case("a page and a half", *cache(rng, 5, 4, 3, 6, np.array([4, 0])))
        yield case("exactly two pages", *cache(rng, 4, 3, 2, 6, np.array([3, 1])))
        yield case("numbers left over from before", *cache(rng, 4, 3, 2, 4, np.array([2, 0, 99])))
        yield case("pages of one token", *cache(rng, 5, 1, 2, 3, np.array([4, 0, 2])))
        order = rng.permutation(30)[:12]
        yield case("a long one", *cache(rng, 30, 8, 4, 90, order), shown=False)

    def token_by_token(pool, pages, length):
        size = pool.shape[1]
        return np.stack([pool[pages[t // size], t % size] for t in range(length)])

    def by_flat_places(pool, pages, length):
        token = np.arange(length)
        page, place = np.divmod(token, pool.shape[1])
        return pool.reshape(-1, pool.shape[2])[pages[page] * pool.shape[1] + place]

    def in_a_row(pool, pages, length):
        return pool.reshape(-1, pool.shape[2])[:length]

    def sorted_pages(pool, pages, length):
        page, place = np.divmod(np.arange(length), pool.shape[1])
        return pool[np.sort(pages[: page[-1] + 1])[page], place]

    def whole_pages(pool, pages, length):
        used = pages[: -(-length // pool.shape[1])]
        return pool[used].reshape(-1, pool.shape[2])

    def rounded_down(pool, pages, length):
        used = pages[: length // pool.shape[1]]
        return pool[used].reshape(-1, pool.shape[2])[:length]

    def all_numbers(pool, pages, length):
        return pool[pages].reshape(-1, pool.shape[2])[:length]

    variants = [token_by_token, by_flat_places]
    mistakes = {
        "The tokens do not lie in a row in the pool: look up each one's page in the table.": (
            in_a_row
        ),
        "The table's order is the tokens' order; do not sort it.": sorted_pages,
        "The last page may be filled in part: cut off what lies beyond the length.": whole_pages,
        "A page that is filled in part counts too: round the number of pages up.": rounded_down,
        "Only the first entries of the table are valid: look at those that the length reaches.": (
            all_numbers
        ),
    }
    explain = r"""
    Token $t$ is in the page with the number `pages[t // S]`, at place `t % S` of it, where $S$ is
    the size of a page. So the pages in use are the first $\lceil\text{length}/S\rceil$ of the
    table, in its order, and the last of them may be cut. With pages of 4 tokens, 6 tokens and the
    table (4, 0): four tokens from page 4 and the first two of page 0.
    """


@question(
    id="split-decode",
    title="Keys dealt to several programs",
    asks="split_decode",
    points=3,
    section="sec-attention-decode",
)
class SplitDecode:
    def reference(q, k, v, parts):
        share = -(-len(k) // parts)
        lse, outs = np.full(parts, -np.inf), np.zeros((parts, v.shape[1]))
        for i in range(parts):
            keys = slice(i * share, (i + 1) * share)
            scores = k[keys] @ q / np.sqrt(len(q))
            if len(scores):
                lse[i] = scores.max() + np.log(np.exp(scores - scores.max()).sum())
                outs[i] = np.exp(scores - lse[i]) @ v[keys]
        return lse, np.exp(lse - np.logaddexp.reduce(lse)) @ outs

    def cases(rng):
        yield case("two parts", *row(rng, 6, 4), 2)
        yield case("a short last part", *row(rng, 7, 3), 3)
        yield case("more parts than shares", *row(rng, 5, 2), 4)
        yield case("scores of some thousands", *row(rng, 6, 4, 4000.0), 3)
        yield case("a long past", *row(rng, 90, 8), 7, shown=False)

    def with_the_table(q, k, v, parts):
        scores = (k * q).sum(axis=1) * len(q) ** -0.5
        share = (len(k) + parts - 1) // parts
        lse = [np.logaddexp.reduce(scores[i * share : i * share + share]) for i in range(parts)]
        weights = np.exp(scores - scores.max())
        return np.array(lse), (weights / weights.sum()) @ v

    def by_merging(q, k, v, parts):
        scores = q @ k.T / len(q) ** 0.5
        share = int(np.ceil(len(k) / parts))
        found, peak, total, out = [], -np.inf, 0.0, np.zeros(v.shape[1])
        for first in range(0, share * parts, share):
            s = scores[first : first + share]
            if not len(s):
                found.append(-np.inf)
                continue
            new = max(peak, s.max())
            p = np.exp(s - new)
            total = total * np.exp(peak - new) + p.sum()
            out = out * np.exp(peak - new) + p @ v[first : first + share]
            peak = new
            found.append(s.max() + np.log(np.exp(s - s.max()).sum()))
        return np.array(found), out / total

    def dealt(
        *,
        scale=lambda d: d**-0.5,
        combine=lambda lse, counts: np.exp(lse - np.logaddexp.reduce(lse)),
        sum_up=np.logaddexp.reduce,
        log=lambda lse: lse,
        share_of=lambda m, parts: -(-m // parts),
        empty=-np.inf,
    ):
        def answer(q, k, v, parts):
            share = share_of(len(k), parts)
            lse, outs = np.full(parts, empty), np.zeros((parts, v.shape[1]))
            counts = np.zeros(parts)
            with np.errstate(all="ignore"):
                for i in range(parts):
                    keys = slice(i * share, (i + 1) * share)
                    scores = scale(len(q)) * k[keys] @ q
                    if len(scores):
                        counts[i], lse[i] = len(scores), sum_up(scores)
                        outs[i] = np.exp(scores - np.logaddexp.reduce(scores)) @ v[keys]
                return log(lse), combine(lse, counts) @ outs

        return answer

    by_count = dealt(combine=lambda lse, counts: counts / counts.sum())
    plain_mean = dealt(combine=lambda lse, counts: np.full(len(lse), 1 / len(lse)))
    unscaled = dealt(scale=lambda d: 1.0)
    in_bits = dealt(log=lambda lse: lse / np.log(2))
    overflowing = dealt(sum_up=lambda s: np.log(np.exp(s).sum()))
    rounded_down = dealt(share_of=lambda m, parts: m // parts)
    empty_is_zero = dealt(empty=0.0)
    del dealt

    variants = [with_the_table, by_merging]
    mistakes = {
        "A part counts by its share of the softmax's sum, not by how many keys it has.": by_count,
        "You took the plain mean of the parts; weigh them by exp of their log-sum-exp.": plain_mean,
        "The scores are divided by the root of the width first.": unscaled,
        "This is the log-sum-exp in base 2, as in the kernel; give the natural one.": in_bits,
        "Exponentials of large scores overflow: subtract the greatest first.": overflowing,
        "Some keys are left over: the shares are rounded up, not down.": rounded_down,
        "A part without keys has the sum 0, and so the log-sum-exp minus infinity.": empty_is_zero,
    }
    explain = r"""
    Each part computes a softmax of its own keys and the logarithm $L_i$ of its sum. The whole sum
    is $\sum_i e^{L_i}$, so part $i$ has the share $e^{L_i-L}$ with $L=\log\sum_i e^{L_i}$ (subtract
    the greatest before each exponential), and the output is the parts' outputs weighed by their
    shares. A part without keys has $L_i=-\infty$ and the share 0. Two parts of one and two equal
    scores $s$ have $L=(s, s+\log 2)$ and the shares $\frac13$ and $\frac23$.
    """


def cache(rng, count, size, width, length, pages):
    """A pool of pages, a row's page table, and the row's length."""
    return rng.normal(size=(count, size, width)), pages, length


def row(rng, m, d, far=1.0):
    """One query, keys and values; the scores are about ``far`` in size."""
    return far * rng.normal(size=d), rng.normal(size=(m, d)) + 0.5, rng.normal(size=(m, d))
