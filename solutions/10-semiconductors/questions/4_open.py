"""A line, and the best product under it."""

from coursekit.grading import question


@question(
    id="draw-a-line",
    title="Draw a line, then get round it",
    asks="line",
    points=4,
    section="sec-semiconductors-two-sides",
    kind="manual",
)
class DrawALine:
    rubric = [
        (1, "states a rule in quantities that a datasheet or a measurement gives, with thresholds"),
        (1, "designs the best chip that the rule leaves free, with its numbers and what it is for"),
        (1, "estimates its cost or its use with the chapter's models, and gives the range"),
        (1, "says what both sides would answer, and what the numbers cannot show"),
    ]
