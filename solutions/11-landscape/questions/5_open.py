"""A card for a model, and a claim taken apart."""

from coursekit.grading import question


@question(
    id="write-a-card",
    title="A card for a model of yours",
    asks="card",
    points=4,
    section="sec-landscape-card",
    kind="manual",
)
class WriteACard:
    rubric = [
        (1, "says what the model is, on which data it was trained, and what it is not for"),
        (1, "gives a measured score with its spread, on data that training did not see"),
        (1, "gives the score for at least two parts of the data, and names the worse one"),
        (1, "names a failure that the writer provoked and saw, and energy with a range"),
    ]


@question(
    id="take-apart",
    title="Take a claim apart",
    asks="report",
    points=4,
    section="sec-landscape-serendipity",
    kind="manual",
)
class TakeApart:
    rubric = [
        (
            1,
            "quotes a claim of the last year about what AI does, costs or will do, with its source",
        ),
        (1, "says what would have to be measured, and finds what was measured"),
        (1, "states the strongest case for the claim and the strongest against it"),
        (1, "recomputes one number, or shows why it cannot be recomputed"),
    ]
