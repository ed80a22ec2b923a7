"""Finding the page, and judging what was found."""

import math
from collections import Counter

import numpy as np

from coursekit.grading import case, question

WORDS = [
    "the",
    "a",
    "of",
    "yield",
    "wafer",
    "beam",
    "search",
    "width",
    "energy",
    "carbon",
    "model",
    "token",
    "loss",
]


def documents(rng, lengths):
    """Lists of words, the early ones of the list more often."""
    chance = 1 / np.arange(1, len(WORDS) + 1)
    return [[str(w) for w in rng.choice(WORDS, n, p=chance / chance.sum())] for n in lengths]


@question(
    id="bm25",
    title="Score pages for a query",
    asks="bm25",
    points=2,
    section="sec-landscape-retrieval",
)
class Bm25:
    def reference(query, documents, k1, b):
        m = len(documents)
        mean = sum(map(len, documents)) / m
        scores = np.zeros(m)
        for word in query:
            n = sum(word in document for document in documents)
            rarity = math.log(1 + (m - n + 0.5) / (n + 0.5))
            for i, document in enumerate(documents):
                f = document.count(word)
                scores[i] += rarity * f / (f + k1 * (1 - b + b * len(document) / mean))
        return scores

    def cases(rng):
        pages = documents(rng, [6, 12, 3, 9])
        yield case("two words", ["yield", "wafer"], [*pages, ["yield", "wafer", "the"]], 1.5, 0.75)
        pages = documents(rng, [20, 5, 30, 7, 9])
        yield case("one frequent word", ["the", "beam"], [*pages, ["the", "beam"]], 1.2, 0.5)
        yield case("a word that no page has", ["unheard", "the"], documents(rng, [8, 4]), 1.5, 0.75)
        pages = documents(rng, [25, 8, 14, 11, 6, 40])
        yield case("more", ["the", "of", "yield", "loss"], pages, 2.0, 0.9, shown=False)

    def with_counters(query, documents, k1, b):
        counts = [Counter(document) for document in documents]
        lengths = np.array([len(document) for document in documents], dtype=float)
        room = k1 * (1 - b + b * lengths / lengths.mean())
        total = np.zeros(len(documents))
        for word in query:
            f = np.array([count[word] for count in counts], dtype=float)
            n = np.count_nonzero(f)
            total += np.log((len(documents) + 1) / (n + 0.5)) * f / (f + room)
        return total

    def as_a_matrix(query, documents, k1, b):
        f = np.array([[document.count(word) for word in query] for document in documents])
        n = (f > 0).sum(axis=0)
        rarity = np.log1p((len(f) - n + 0.5) / (n + 0.5))
        length = np.array([[len(document)] for document in documents])
        return (f / (f + k1 * (1 - b + b * length / length.mean()))) @ rarity

    def score(*, rare=True, saturate=True, long=True, occurrences=False, inside=1.0):
        def bm25(query, documents, k1, b):
            f = np.array([[d.count(w) for w in query] for d in documents], dtype=float)
            n = f.sum(axis=0) if occurrences else (f > 0).sum(axis=0)
            share = (len(f) - np.minimum(n, len(f)) + 0.5) / (n + 0.5)
            rarity = np.log(inside + share) if rare else np.ones(len(query))
            length = np.array([[len(d)] for d in documents])
            part = b if long else 0.0
            room = k1 * (1 - part + part * length / length.mean())
            return (f / (f + room) if saturate else f) @ rarity

        return bm25

    no_rarity = score(rare=False)
    no_saturation = score(saturate=False)
    no_length = score(long=False)
    occurrences = score(occurrences=True)
    without_one = score(inside=0.0)
    del score

    variants = [with_counters, as_a_matrix]
    mistakes = {
        "A rare word says more than a frequent one: multiply by its rarity.": no_rarity,
        "The tenth occurrence adds less than the first: counts must saturate.": no_saturation,
        "A long page has every word more often: use b and the length over the mean.": no_length,
        "Rarity counts the pages that have the word, not its occurrences.": occurrences,
        "Add 1 inside the logarithm; a word of most pages would score below zero.": without_one,
    }
    explain = r"""
    For each word of the query: $n$ pages of $m$ have it, so it is worth
    $\ln\bigl(1 + \frac{m-n+0.5}{n+0.5}\bigr)$. In a page where it occurs $f$ times it adds that
    times $\frac{f}{f + k_1(1-b+b\,L/\bar L)}$. In two pages of equal length, a word that one page
    has once is worth $\ln 2 / (1 + k_1) = 0.277$ there with $k_1 = 1.5$.
    """


@question(
    id="fuse-ranks",
    title="Two searches, one list",
    asks="fuse",
    points=1,
    section="sec-landscape-retrieval",
)
class FuseRanks:
    def reference(lists, k):
        scores = {}
        for ranked in lists:
            for rank, page in enumerate(ranked, start=1):
                scores[page] = scores.get(page, 0.0) + 1 / (k + rank)
        return sorted(scores, key=lambda page: (-scores[page], page))

    def cases(rng):
        yield case("two lists", [["b", "a", "c"], ["c", "b", "d"]], 60)
        yield case("equal scores go by name", [["b", "a"], ["a", "b"], ["c"]], 3)
        yield case("a small k", [["a", "b", "c", "d"], ["d", "c", "b", "e"], ["d", "f"]], 1)
        pages = [f"p{i}" for i in range(9)]
        several = [[str(p) for p in rng.permutation(pages)[:n]] for n in (9, 4, 6, 3)]
        yield case("more", several, 10, shown=False)

    def with_places(lists, k):
        pages = sorted({page for ranked in lists for page in ranked})

        def score(page):
            return sum(1 / (k + 1 + ranked.index(page)) for ranked in lists if page in ranked)

        return sorted(pages, key=score, reverse=True)

    def with_counter(lists, k):
        total = Counter()
        for ranked in lists:
            total.update({page: 1 / (k + i) for i, page in enumerate(ranked, 1)})
        return [page for page, _ in sorted(total.items(), key=lambda item: (-item[1], item[0]))]

    def fused(weigh, first=1, keep=lambda votes: sum(votes), order=1):
        def fuse(lists, k):
            votes = {}
            for ranked in lists:
                for rank, page in enumerate(ranked, start=first):
                    votes.setdefault(page, []).append(weigh(rank, k))
            return sorted(votes, key=lambda page: (-order * keep(votes[page]), page))

        return fuse

    borda = fused(lambda rank, k: -rank)
    average = fused(lambda rank, k: 1 / (k + rank), keep=lambda votes: sum(votes) / len(votes))
    best = fused(lambda rank, k: 1 / (k + rank), keep=max)
    no_k = fused(lambda rank, k: 1 / rank)
    worst_first = fused(lambda rank, k: 1 / (k + rank), order=-1)
    del fused

    variants = [with_places, with_counter]
    mistakes = {
        "Ranks themselves were added: a page must win by being found, with 1/(k + rank).": borda,
        "Add the votes of all lists; a mean forgets in how many lists the page stands.": average,
        "Add the votes of all lists; you kept the best one.": best,
        "Add k to the rank before dividing.": no_k,
        "Best first: yours is upside down.": worst_first,
    }
    explain = r"""
    Every list gives the page at rank $r$ (from 1) a vote of $1/(k+r)$; votes add up. With
    $k = 60$, a page at ranks 1 and 3 has $1/61 + 1/63 = 0.0323$, and one at rank 1 of a single
    list $0.0164$. Sort by votes downwards, and by name where they are equal.
    """


@question(
    id="found-or-not",
    title="How good is a search",
    asks="found_or_not",
    points=1,
    section="sec-landscape-failures",
)
class FoundOrNot:
    def reference(rankings, right, k):
        recall, reciprocal = 0.0, 0.0
        for ranked, wanted in zip(rankings, right, strict=True):
            places = [i for i, page in enumerate(ranked, 1) if page in wanted]
            recall += bool(places) and places[0] <= k
            reciprocal += 1 / places[0] if places else 0
        return recall / len(right), reciprocal / len(right)

    def cases(rng):
        yield case(
            "three questions", [list("abc"), list("bca"), list("cde")], [["a"], ["a"], ["x"]], 3
        )
        yield case("several right pages", [list("abcd"), list("dcba")], [["c", "d"], ["a", "c"]], 1)
        pages = list("abcdefgh")
        rankings = [[str(p) for p in rng.permutation(pages)[:5]] for _ in range(8)]
        right = [[str(p) for p in rng.choice(pages, 2, replace=False)] for _ in range(8)]
        yield case("eight questions", rankings, right, 3)
        rankings = [[str(p) for p in rng.permutation(pages)[:6]] for _ in range(12)]
        yield case("more", rankings, [[str(rng.choice(pages))] for _ in range(12)], 2, shown=False)

    def with_arrays(rankings, right, k):
        first = np.full(len(right), np.inf)
        for i, (ranked, wanted) in enumerate(zip(rankings, right, strict=True)):
            hits = np.flatnonzero(np.isin(ranked, wanted))
            if len(hits):
                first[i] = hits[0] + 1
        return (first <= k).mean(), (1 / first).mean()

    def with_next(rankings, right, k):
        pairs = list(zip(rankings, right, strict=True))
        first = [next((i for i, p in enumerate(r, 1) if p in w), math.inf) for r, w in pairs]
        return sum(f <= k for f in first) / len(first), sum(1 / f for f in first) / len(first)

    def judge(*, start=1, last=False, cut=False, missing=0, strict=False):
        def found_or_not(rankings, right, k):
            recall, reciprocal, counted = 0.0, 0.0, 0
            for ranked, wanted in zip(rankings, right, strict=True):
                places = [i for i, page in enumerate(ranked, start) if page in wanted]
                places = [p for p in places if p <= k] if cut else places
                place = (places[-1] if last else places[0]) if places else None
                recall += place is not None and (place < k if strict else place <= k)
                reciprocal += 1 / max(place, 0.5) if place is not None else 0
                counted += bool(places) or not missing
            return recall / max(len(right), 1), reciprocal / max(counted, 1)

        return found_or_not

    from_zero = judge(start=0)
    last_hit = judge(last=True)
    cut_off = judge(cut=True)
    only_found = judge(missing=1)
    short = judge(strict=True)
    del judge

    variants = [with_arrays, with_next]
    mistakes = {
        "The first place is 1, not 0.": from_zero,
        "Take the first right page of the list, not the last.": last_hit,
        "The reciprocal rank looks at the whole list, not at the first k.": cut_off,
        "A question without a hit counts too, with 0.": only_found,
        "Place k is still among the first k.": short,
    }
    explain = r"""
    Find the first place, from 1, that holds a right page. Recall at $k$ is the share of questions
    where it is at most $k$; the mean reciprocal rank is the mean of one over it. No right page in
    the list: 0 for both, and the question still counts. Places 1, 3 and none with $k=2$ give
    recall $1/3$ and $(1 + 1/3 + 0)/3 = 0.444$.
    """
