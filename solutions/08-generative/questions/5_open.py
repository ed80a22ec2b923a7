"""The open one."""

from coursekit.grading import question


@question(
    id="cheat-the-table",
    title="Cheat the table",
    asks="cheat",
    points=4,
    section="sec-generative-table",
    kind="manual",
)
class CheatTheTable:
    rubric = [
        (1, "gives a sampler that beats the trained models on at least one score, and runs it"),
        (1, "says why it is useless as a generative model, and which score fails to see that"),
        (1, "measures a number that exposes it, on this sampler and on an honest one"),
        (1, "says what that number can be cheated by in its turn, or what it cannot see"),
    ]
