"""Language models that count: relative frequencies of runs of words, smoothed."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import array, count

BEGIN, END, UNKNOWN = "<bos>", "<eos>", "<unk>"
Context = tuple[str, ...]
Conditional = Callable[[str, Context], float]


def sentence_log_prob(conditional: Conditional, tokens: Sequence[str]) -> float:
    """Return the logarithm of a sentence's probability, its end included, in nats.

    Implements :eq:`eq-seq2seq-chain-rule`: the product of each word's probability after all words
    before it, as a sum of logarithms.

    Parameters
    ----------
    conditional : callable
        ``conditional(word, context)`` is p(word | context), the context being all words before.
    tokens : sequence of str
        The sentence, without its marks.

    Returns
    -------
    float
        Minus infinity where a word is impossible.

    Raises
    ------
    TypeError
        If `tokens` is one string.

    Examples
    --------
    >>> round(sentence_log_prob(lambda word, context: 0.5, ["a", "b"]) / math.log(2))
    -3
    """
    if isinstance(tokens, str):
        raise TypeError(f"a list of tokens is wanted and {tokens!r} is one string; split it.")
    whole = (*tokens, END)
    probabilities = [conditional(word, whole[:i]) for i, word in enumerate(whole)]
    return sum(math.log(p) if p > 0 else -math.inf for p in probabilities)


def perplexity(log_probs: ArrayLike) -> float:
    """Return the number of equally likely words that would be as hard to guess.

    Implements :eq:`eq-seq2seq-perplexity`.

    Parameters
    ----------
    log_probs : array_like, shape (N,)
        Logarithms, in nats, of the probability that the model gave to each token of the text.

    Returns
    -------
    float
        At least 1; infinite where a token was held impossible.

    Raises
    ------
    ValueError
        If there is no token, or a value is NaN or above 0.

    Examples
    --------
    >>> round(perplexity(np.log([0.25, 0.25, 0.25])), 6)
    4.0
    """
    values = array(log_probs, "log_probs", ndim=1, finite=False)
    if not len(values) or np.isnan(values).any() or values.max() > 1e-9:
        raise ValueError("log_probs must hold one logarithm of a probability or more, 0 or less.")
    return float(np.exp(-values.mean()))


class NGram:
    """Each word depends on the `order` - 1 words before it.

    Implements :eq:`eq-seq2seq-ngram`, with one of two ways to treat runs that were never seen:
    `add` pretends to have seen every run so many times more; `discount` takes so much off every
    count and gives it to the model of the next lower order (interpolated Kneser-Ney), where a
    word counts by how many different words it follows. With neither, what was not seen has
    probability 0, and all is 0 after a context that was not seen.

    Parameters
    ----------
    sentences : sequence of token lists
        What to count.
    order : int
        1 for single words, 2 for pairs, …
    add : float
        Added to every count, 0 or more.
    discount : float
        Between 0 and 1; not together with `add`.

    Raises
    ------
    ValueError
        If there is no sentence, or a number is out of range.

    Examples
    --------
    >>> model = NGram([["a", "b"], ["a", "c"]], order=2)
    >>> model.probability("b", ["a"])
    0.5
    >>> NGram([["a", "b"], ["a", "c"]], order=2, add=1).probability("b", ["a"])
    0.2857142857142857
    """

    def __init__(
        self,
        sentences: Sequence[Sequence[str]],
        order: int,
        *,
        add: float = 0.0,
        discount: float = 0.0,
    ) -> None:
        if add < 0 or not 0 <= discount < 1 or (add and discount):
            raise ValueError(
                f"add is {add} and discount {discount}; one of them, add of 0 or more or a "
                "discount from 0 to 1, wanted."
            )
        if not sentences:
            raise ValueError("there are no sentences to count.")
        self.order, self.add, self.discount = count(order, "order"), add, discount
        self.words = frozenset({END, UNKNOWN}.union(*sentences))
        self.counts = self._count(sentences)

    def _count(self, sentences: Sequence[Sequence[str]]) -> list[dict[Context, Counter[str]]]:
        """Return, for each length of context, how often each word follows each context."""
        tables: list[dict[Context, Counter[str]]] = [
            defaultdict(Counter) for _ in range(self.order)
        ]
        for tokens in sentences:
            padded = (BEGIN,) * (self.order - 1) + (*tokens, END)
            for i in range(self.order - 1, len(padded)):
                tables[-1][padded[i - self.order + 1 : i]][padded[i]] += 1
        for n in reversed(range(self.order - 1)):  # by Kneser and Ney: types, not tokens
            for context, following in tables[n + 1].items():
                tables[n][context[1:]].update(following.keys())
        return tables

    def probability(self, word: str, context: Sequence[str] = ()) -> float:
        """Return p(word | context).

        Parameters
        ----------
        word : str
            A word, or ``"<eos>"``. What was never seen is ``"<unk>"``.
        context : sequence of str
            All words before it in the sentence; the last `order` - 1 count.

        Returns
        -------
        float
        """
        word = word if word in self.words else UNKNOWN
        known = [w if w in self.words else UNKNOWN for w in context]
        padded = [BEGIN] * (self.order - 1) + known
        seen = tuple(padded[len(padded) - self.order + 1 :])
        if self.discount:
            return self._kneser_ney(word, seen)
        following = self.counts[-1].get(seen, Counter())
        total = following.total() + self.add * len(self.words)
        return (following[word] + self.add) / total if total else 0.0

    def _kneser_ney(self, word: str, context: Context) -> float:
        following = self.counts[len(context)].get(context)
        lower = self._kneser_ney(word, context[1:]) if context else 1 / len(self.words)
        if not following:
            return lower
        left_over = self.discount * len(following)
        return (max(following[word] - self.discount, 0) + left_over * lower) / following.total()

    def log_probs(self, sentences: Sequence[Sequence[str]]) -> list[float]:
        """Return the logarithm of the probability of every token, each sentence's end included."""
        found = []
        for tokens in sentences:
            for i, word in enumerate((*tokens, END)):
                p = self.probability(word, tokens[:i])
                found.append(math.log(p) if p > 0 else -math.inf)
        return found

    def sample(self, rng: np.random.Generator, max_length: int = 40) -> list[str]:
        """Draw a sentence, word by word; cut after `max_length` words.

        Raises
        ------
        ValueError
            If the model gives no word a probability, after a context that it has not seen.
        """
        words, tokens = sorted(self.words - {UNKNOWN}), list[str]()
        while len(tokens) < max_length:
            p = np.array([self.probability(w, tokens) for w in words])
            if not p.sum():
                raise ValueError(f"nothing was ever seen after {tokens[-self.order + 1 :]}.")
            word = words[int(rng.choice(len(words), p=p / p.sum()))]
            if word == END:
                break
            tokens.append(word)
        return tokens
