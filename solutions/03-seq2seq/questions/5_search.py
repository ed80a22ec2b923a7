"""Search and score: a beam over a table of probabilities, and BLEU."""

import math
from collections import Counter

import numpy as np

from coursekit.grading import case, question


def beam(width_of=lambda width: width, per_parent=False, worst=False, own=1.0):
    """Beam search over a table; a mistake keeps other beginnings."""

    def beam_search(start, step, width, length):
        def best(paths, k):
            return sorted(paths, reverse=not worst)[:k]

        k = width_of(width)
        kept = best([(float(p), [i]) for i, p in enumerate(start)], k)
        for _ in range(length - 1):
            longer = [
                [(own * value + float(p), [*path, j]) for j, p in enumerate(step[path[-1]])]
                for value, path in kept
            ]
            kept = best([p for paths in longer for p in best(paths, 1 if per_parent else None)], k)
        return kept[0][1]

    return beam_search


def exhaustive(start, step, width, length):
    """The best path of all, which a narrow beam may miss."""
    best, back = np.array(start), []
    for _ in range(length - 1):
        table = best[:, None] + step
        back.append(table.argmax(0))
        best = table.max(0)
    path = [int(best.argmax())]
    for came in reversed(back):
        path.insert(0, int(came[path[0]]))
    return path


def shuffled(rng, start, step):
    """A table of probabilities with its words in another order, as logarithms."""
    order = rng.permutation(len(start))
    return np.log(start)[order], np.log(step)[order][:, order]


def trap_for_greedy(rng):
    """The best first word leads nowhere good, the second well, and the third, unseen, best."""
    step = [[0.35, 0.33, 0.32], [0.1, 0.3, 0.6], [0.01, 0.98, 0.01]]
    return shuffled(rng, [0.4, 0.35, 0.25], step)


def trap_for_pruners(rng):
    """The best path runs through the second-best word after the best first word."""
    step = [
        [0.03, 0.02, 0.5, 0.45],
        [0.03, 0.9, 0.04, 0.03],
        [0.4, 0.3, 0.2, 0.1],
        [0.97, 0.01, 0.01, 0.01],
    ]
    return shuffled(rng, [0.7, 0.2, 0.06, 0.04], step)


@question(
    id="beam-search",
    title="A beam",
    asks="beam_search",
    points=3,
    section="sec-seq2seq-search",
)
class BeamSearch:
    reference = beam()

    def cases(rng):
        def draw(V):
            table = rng.dirichlet(np.full(V, 0.6), size=V + 1) + 1e-3
            logs = np.log(table / table.sum(1, keepdims=True))
            return logs[0], logs[1:]

        yield case("a trap for the greedy", *trap_for_greedy(rng), 2, 2)
        yield case("a trap for those who drop too early", *trap_for_pruners(rng), 2, 3)
        step = [[0.3, 0.4, 0.3], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5]]
        yield case("a good beginning", *shuffled(rng, [0.8, 0.15, 0.05], step), 2, 2)
        yield case("a beam of one", *draw(4), 1, 3)
        yield case("three words, a beam of two", *draw(4), 2, 3)
        yield case("five words, a beam of three", *draw(5), 3, 5)
        yield case("one word", *draw(4), 3, 1)
        yield case("longer", *draw(7), 3, 9, shown=False)
        yield case("a wide beam", *draw(4), 64, 3, shown=False)

    def with_arrays(start, step, width, length):
        paths = np.arange(len(start))[:, None]
        scores = np.asarray(start, float)
        for t in range(length):
            if t:
                scores = (scores[:, None] + step[paths[:, -1]]).ravel()
                V = step.shape[1]
                paths = np.column_stack(
                    [np.repeat(paths, V, axis=0), np.tile(np.arange(V), len(paths))]
                )
            best = np.argsort(-scores)[:width]
            scores, paths = scores[best], paths[best]
        return paths[0].tolist()

    def with_probabilities(start, step, width, length):
        kept = {(i,): math.exp(p) for i, p in enumerate(start)}
        for t in range(length):
            if t:
                kept = {
                    (*path, j): p * math.exp(q)
                    for path, p in kept.items()
                    for j, q in enumerate(step[path[-1]])
                }
            kept = dict(sorted(kept.items(), key=lambda item: -item[1])[:width])
        return list(max(kept, key=kept.get))

    variants = [with_arrays, with_probabilities]
    mistakes = {
        "This is greedy search: it keeps one beginning where the width allows more.": beam(
            width_of=lambda width: 1
        ),
        "You found the best path of all; a beam keeps only the best beginnings at each step.": (
            exhaustive
        ),
        "You kept the best word of each beginning; the best of all words of all compete.": beam(
            per_parent=True
        ),
        "Only the last word was scored: add the beginning's own score.": beam(own=0.0),
        "These are the worst: the largest log-probability, nearest to 0, is best.": beam(
            worst=True
        ),
    }
    explain = """
    Begin with the `width` best first words. Then lengthen every kept beginning by every word, add
    the log-probabilities, keep the `width` best of all of them, and go on until the length is
    reached. The best of the last ones is the answer. It need not be the best path of all: that
    one's beginning may have been dropped early.
    """


def score(clip=True, brief=True, mean="geometric", pooled=True, turned=False):
    """Corpus BLEU with runs of one and two words; a mistake changes a part."""

    def counts(tokens, n):
        return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))

    def precision(candidates, references, n):
        shared = total = 0
        for c, r in zip(candidates, references, strict=True):
            mine, theirs = counts(c, n), counts(r, n)
            kept = (mine & theirs) if clip else {g: m for g, m in mine.items() if g in theirs}
            shared, total = shared + sum(kept.values()), total + sum(mine.values())
        return shared / total

    def whole(candidates, references):
        p = [precision(candidates, references, n) for n in (1, 2)]
        c, r = sum(map(len, candidates)), sum(map(len, references))
        if turned:
            c, r = r, c
        penalty = min(1.0, math.exp(1 - r / c)) if brief else 1.0
        middle = math.sqrt(p[0] * p[1]) if mean == "geometric" else (p[0] + p[1]) / 2
        return 100 * penalty * middle

    def bleu(candidates, references):
        if pooled:
            return whole(candidates, references)
        each = [whole([c], [r]) for c, r in zip(candidates, references, strict=True)]
        return sum(each) / len(each)

    return bleu


@question(
    id="corpus-bleu",
    title="BLEU of a corpus",
    asks="bleu",
    points=3,
    section="sec-seq2seq-bleu",
)
class CorpusBleu:
    reference = score()

    def cases(rng):
        words = [str(w) for w in rng.permutation(list("abcdefgh"))]

        def spoil(tokens):
            """Repeat a word, swap one, drop some of the end."""
            out = list(tokens)
            out[1] = out[0]
            out[-2] = str(rng.choice(words))
            return out[: len(out) - int(rng.integers(1, 3))]

        def draw(m, n):
            return [[str(w) for w in rng.choice(words, size=n + 2 * i)] for i in range(m)]

        short = [words[0], words[1], words[2], words[3], words[4], words[5]]
        yield case("too short", [short[:4]], [short])
        yield case("one word again and again", [[*short[:2], *[short[0]] * 3]], [short[:5]])
        longer = draw(3, 7)
        yield case("three sentences", [spoil(r) for r in longer], longer)
        yield case("too long", [[*short, words[0]]], [short[:5]])
        yield case("all right", [short, short[:4]], [short, short[:4]])
        many = draw(6, 8)
        yield case("six sentences", [spoil(r) for r in many], many, shown=False)

    def with_lists(candidates, references):
        logs = 0.0
        for n in (1, 2):
            shared = total = 0
            for c, r in zip(candidates, references, strict=True):
                left = [tuple(r[i : i + n]) for i in range(len(r) - n + 1)]
                for i in range(len(c) - n + 1):
                    total += 1
                    if (run := tuple(c[i : i + n])) in left:
                        left.remove(run)
                        shared += 1
            logs += math.log(shared / total) / 2
        c, r = (sum(len(s) for s in side) for side in (candidates, references))
        return 100 * math.exp(logs + min(0.0, 1 - r / c))

    def from_the_library(candidates, references):
        from coursekit.seq2seq import corpus_bleu

        return corpus_bleu(candidates, [[r] for r in references], max_n=2).score

    variants = [with_lists, from_the_library]
    mistakes = {
        "A run counts at most as often as the reference has it.": score(clip=False),
        "What is too short must pay: the brevity penalty is missing.": score(brief=False),
        "The brevity penalty is turned around: it is for candidates that are too short.": score(
            turned=True
        ),
        "The precisions are multiplied and the root taken; you took their plain mean.": score(
            mean="plain"
        ),
        "Add up the counts of all sentences first; do not average scores of sentences.": score(
            pooled=False
        ),
    }
    explain = r"""
    For n = 1 and n = 2 count the candidate's runs that the reference has too, each at most as often
    as there; add up over all sentences and divide by all the candidates' runs. The score is
    $100\cdot\min(1,e^{1-r/c})\sqrt{p_1p_2}$ with the lengths $c$ and $r$ of all candidates and all
    references together.
    """


@question(
    id="make-it-fail",
    title="Make it fail",
    asks="findings",
    points=6,
    section="sec-seq2seq-alignment",
    kind="manual",
)
class MakeItFail:
    rubric = [
        (1, "names one kind of sentence and says beforehand why the translator should fail on it"),
        (2, "measures exact match or BLEU on at least 50 such sentences and on a fair comparison"),
        (1, "shows where the decoder looked in one failure, and compares with the gold links"),
        (1, "tells what is known from what is guessed, with a chance error or several seeds"),
        (1, "says what would mend it, and how one would find out whether it does"),
    ]
