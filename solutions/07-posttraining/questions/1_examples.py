"""From examples: what is scored, what may see what, and how little needs to change."""

import numpy as np

from coursekit.grading import case, question


@question(
    id="response-loss",
    title="Score the answer only",
    asks="response_loss",
    points=1,
    section="sec-posttraining-sft",
)
class ResponseLoss:
    def reference(log_probs, mask):
        return -log_probs[mask].mean()

    def cases(rng):
        yield case("two rows alike", np.log([[0.5, 0.25], [0.5, 0.5]]), np.full((2, 2), True))
        for name, lengths, shown in (
            ("answers of two lengths", (1, 4), True),
            ("one row", (3,), True),
            ("answers of one token", (1, 1, 1), True),
            ("many rows", (2, 5, 1, 6), False),
        ):
            mask = np.zeros((len(lengths), 8), dtype=bool)
            for row, n in enumerate(lengths):
                mask[row, 2 : 2 + n] = True
            yield case(name, -rng.exponential(2.0, size=mask.shape), mask, shown=shown)

    def by_counting(log_probs, mask):
        total = count = 0
        for row, marks in zip(log_probs, mask, strict=True):
            for value, mark in zip(row, marks, strict=True):
                total, count = total - value * mark, count + mark
        return total / count

    def as_a_weighted_mean(log_probs, mask):
        return -np.average(log_probs, weights=mask)

    def prompts_too(log_probs, mask):
        return -log_probs.mean()

    def divided_by_all(log_probs, mask):
        return -(log_probs * mask).mean()

    def row_by_row(log_probs, mask):
        return -np.mean([row[marks].mean() for row, marks in zip(log_probs, mask, strict=True)])

    def summed(log_probs, mask):
        return -log_probs[mask].sum()

    variants = [by_counting, as_a_weighted_mean]
    mistakes = {
        "Prompt and padding are in it; only the tokens that the mask marks are learned.": (
            prompts_too
        ),
        "You add the marked tokens and divide by all of them; divide by the marked ones.": (
            divided_by_all
        ),
        "A mean for each row first makes a short answer's tokens weigh more; all are alike.": (
            row_by_row
        ),
        "You summed; the mean divides by the number of marked tokens.": summed,
        "A loss is minus a log-probability.": lambda log_probs, mask: log_probs[mask].mean(),
    }
    explain = r"""
    The mask chooses: `log_probs[mask]` is a flat array of the answers' tokens, whatever rows they
    are in. Minus its mean is the loss in nats a token. Prompts have been computed as well, since
    answers are conditioned on them, but nothing is learned from foretelling them.
    """


def visible(document):
    n = len(document)
    same = document[:, None] == document[None, :]
    return same & np.tri(n, dtype=bool) & (document >= 0)[:, None]


@question(
    id="who-sees-whom",
    title="Neighbours that are strangers",
    asks="may_see",
    points=2,
    section="sec-posttraining-packing",
)
class WhoSeesWhom:
    def reference(document):
        return visible(document)

    def cases(rng):
        yield case("one example", np.array([0, 0, 0]))
        yield case("two examples", np.array([0, 0, 1, 1, 1]))
        yield case("padding at the end", np.array([0, 0, 1, -1, -1]))
        yield case("examples of one token", np.array([0, 1, 2, -1]))
        for name in ("a longer row", "another"):
            lengths = rng.integers(1, 5, size=4)
            yield case(name, np.repeat([0, 1, 2, -1], lengths), shown=False)

    def one_by_one(document):
        n = len(document)
        out = np.zeros((n, n), dtype=bool)
        for i in range(n):
            for j in range(i + 1):
                out[i, j] = document[i] == document[j] != -1
        return out

    def block_by_block(document):
        out = np.zeros((len(document),) * 2, dtype=bool)
        for d in set(document.tolist()) - {-1}:
            own = np.flatnonzero(document == d)
            out[np.ix_(own, own)] = np.tril(np.ones((len(own),) * 2, dtype=bool))
        return out

    def all_that_came_before(document):
        return np.tri(len(document), dtype=bool) & (document >= 0)[:, None]

    def also_later(document):
        return (document[:, None] == document) & (document >= 0)[:, None]

    def not_itself(document):
        return visible(document) & ~np.eye(len(document), dtype=bool)

    def padding_too(document):
        return (document[:, None] == document) & np.tri(len(document), dtype=bool)

    def turned_round(document):
        return visible(document).T

    variants = [one_by_one, block_by_block]
    mistakes = {
        "A token sees the examples before its own; it must not.": all_that_came_before,
        "A token sees what comes after it in its own example.": also_later,
        "A token may look at itself.": not_itself,
        "Padding, marked -1, sees nothing and is seen by nobody.": padding_too,
        "Rows look and columns are looked at; yours is turned round.": turned_round,
    }
    explain = r"""
    Compare every token's number with every other's: `document[:, None] == document[None, :]`. Keep
    the lower triangle, which is what came before, itself included. Then clear the rows of padding:
    -1 equals -1 and would otherwise count as an example.
    """


@question(
    id="merge-lora",
    title="Put the correction into the weight",
    asks="merge",
    points=1,
    section="sec-posttraining-lora",
)
class MergeLora:
    def reference(W, A, B, alpha):
        return W + alpha / len(A) * B @ A

    def cases(rng):
        for name, d_out, d_in, r, alpha, shown in (
            ("rank one", 3, 3, 1, 2.0, True),
            ("a flat matrix", 2, 5, 2, 16.0, True),
            ("alpha equal to the rank", 4, 4, 3, 3.0, True),
            ("a larger one", 7, 6, 4, 1.0, False),
        ):
            A, B = rng.normal(size=(r, d_in)), rng.normal(size=(d_out, r))
            yield case(name, rng.normal(size=(d_out, d_in)), A, B, alpha, shown=shown)

    def one_rank_after_another(W, A, B, alpha):
        out = W.copy()
        for k in range(len(A)):
            out += np.outer(B[:, k], A[k]) * alpha / len(A)
        return out

    def with_einsum(W, A, B, alpha):
        return W + np.einsum("ir,rj->ij", B * (alpha / B.shape[1]), A)

    def without_alpha(W, A, B, alpha):
        return W + B @ A

    def not_divided(W, A, B, alpha):
        return W + alpha * B @ A

    def by_the_width(W, A, B, alpha):
        return W + alpha / W.shape[1] * B @ A

    def in_place_of_it(W, A, B, alpha):
        return alpha / len(A) * B @ A

    variants = [one_rank_after_another, with_einsum]
    mistakes = {
        "The correction is scaled by alpha over the rank.": without_alpha,
        "Alpha is divided by the rank, so that a higher rank does not change the scale.": (
            not_divided
        ),
        "Alpha is divided by the rank, the rows of A, not by the width.": by_the_width,
        "The correction is added to the weight; you returned it alone.": in_place_of_it,
    }
    explain = r"""
    $W+\frac\alpha rBA$: `B @ A` has W's shape, `(d_out, r) @ (r, d_in)`, and the rank is `len(A)`.
    After merging, a forward pass costs what it cost before, and nothing of LoRA is left to see.
    """
