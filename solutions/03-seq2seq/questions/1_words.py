"""Words as vectors: pairs from a window, neighbours, and the loss of negative sampling."""

import numpy as np
import torch
from torch import nn

from coursekit.grading import case, question


def pairs_of(left=0, right=1, own=False, ordered=lambda pair: pair):
    """Pairs within a window; a mistake changes a border or an order."""

    def skip_gram_pairs(words, window):
        found = []
        for i, center in enumerate(words):
            for j in range(max(0, i - window - left), min(len(words), i + window + right)):
                if own or j != i:
                    found.append(ordered((center, words[j])))
        return found

    return skip_gram_pairs


@question(
    id="skip-gram-pairs",
    title="A word and its company",
    asks="skip_gram_pairs",
    points=1,
    section="sec-seq2seq-word2vec",
)
class SkipGramPairs:
    reference = pairs_of()

    def cases(rng):
        letters = list("abcdefgh")
        yield case("a window of one", [str(w) for w in rng.permutation(letters)[:4]], 1)
        yield case("a window of two", [str(w) for w in rng.permutation(letters)[:6]], 2)
        twice = [str(w) for w in rng.permutation(letters)[:3]]
        yield case("a word that comes twice", [*twice, twice[0]], 3)
        yield case("a window wider than the sentence", twice[:2], 5)
        yield case("a long sentence", [str(w) for w in rng.choice(letters, 12)], 3, shown=False)
        yield case("one word", ["a"], 2, shown=False)

    def in_one_line(words, window):
        n = len(words)
        return [
            (words[i], words[j]) for i in range(n) for j in range(n) if 0 < abs(i - j) <= window
        ]

    def with_slices(words, window):
        found = []
        for i, center in enumerate(words):
            company = words[max(0, i - window) : i] + words[i + 1 : i + 1 + window]
            found += [(center, other) for other in company]
        return found

    def other_words_only(words, window):
        return [p for p in pairs_of()(words, window) if p[0] != p[1]]

    def to_the_right(words, window):
        n = len(words)
        return [
            (words[i], words[j]) for i in range(n) for j in range(i + 1, min(n, i + window + 1))
        ]

    variants = [in_one_line, with_slices]
    mistakes = {
        "A word is not its own company: leave out the place itself.": pairs_of(own=True),
        "The last word of the window is missing: range stops before its end.": pairs_of(right=0),
        "Company stands on both sides; you looked to the right only.": to_the_right,
        "The center comes first in a pair, then its company.": pairs_of(
            ordered=lambda pair: pair[::-1]
        ),
        "Leave out the place, not the word: a word that comes twice keeps itself company.": (
            other_words_only
        ),
    }
    explain = """
    For the place i, company stands at i - window … i + window, but for i itself and for places
    outside the sentence. In a b c with a window of 1: (a, b), (b, a), (b, c), (c, b).
    """


def neighbours(measure="cosine", own=False, sign=-1):
    """Indices of the nearest rows; a mistake measures otherwise."""

    def nearest(vectors, row, n):
        query = vectors[row]
        scores = vectors @ query
        if measure == "cosine":
            scores = scores / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(query))
        elif measure == "distance":
            scores = -np.linalg.norm(vectors - query, axis=1)
        order = np.argsort(sign * scores)
        return [int(i) for i in order if own or i != row][:n]

    return nearest


@question(
    id="nearest-words",
    title="Neighbours by angle",
    asks="nearest",
    points=1,
    section="sec-seq2seq-similarity",
)
class NearestWords:
    reference = neighbours()

    def cases(rng):
        for name, m, d, n, shown in (
            ("the nearest of six", 6, 3, 1, True),
            ("three of ten", 10, 4, 3, True),
            ("all others", 8, 5, 7, True),
            ("five of many", 40, 8, 5, False),
        ):
            # lengths differ by a factor of ten, so that length and angle disagree
            vectors = rng.normal(size=(m, d)) * 10 ** rng.uniform(-1, 1, size=(m, 1))
            yield case(name, vectors, int(rng.integers(m)), n, shown=shown)

    def with_unit_vectors(vectors, row, n):
        unit = vectors / np.sqrt((vectors**2).sum(1, keepdims=True))
        scores = unit @ unit[row]
        scores[row] = -np.inf
        return np.argsort(scores)[::-1][:n].tolist()

    def one_by_one(vectors, row, n):
        def angle(i):
            a, b = vectors[i], vectors[row]
            return np.arccos(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1, 1))

        return sorted((i for i in range(len(vectors)) if i != row), key=angle)[:n]

    variants = [with_unit_vectors, one_by_one]
    mistakes = {
        "The word itself is among its neighbours; leave it out.": neighbours(own=True),
        "You compared by the dot product: long vectors win. Divide by both lengths.": neighbours(
            measure="dot"
        ),
        "You compared distances; the cosine knows no lengths.": neighbours(measure="distance"),
        "These are the farthest: a large cosine is near.": neighbours(sign=1),
    }
    explain = r"""
    Divide every row by its length; the cosines with row $i$ are then one matrix product. Sort
    from the largest, and skip $i$ itself.
    """


def log_after_sigmoid(scores):
    return torch.log(torch.sigmoid(scores))


def sampling_loss(minus=-1.0, flip=-1.0, over=torch.sum, batch=torch.mean, squash=None):
    """The loss of negative sampling; a mistake changes one part."""
    squash = nn.functional.logsigmoid if squash is None else squash

    def negative_sampling_loss(center, context, negatives):
        right = squash((center * context).sum(-1))  # (B,)
        wrong = squash(flip * torch.einsum("bkd,bd->bk", negatives, center))  # (B, K)
        return minus * batch(right + over(wrong, -1))

    return negative_sampling_loss


@question(
    id="negative-sampling-loss",
    title="True company or noise?",
    asks="negative_sampling_loss",
    points=3,
    section="sec-seq2seq-word2vec",
)
class NegativeSamplingLoss:
    parts = {"values": 2, "gradient": 1}

    def driver(answer, center, context, negatives, back):
        from coursekit.grading.drivers import unfinished

        center = center.clone().requires_grad_(back)
        loss = answer(center, context, negatives)
        if unfinished(loss) or not back:
            return loss
        if loss.requires_grad:
            loss.backward()
        return loss, center.grad

    reference = sampling_loss()

    def cases(rng):
        def draw(*shape):
            return torch.tensor(rng.normal(size=shape), dtype=torch.float32)

        for name, B, K, d, shown in (
            ("one pair, two words of noise", 1, 2, 3, True),
            ("three pairs", 3, 4, 2, True),
            ("a batch", 32, 5, 8, False),
        ):
            inputs = draw(B, d), draw(B, d), draw(B, K, d)
            yield case(name, *inputs, False, shown=shown, part="values")
            yield case(f"{name}, and back", *inputs, True, shown=shown, part="gradient")
        far = draw(2, 3) * 200
        yield case("scores of ten thousand", far, -far, far[:, None], False, part="values")

    def with_softplus(center, context, negatives):
        right = nn.functional.softplus(-(center * context).sum(1))
        wrong = nn.functional.softplus((negatives @ center[:, :, None])[..., 0])
        return (right + wrong.sum(1)).mean()

    def as_a_classifier(center, context, negatives):
        both = torch.cat([context[:, None], negatives], dim=1)  # (B, 1 + K, d)
        scores = (both * center[:, None]).sum(-1)
        truth = torch.zeros_like(scores)
        truth[:, 0] = 1.0
        loss = nn.functional.binary_cross_entropy_with_logits(scores, truth, reduction="sum")
        return loss / len(center)

    variants = [with_softplus, as_a_classifier]
    mistakes = {
        "This is what is to be made large; a loss is its negative.": sampling_loss(minus=1.0),
        "The scores of the noise need a minus inside the sigmoid.": sampling_loss(flip=1.0),
        "Add up the words of noise; you took their mean.": sampling_loss(over=torch.mean),
        "Take the mean over the batch; you added up.": sampling_loss(batch=torch.sum),
        "For a very negative score log(sigmoid) is minus infinity; use logsigmoid.": sampling_loss(
            squash=log_after_sigmoid
        ),
    }
    explain = r"""
    The score of a pair is the dot product. A true pair gives $-\log\sigma(s)$, each word of noise
    $-\log\sigma(-s)$. Add up over the noise, take the mean over the batch. With all scores 0 and
    two words of noise the loss is $3\log 2$.
    """
