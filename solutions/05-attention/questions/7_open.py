"""A benchmark that says too much."""

from coursekit.grading import question


@question(
    id="benchmark",
    title="Forty times faster?",
    asks="benchmark",
    points=4,
    section="sec-attention-measured",
    kind="manual",
)
class Benchmark:
    rubric = [
        (1, "finds at least four flaws, and says for each which number it moves and which way"),
        (1, "writes a measurement without them: warmed up, synchronised, repeated, same work"),
        (1, "runs a fair comparison of two implementations, with the spread and what it ran on"),
        (1, "says what the result does not show"),
    ]
