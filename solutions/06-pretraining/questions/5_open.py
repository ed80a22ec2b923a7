"""Two numbers that must not be compared."""

from coursekit.grading import question


@question(
    id="which-tokenizer",
    title="Which tokenizer is better?",
    asks="findings",
    points=6,
    section="sec-pretraining-evaluation",
    kind="manual",
)
class WhichTokenizer:
    rubric = [
        (1, "says why the two perplexities cannot be compared, and what can"),
        (2, "measures both for at least four vocabularies, on documents not trained on"),
        (1, "gives the spread over splits or seeds, and says which differences survive it"),
        (1, "names what else a larger vocabulary changes: context, parameters, cost of a token"),
        (1, "says what the experiment does not show, and what would change the conclusion"),
    ]
    explain = r"""
    A perplexity is the effective number of choices for a token. Fewer, longer tokens leave more
    choices each, so it grows with the vocabulary even where the model is no worse. The bits of the
    whole text do not depend on how it was cut: divide them by its bytes. Train tokenizers of
    several sizes on the same training documents, fit the same count model to each one's tokens, and
    score documents that neither has seen; repeat with other splits, since a few documents decide
    much.
    """
