"""A softmax in pieces, and pieces put together."""

import math

import numpy as np

from coursekit.grading import case, question


@question(
    id="online-softmax",
    title="One row, read in pieces",
    asks="online_states",
    points=2,
    section="sec-attention-online",
)
class OnlineSoftmax:
    def reference(scores, size):
        peak, total, states = -np.inf, 0.0, []
        for first in range(0, len(scores), size):
            piece = scores[first : first + size]
            new_peak = max(peak, piece.max())
            finite = 0.0 if new_peak == -np.inf else new_peak
            total = total * np.exp(peak - finite) + np.exp(piece - finite).sum()
            peak = new_peak
            states.append((peak, total))
        return np.array(states)

    def cases(rng):
        rising = np.sort(rng.normal(scale=2, size=7))
        yield case("scores that rise, a short piece at the end", rising, 3)
        yield case("scores that fall", np.sort(rng.normal(scale=2, size=6))[::-1].copy(), 2)
        yield case("scores near 1000", 1000 + 3 * rng.normal(size=6), 2)
        hidden = np.concatenate([[-np.inf] * 2, rng.normal(scale=2, size=4)])
        yield case("the first piece is masked", hidden, 2)
        yield case("a long row", 5 * rng.normal(size=60), 7, shown=False)

    def from_the_whole_past(scores, size):
        ends = [min(first + size, len(scores)) for first in range(0, len(scores), size)]
        peaks = [scores[:end].max() for end in ends]
        seen = [scores[:end] for end in ends]
        sums = [
            np.exp(x[x > -np.inf] - peak).sum() if peak > -np.inf else 0.0
            for x, peak in zip(seen, peaks, strict=True)
        ]
        return np.stack([peaks, sums], axis=1)

    def score_by_score(scores, size):
        found, m, ell = [], -math.inf, 0.0
        for place, s in enumerate(scores.tolist(), 1):
            if s > m:
                m, ell = s, ell * math.exp(m - s) + 1.0
            elif s > -math.inf:
                ell += math.exp(s - m)
            if place % size == 0 or place == len(scores):
                found.append([m, ell])
        return np.array(found)

    def walk(
        *,
        factor=lambda old, new: np.exp(old - new),
        weights=lambda piece, peak: np.exp(piece - peak),
        peak_of=max,
        guard=True,
        whole=False,
    ):
        def answer(scores, size):
            peak, total, states = -np.inf, 0.0, []
            stop = len(scores) // size * size if whole else len(scores)
            for first in range(0, stop, size):
                piece = scores[first : first + size]
                new = peak_of(peak, piece.max())
                finite = 0.0 if guard and new == -np.inf else new
                with np.errstate(all="ignore"):
                    total = total * factor(peak, finite) + weights(piece, finite).sum()
                peak = new
                states.append((peak, total))
            return np.array(states)

        return answer

    not_shrunk = walk(factor=lambda old, new: 1.0)
    turned_around = walk(factor=lambda old, new: np.exp(new - old) if old > -np.inf else 0.0)
    own_peak = walk(peak_of=lambda old, new: new)
    no_peak = walk(weights=lambda piece, peak: np.exp(piece), factor=lambda old, new: 1.0)
    unguarded = walk(guard=False)
    short_piece_lost = walk(whole=True)
    del walk

    variants = [from_the_whole_past, score_by_score]
    mistakes = {
        "When the peak moves up, what was summed before must shrink by exp(old peak - new peak).": (
            not_shrunk
        ),
        "The factor is turned around: a higher peak makes the old sum smaller, not larger.": (
            turned_around
        ),
        "The peak is the greatest score so far, not that of the last piece.": own_peak,
        "Exponentials without the peak subtracted overflow, and a state must belong to its peak.": (
            no_peak
        ),
        "Minus infinity less minus infinity is nan: use 0 for the peak while nothing was seen.": (
            unguarded
        ),
        "The last piece may be shorter; you left it out.": short_piece_lost,
    }
    explain = r"""
    Start with $m=-\infty$ and $\ell=0$. For each piece: the new peak is the greater of $m$ and the
    piece's maximum; $\ell$ shrinks by $e^{m-m_\text{new}}$ and gains the sum of
    $e^{s-m_\text{new}}$. While the peak is still $-\infty$ subtract 0 instead, and all exponentials
    are 0. For the scores 1, 3 in pieces of one: $(1, 1)$, then $(3, e^{-2}+1)=(3, 1.135)$.
    """


@question(
    id="merge-states",
    title="Two halves make a whole",
    asks="merge",
    points=2,
    section="sec-attention-online",
)
class MergeStates:
    def reference(a, b):
        (m_a, l_a, o_a), (m_b, l_b, o_b) = a, b
        peak = np.maximum(m_a, m_b)
        finite = np.where(np.isneginf(peak), 0.0, peak)
        left, right = np.exp(m_a - finite), np.exp(m_b - finite)
        total = l_a * left + l_b * right
        return peak, total, o_a * left[:, None] + o_b * right[:, None]

    def cases(rng):
        yield case("three queries", *halves(rng, 3, 4))
        yield case("peaks near 1000 and near -1000", *halves(rng, 2, 3, (1000.0, -1000.0)))
        yield case("one half saw nothing", *halves(rng, 2, 2, (0.0, -np.inf)))
        yield case("neither saw anything", *halves(rng, 2, 2, (-np.inf, -np.inf)))
        yield case("many queries", *halves(rng, 40, 8), shown=False)

    def query_by_query(a, b):
        peaks, totals, rows = [], [], []
        for m_a, l_a, o_a, m_b, l_b, o_b in zip(*a, *b, strict=True):
            peak = max(m_a, m_b)
            factors = [0.0 if m == -np.inf else math.exp(m - peak) for m in (m_a, m_b)]
            peaks.append(peak)
            totals.append(l_a * factors[0] + l_b * factors[1])
            rows.append(o_a * factors[0] + o_b * factors[1])
        return np.array(peaks), np.array(totals), np.array(rows)

    def stacked(a, b):
        m, ell, o = (np.stack(pair) for pair in zip(a, b, strict=True))
        peak = m.max(axis=0)
        with np.errstate(invalid="ignore"):
            factors = np.nan_to_num(np.exp(m - peak), nan=0.0)
        return peak, (factors * ell).sum(axis=0), np.einsum("pn,pnd->nd", factors, o)

    def put_together(*, of_sum=None, of_output=None, take=np.maximum, guard=True):
        def answer(a, b):
            (m_a, l_a, o_a), (m_b, l_b, o_b) = a, b
            peak = take(m_a, m_b)
            finite = np.where(np.isneginf(peak), 0.0, peak) if guard else peak
            with np.errstate(all="ignore"):
                factors = np.exp(m_a - finite), np.exp(m_b - finite)
                of_l, of_o = (f(*factors) if f else factors for f in (of_sum, of_output))
                total = l_a * of_l[0] + l_b * of_l[1]
                return peak, total, o_a * of_o[0][:, None] + o_b * of_o[1][:, None]

        return answer

    def ones(left, right):
        return np.ones_like(left), np.ones_like(right)

    plain_sum = put_together(of_sum=ones, of_output=ones)
    output_not_shrunk = put_together(of_output=ones)
    swapped = put_together(
        of_sum=lambda left, right: (right, left), of_output=lambda left, right: (right, left)
    )
    unguarded = put_together(guard=False)
    smaller = put_together(take=np.minimum)
    del put_together, ones

    def divided(a, b):
        peak, total, out = MergeStates.reference(a, b)
        return peak, total, out / np.where(total == 0, 1.0, total)[:, None]

    variants = [query_by_query, stacked]
    mistakes = {
        "The halves have different peaks: bring both to the common one before you add.": plain_sum,
        "The sums are brought to the common peak and the outputs are not.": output_not_shrunk,
        "Each half shrinks by exp(its own peak - the common peak); yours are exchanged.": swapped,
        "Where neither half saw a key, the difference of the peaks is nan: treat it apart.": (
            unguarded
        ),
        "The common peak is the greater of the two; from the smaller, exponentials overflow.": (
            smaller
        ),
        "You divided by the sum; a state keeps its output undivided, to be merged further.": (
            divided
        ),
    }
    explain = r"""
    The common peak is $m=\max(m_a,m_b)$. Each half's sum and output were made relative to its own
    peak, so both shrink by $e^{m_a-m}$ or $e^{m_b-m}$ before they are added. With $m_a=0$,
    $\ell_a=1$ and $m_b=\log 2$, $\ell_b=1$: $m=\log 2$ and $\ell=\frac12+1$. Where both peaks are
    $-\infty$ subtract 0 in their place: the factors are then 0, and so is everything.
    """


def halves(rng, n, d, centres=(0.0, 1.0)):
    """Two states of n queries."""
    made = []
    for centre in centres:
        peak = centre + 2 * rng.normal(size=n)
        seen = np.isfinite(centre)
        made.append((peak, seen * rng.uniform(1, 9, size=n), seen * rng.normal(size=(n, d)) * 3))
    return made
