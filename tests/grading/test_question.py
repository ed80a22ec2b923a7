from dataclasses import replace

import numpy as np
import pytest

from coursekit.grading.public import publish
from coursekit.grading.question import (
    QuestionError,
    case,
    chapter_folders,
    load_questions,
    question,
    validate,
)


@pytest.fixture
def double(tiny):
    return load_questions(tiny / "solutions" / "99-tiny")[0]


@pytest.fixture
def essay(tiny):
    return load_questions(tiny / "solutions" / "99-tiny")[1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": "Log Softmax"}, "lower-case words joined by hyphens"),
        ({"id": "x" * 60}, "lower-case words"),
        ({"asks": "log-softmax"}, "not a Python name"),
        ({"asks": "class"}, "not a Python name"),
        ({"title": " "}, "needs a title"),
        ({"points": 0}, "a whole number above 0"),
        ({"points": 1.5}, "a whole number above 0"),
        ({"section": "softmax"}, "a target 'sec-…'"),
        ({"kind": "essay"}, "code or manual"),
        ({"reference": None}, "needs a `reference`"),
        ({"cases": None}, "needs `cases(rng)`"),
        ({"mistakes": {"One.": abs, "Two.": abs, "Three.": abs}}, "3 mistakes; at least 4"),
        ({"mistakes": {"A.": abs, "B.": abs, "C.": abs, "no sentence": abs}}, "one sentence"),
        ({"variants": [abs]}, "1 variants; at least 2"),
        ({"rubric": [(2, "reason")]}, "takes no `rubric`"),
        ({"compare": 1e-6}, "Close(rtol=…, atol=…)"),
    ],
)
def test_an_incomplete_question_says_what_to_change(double, change, says):
    validate(double)
    with pytest.raises(QuestionError, match=r"question '") as error:
        validate(replace(double, **change))
    assert says in str(error.value)


def test_a_manual_question_needs_a_rubric_that_adds_up(essay):
    validate(essay)
    with pytest.raises(QuestionError, match="needs a `rubric`"):
        validate(replace(essay, rubric=[]))
    with pytest.raises(QuestionError, match="gives 3 points, but its rubric adds up to 1"):
        validate(replace(essay, points=3))


def test_a_forgotten_mistake_or_misspelt_field_is_found():
    with pytest.raises(QuestionError, match=r"\['varients'\]"):

        @question(id="a", title="A", asks="a", points=1, section="sec-a")
        class A:
            reference = abs
            varients = [abs]  # noqa: RUF012 - the misspelling under test


def test_a_mistake_that_the_cases_do_not_catch_is_refused(double):
    careless = {**double.mistakes, "Right after all.": lambda x: x * 2}
    with pytest.raises(QuestionError, match="answers like 'the reference'"):
        publish(replace(double, mistakes=careless))


def test_two_mistakes_that_cannot_be_told_apart_are_refused(double):
    twin = {**double.mistakes, "The same again.": lambda x: x / 2}
    with pytest.raises(QuestionError, match=r"answers like 'You halved it\.'"):
        publish(replace(double, mistakes=twin))


def test_a_wrong_variant_is_refused(double):
    with pytest.raises(QuestionError, match="does not accept its variant 3"):
        publish(replace(double, variants=[*double.variants, lambda x: 3 * x]))


def test_a_reference_that_fails_or_spoils_its_inputs_is_refused(double):
    def spoils(x):
        x += 1
        return x

    with pytest.raises(QuestionError, match="fails on 'three values' with ZeroDivisionError"):
        publish(replace(double, reference=lambda x: 1 // 0))
    with pytest.raises(QuestionError, match="with changing its inputs"):
        publish(replace(double, reference=spoils))


def test_a_question_must_show_a_case(double):
    def hidden(rng):
        yield case("hidden", rng.normal(size=2), shown=False)

    with pytest.raises(QuestionError, match="shows no case"):
        publish(replace(double, cases=hidden))


def test_cases_kept_back_are_not_published(double):
    item = publish(double)
    assert [c["name"] for c in item["cases"]] == ["three values", "a table"]
    assert [c.name for c in double.cases(np.random.default_rng(0))][-1] == "kept back"


def test_a_missing_or_empty_questions_file_is_explained(tmp_path):
    with pytest.raises(QuestionError, match=r"questions\.py does not exist"):
        load_questions(tmp_path)
    (tmp_path / "questions.py").write_text("x = 1\n")
    with pytest.raises(QuestionError, match="declares no question"):
        load_questions(tmp_path)


def test_two_questions_of_one_id_are_refused(tiny):
    path = tiny / "solutions" / "99-tiny" / "questions.py"
    path.write_text(path.read_text() + "\nAgain = Double\n")
    with pytest.raises(QuestionError, match="declares double twice"):
        load_questions(path.parent)


def split(tiny, **ids):
    """Replace the chapter's one file by a folder, whose files name their two questions."""
    folder = tiny / "solutions" / "99-tiny"
    text = (folder / "questions.py").read_text()
    (folder / "questions.py").unlink()
    (folder / "questions").mkdir()
    for name, (first, second) in ids.items():
        named = text.replace('id="double"', f'id="{first}"').replace('id="essay"', f'id="{second}"')
        (folder / "questions" / f"{name}.py").write_text(named)
    return folder


def test_a_folder_of_questions_is_read_in_the_order_of_the_names(tiny):
    folder = split(tiny, q2=("c", "d"), q1=("a", "b"))
    assert [q.id for q in load_questions(folder)] == ["a", "b", "c", "d"]
    assert chapter_folders(tiny) == [folder]


def test_an_id_that_two_files_share_is_refused(tiny):
    with pytest.raises(QuestionError, match="declares b twice"):
        load_questions(split(tiny, q1=("a", "b"), q2=("b", "c")))


def test_a_file_of_the_folder_without_questions_is_refused(tiny):
    folder = split(tiny, q1=("a", "b"))
    (folder / "questions" / "helpers.py").write_text("x = 1\n")
    with pytest.raises(QuestionError, match=r"helpers\.py declares no question"):
        load_questions(folder)


def test_a_file_and_a_folder_at_once_are_refused(tiny):
    folder = split(tiny, q1=("a", "b"))
    (folder / "questions.py").write_text("x = 1\n")
    with pytest.raises(QuestionError, match="both exist; keep the file or the folder"):
        load_questions(folder)
