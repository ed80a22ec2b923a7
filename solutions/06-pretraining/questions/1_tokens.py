"""From text to tokens: one merge, learning merges, using them."""

from collections import Counter
from itertools import pairwise

from coursekit.grading import case, question


def merged(tokens, pair, new):
    out, i = [], 0
    while i < len(tokens):
        hit = tuple(tokens[i : i + 2]) == tuple(pair)
        out.append(new if hit else tokens[i])
        i += 2 if hit else 1
    return out


@question(
    id="merge-pair",
    title="One merge",
    asks="merge",
    points=1,
    section="sec-pretraining-bpe",
)
class MergePair:
    def reference(ids, pair, new):
        return merged(ids, pair, new)

    def cases(rng):
        yield case("one place", [5, 1, 2, 7], (1, 2), 9)
        yield case("two places, and the pair turned round", [1, 2, 3, 2, 1, 2], (1, 2), 9)
        yield case("three alike", [4, 4, 4], (4, 4), 8)
        yield case("nothing to merge", [2, 1], (1, 2), 9)
        yield case("a long row", rng.integers(0, 3, size=30).tolist(), (1, 1), 7, shown=False)
        yield case("another", rng.integers(0, 2, size=20).tolist(), (0, 1), 5, shown=False)

    def by_eating(ids, pair, new):
        out, rest = [], list(ids)
        while rest:
            if len(rest) > 1 and (rest[0], rest[1]) == tuple(pair):
                del rest[0]
                rest[0] = new
            out.append(rest.pop(0))
        return out

    def looking_back(ids, pair, new):
        out, free = [], False  # free: the last token of out may still be a left half
        for i in ids:
            if free and (out[-1], i) == tuple(pair):
                out[-1], free = new, False
            else:
                out.append(i)
                free = True
        return out

    def overlapping(ids, pair, new):
        hits = [p == tuple(pair) for p in pairwise(ids)]
        left, right = [*hits, False], [False, *hits]
        return [new if a else i for i, a, b in zip(ids, left, right, strict=True) if a or not b]

    def first_only(ids, pair, new):
        at = [i for i, p in enumerate(pairwise(ids)) if p == tuple(pair)][:1]
        return [*ids[: at[0]], new, *ids[at[0] + 2 :]] if at else list(ids)

    def from_the_right(ids, pair, new):
        return merged(list(ids)[::-1], tuple(pair)[::-1], new)[::-1]

    def keeps_the_right_half(ids, pair, new):
        pairs = [*pairwise(ids), None]
        return [new if p == tuple(pair) else i for i, p in zip(ids, pairs, strict=True)]

    def either_way(ids, pair, new):
        out, i = [], 0
        while i < len(ids):
            hit = sorted(ids[i : i + 2]) == sorted(pair)
            out.append(new if hit else ids[i])
            i += 2 if hit else 1
        return out

    variants = [by_eating, looking_back]
    mistakes = {
        "Of three alike you merged two pairs that share a token; each token is used once.": (
            overlapping
        ),
        "You merged the first place only; every place where the pair stands is merged.": first_only,
        "Of three alike the first two are merged: go from the left.": from_the_right,
        "The right half of a merged pair is still there; the new token replaces both.": (
            keeps_the_right_half
        ),
        "The order counts: the pair (1, 2) is not the pair (2, 1).": either_way,
    }
    explain = r"""
    Go from the left with an index. Where the two tokens at the index are the pair, write the new
    token and go two places on; otherwise copy the token and go one place on. In `[4, 4, 4]` the
    first two become 8, and the third has no neighbour left: `[8, 4]`.
    """


def learnt(words, n, *, weigh=True, key=lambda counts: lambda p: (counts[p], p), once=False):
    rows, merges = {tuple(w): k for w, k in words.items()}, []
    while len(merges) < n:
        counts = Counter()
        for row, k in rows.items():
            pairs = set(pairwise(row)) if once else pairwise(row)
            for pair in pairs:
                counts[pair] += k if weigh else 1
        if not counts:
            break
        best = max(counts, key=key(counts))
        merges.append(best)
        rows = {tuple(merged(row, best, "".join(best))): k for row, k in rows.items()}
    return merges


@question(
    id="learn-merges",
    title="What occurs most often",
    asks="learn_merges",
    points=3,
    section="sec-pretraining-bpe",
)
class LearnMerges:
    def reference(words, n):
        return learnt(words, n)

    def cases(rng):
        yield case("three words", {"low": 5, "lower": 2, "new": 6}, 3)
        yield case("a tie", {"ab": 2, "cd": 2, "ca": 2}, 2)
        yield case("fewer pairs than merges", {"hi": 3, "a": 9}, 4)
        yield case("a word that repeats itself", {"nana": 3, "ox": 4}, 3)
        yield case("rare and frequent words", {"xy": 1, "xyz": 1, "xw": 1, "ab": 4}, 2)
        for name, letters in (("many words", "abc"), ("more letters", "abcde")):
            words = {
                "".join(rng.choice(list(letters), size=rng.integers(2, 7)).tolist()): int(k)
                for k in rng.integers(1, 6, size=12)
            }
            yield case(name, words, 6, shown=False)

    def with_one_table(words, n):
        rows = [(list(w), k) for w, k in words.items()]
        merges = []
        for _ in range(n):
            table = {}
            for row, k in rows:
                for a, b in pairwise(row):
                    table[a, b] = table.get((a, b), 0) + k
            if not table:
                return merges
            top = max(table.values())
            pair = max(p for p, k in table.items() if k == top)
            merges.append(pair)
            rows = [(merged(row, pair, pair[0] + pair[1]), k) for row, k in rows]
        return merges

    def sorted_pairs(words, n):
        rows, merges = [(tuple(w), k) for w, k in words.items()], []
        while len(merges) < n and any(len(row) > 1 for row, _ in rows):
            every = [(pair, k) for row, k in rows for pair in pairwise(row)]
            totals = sorted((sum(k for q, k in every if q == p), p) for p in {q for q, _ in every})
            merges.append(totals[-1][1])
            rows = [(tuple(merged(r, merges[-1], "".join(merges[-1]))), k) for r, k in rows]
        return merges

    def across_words(words, n):
        text = "".join(w * k for w, k in words.items())
        return learnt({text: 1}, n)

    def never_merges(words, n):
        counts = Counter()
        for word, k in words.items():
            for pair in pairwise(word):
                counts[pair] += k
        return sorted(counts, key=lambda p: (counts[p], p), reverse=True)[:n]

    variants = [with_one_table, sorted_pairs]
    mistakes = {
        "A pair counts as often as its word occurs; you counted each word once.": (
            lambda words, n: learnt(words, n, weigh=False)
        ),
        "Of equally frequent pairs the greatest is taken, as Python compares tuples.": (
            lambda words, n: learnt(words, n, key=lambda counts: counts.__getitem__)
        ),
        "Of equally frequent pairs the greatest is taken; yours is the smallest.": (
            lambda words, n: learnt(
                words,
                n,
                key=lambda counts: (
                    lambda p: (counts[p], [-ord(c) for c in p[0]], [-ord(c) for c in p[1]])
                ),
            )
        ),
        "A pair that stands twice in a word counts twice there.": (
            lambda words, n: learnt(words, n, once=True)
        ),
        "A pair never reaches from one word into the next.": across_words,
        "After a merge the words look different: merge in all of them, and count again.": (
            never_merges
        ),
    }
    explain = r"""
    Keep each word as a tuple of tokens, at first its letters, with its number. Count all pairs of
    neighbours, each as often as its word occurs. Take the one with the greatest `(count, pair)`: so
    ties are decided by the pair itself. Merge it in every word, and count again. Stop early when
    no word has two tokens left. With `{"ab": 2, "cd": 2, "ca": 2}` all three pairs occur twice and
    `("c", "d")` is the greatest.
    """


def applied(word, merges):
    row = list(word)
    for pair in merges:
        row = merged(row, pair, "".join(pair))
    return row


@question(
    id="encode-word",
    title="In the order they were learned",
    asks="encode",
    points=2,
    section="sec-pretraining-bpe",
)
class EncodeWord:
    def reference(word, merges):
        return applied(word, merges)

    def cases(rng):
        lowest = [("o", "w"), ("l", "ow"), ("e", "s"), ("es", "t")]
        yield case("a word of two tokens", "lowest", lowest)
        yield case("merges that compete for a letter", "abc", [("b", "c"), ("a", "b")])
        yield case("a merge in two places", "banana", [("a", "n"), ("an", "an")])
        yield case("no merge fits", "xyz", lowest)
        yield case("the long way to a token", "aab", [("a", "b"), ("a", "a"), ("a", "ab")])
        for name in ("a long word", "another"):
            merges = learnt({"abcab": 3, "cabba": 2, "bcabc": 2, "acba": 1}, 7)
            word = "".join(rng.choice(list("abc"), size=14).tolist())
            yield case(name, word, merges, shown=False)

    def by_rank(word, merges):
        row, ranks = list(word), {pair: i for i, pair in enumerate(merges)}
        while len(row) > 1:
            pair = min(pairwise(row), key=lambda p: ranks.get(p, len(ranks)))
            if pair not in ranks:
                break
            row = merged(row, pair, pair[0] + pair[1])
        return row

    def in_place(word, merges):
        row = list(word)
        for a, b in merges:
            i = 0
            while i < len(row) - 1:
                if row[i] == a and row[i + 1] == b:
                    row[i : i + 2] = [a + b]
                i += 1
        return row

    def longest_match(word, merges):
        known, out = {"".join(p) for p in merges}, []
        while word:
            n = next((n for n in range(len(word), 1, -1) if word[:n] in known), 1)
            out.append(word[:n])
            word = word[n:]
        return out

    def leftmost(word, merges):
        row, known = list(word), set(merges)
        while True:
            at = next((i for i, p in enumerate(pairwise(row)) if p in known), None)
            if at is None:
                return row
            row[at : at + 2] = [row[at] + row[at + 1]]

    def one_place_each(word, merges):
        row = list(word)
        for pair in merges:
            at = next((i for i, p in enumerate(pairwise(row)) if p == pair), None)
            if at is not None:
                row[at : at + 2] = ["".join(pair)]
        return row

    variants = [by_rank, in_place]
    mistakes = {
        "You take the longest token that fits; the merges are applied in their order instead.": (
            longest_match
        ),
        "You merge whatever fits first from the left; the merge learned first goes first.": (
            leftmost
        ),
        "The merges are applied backwards: begin with the one learned first.": (
            lambda word, merges: applied(word, merges[::-1])
        ),
        "A merge is applied wherever its pair stands, not in the first place only.": one_place_each,
        "One merge only was applied; go through all of them.": (
            lambda word, merges: applied(word, merges[:1])
        ),
    }
    explain = r"""
    Start from the letters. For each merge, in the order learned, merge every place where its two
    tokens are neighbours now. With the merges `b c` and then `a b`, the word `abc` becomes `a bc`:
    when the second merge's turn comes, `b` has gone. Taking the longest token that fits would give
    `ab c`, and a model would see tokens that it was not trained with.
    """
