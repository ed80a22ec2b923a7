"""Language models: counting pairs of words, and how surprised a model is."""

import itertools
import math
from collections import Counter

import numpy as np

from coursekit.grading import case, question


def bigram(end=True, words_for_end=True, smooth_below=True, below="before", add=lambda k: k):
    """A smoothed bigram probability; a mistake counts otherwise."""

    def bigram_probability(sentences, before, word, k):
        pairs, firsts = Counter(), Counter()
        for s in sentences:
            whole = ["<bos>", *s, "<eos>"] if end else ["<bos>", *s]
            for a, b in itertools.pairwise(whole):
                pairs[a, b] += 1
                firsts[a] += 1
        V = len({w for s in sentences for w in s}) + words_for_end
        k = add(k)
        total = firsts[before] if below == "before" else sum(pairs.values())
        return (pairs[before, word] + k) / (total + k * V * smooth_below)

    return bigram_probability


@question(
    id="bigram-probability",
    title="A word after a word",
    asks="bigram_probability",
    points=2,
    section="sec-seq2seq-language-models",
)
class BigramProbability:
    reference = bigram()

    def cases(rng):
        words = list("abcd")

        def draw(m):
            return [[str(w) for w in rng.choice(words, size=rng.integers(2, 6))] for _ in range(m)]

        text = draw(4)
        yield case("a pair that was seen", text, text[0][0], text[0][1], 0.5)
        yield case("the end", text, text[1][-1], "<eos>", 0.5)
        yield case("the beginning", text, "<bos>", text[2][0], 1.0)
        yield case("a pair that was not seen", [["a", "b"], ["b", "b", "c"]], "c", "a", 0.25)
        more = draw(30)
        yield case("more text", more, more[3][0], more[3][1], 0.1, shown=False)
        yield case("more text, the end", more, more[5][-1], "<eos>", 2.0, shown=False)

    def with_two_loops(sentences, before, word, k):
        both = first = 0
        known = {"<eos>"}
        for s in sentences:
            known |= set(s)
            previous = "<bos>"
            for w in [*s, "<eos>"]:
                first += previous == before
                both += previous == before and w == word
                previous = w
        return (both + k) / (first + k * len(known))

    def with_a_table(sentences, before, word, k):
        known = sorted({w for s in sentences for w in s})
        row = {w: i for i, w in enumerate(["<bos>", *known])}
        column = {w: i for i, w in enumerate([*known, "<eos>"])}
        counts = np.full((len(row), len(column)), float(k))
        for s in sentences:
            for a, b in zip(["<bos>", *s], [*s, "<eos>"], strict=True):
                counts[row[a], column[b]] += 1
        return counts[row[before], column[word]] / counts[row[before]].sum()

    variants = [with_two_loops, with_a_table]
    mistakes = {
        "A sentence ends with <eos>, and that counts as a word that follows.": bigram(end=False),
        "V counts the words that may follow: <eos> is one of them.": bigram(words_for_end=False),
        "You added k above but not below: add k for each of the V words.": bigram(
            smooth_below=False
        ),
        "Divide by the pairs that begin with this word, not by all pairs.": bigram(below="all"),
        "You smoothed with 1; the amount to add is k.": bigram(add=lambda k: 1 if k != 1 else 2),
    }
    explain = r"""
    Put <bos> before and <eos> behind each sentence and count the pairs. Then
    $p(w\mid v) = (n_{vw}+k)/(n_{v}+kV)$, where $n_v$ counts pairs that begin with $v$ and $V$ is
    the number of different words plus one for <eos>. From the texts a b and a c, with k = 1:
    p(b | a) = (1 + 1)/(2 + 4) = 1/3.
    """


def surprise(log=np.log, back=np.exp, mean=np.mean, sign=-1):
    def perplexity(probabilities):
        return float(back(sign * mean(log(probabilities))))

    return perplexity


@question(
    id="perplexity",
    title="Perplexity",
    asks="perplexity",
    points=1,
    section="sec-seq2seq-language-models",
)
class Perplexity:
    reference = surprise()

    def cases(rng):
        yield case("four words", rng.uniform(0.05, 0.9, size=4))
        yield case("nine words", rng.uniform(0.01, 0.9, size=9))
        yield case("one in eight each time", np.full(5, 0.125))
        yield case("a long text", rng.uniform(1e-4, 0.5, size=2000), shown=False)

    def with_bits(probabilities):
        return float(2 ** -np.mean(np.log2(probabilities)))

    def with_a_loop(probabilities):
        total = 0.0
        for p in probabilities:
            total -= math.log(p)
        return math.exp(total / len(probabilities))

    def product(probabilities):
        return float(1 / np.mean(probabilities))

    variants = [with_bits, with_a_loop]
    mistakes = {
        "You took logarithms to the base 2; their power is 2**, not exp.": surprise(log=np.log2),
        "You raised 2 to the power; natural logarithms go with exp.": surprise(back=np.exp2),
        "You added up the surprises; take their mean over the words.": surprise(mean=np.sum),
        "The sign is turned: this is one over the perplexity.": surprise(sign=1),
        "The mean is taken of the logarithms, not of the probabilities.": product,
        "This is the mean surprise in nats; its exponential is the perplexity.": surprise(
            back=lambda x: x
        ),
    }
    explain = r"""
    $\exp\bigl(-\tfrac1N\sum_i\log p_i\bigr)$. If every word had probability 1/8 the perplexity is
    8. Multiply the probabilities of a long text and you get 0 in floating point, so add up
    logarithms.
    """
