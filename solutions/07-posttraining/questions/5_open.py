"""A reward is what one can measure, not what one wants."""

from coursekit.grading import question


@question(
    id="cheat-the-reward",
    title="Cheat the reward",
    asks="findings",
    points=6,
    section="sec-posttraining-over-optimisation",
    kind="manual",
)
class CheatTheReward:
    rubric = [
        (1, "says in words what is wanted, and writes a reward that sounds like it"),
        (2, "finds a response that earns more than a good one and is worse, by search or by hand"),
        (1, "says which property of the reward the response uses"),
        (1, "repairs the reward, and shows what the same search finds now"),
        (1, "says what the repair does not cover, or what it costs"),
    ]
    explain = r"""
    Write the reward as a function of a text, and search: start from a good answer, change it at
    random, and keep a change when the reward grows. What comes out uses whatever the function
    does not look at. A reward for short answers finds the empty one, one for the words of the
    question finds the question, one that counts steps finds steps without content. A verifier that
    looks at a property, such as sorted and the same digits, is harder to cheat than a comparison
    with words; it still says nothing about what it was not asked to check.
    """
