from dataclasses import replace
from pathlib import Path

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
        ({"seconds": 0}, "seconds = 0; a number above 0"),
        ({"memory_mb": "2 GB"}, "memory_mb = '2 GB'; a number above 0"),
        ({"repetitions": 0}, "repetitions = 0; a number above 0"),
        ({"parts": {"values": 1}}, "gives 2 points, but its parts {'values': 1} add up to 1"),
        ({"parts": {"values": 3, "rest": -1}}, "add up to 2"),
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


def test_cases_and_parts_must_name_each_other(double):
    def in_parts(*names):
        def cases(rng):
            for number, name in enumerate(names):
                yield case(f"case {number}", rng.normal(size=3), part=name)

        return replace(double, cases=cases, parts={"values": 1, "shapes": 1})

    assert publish(in_parts("values", "shapes", "values"))["cases"][1]["part"] == "shapes"
    for names in (["values"], ["values", "shapes", "speed"], ["values", "shapes", ""]):
        with pytest.raises(QuestionError, match=r"`parts` has \['shapes', 'values'\]"):
            publish(in_parts(*names))


def own(tiny, text) -> Path:
    """A teacher's folder with the tiny chapter's questions after an edit."""
    folder = tiny / "private" / "99-tiny"
    folder.mkdir(parents=True)
    (folder / "questions.py").write_text(text, encoding="utf-8")
    return folder


def test_private_questions_replace_those_of_the_same_id_and_add_others(tiny):
    public = tiny / "solutions" / "99-tiny"
    text = (public / "questions.py").read_text(encoding="utf-8")
    new = text.replace("Twice as much", "A variant").replace('"essay"', '"why"')
    found = load_questions(public, overlay=own(tiny, new))
    assert [(q.id, q.title) for q in found] == [
        ("double", "A variant"),
        ("essay", "Why?"),
        ("why", "Why?"),
    ]
    assert [q.title for q in load_questions(public)] == ["Twice as much", "Why?"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('asks="double"', 'asks="twice"', "asks for 'twice' (code), but the chapter's"),
        ('id="essay"', 'id="double"', "declares double twice"),
        ("variants = [", "variants = []  # [", "at least 2 right answers"),
        ("@question", "#", "declares no question"),
    ],
)
def test_a_private_question_that_does_not_fit_is_refused(tiny, old, new, says):
    public = tiny / "solutions" / "99-tiny"
    text = (public / "questions.py").read_text(encoding="utf-8")
    assert old in text
    if new == "#":
        text = "import numpy\n"
    with pytest.raises(QuestionError) as error:
        load_questions(public, overlay=own(tiny, text.replace(old, new)))
    assert says in str(error.value)


def test_a_private_folder_without_questions_is_named(tiny):
    with pytest.raises(QuestionError, match=r"nowhere.questions\.py does not exist"):
        load_questions(tiny / "solutions" / "99-tiny", overlay=tiny / "nowhere")


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
