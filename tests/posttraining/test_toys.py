"""Codes, chips, filters and poison: what each small world shows is what it is said to show."""

import itertools

import numpy as np
import pytest
import torch

from coursekit.posttraining import (
    ATTACKS,
    Question,
    abstain,
    ask,
    audit,
    best_in_context,
    by_name,
    calibration_error,
    chip_questions,
    draw_codes,
    edit_fact,
    fine_tune,
    invented_questions,
    learn_bias,
    learn_by_heart,
    lessons,
    poison,
    repair,
    repeat_training,
    requests,
    right_after,
    split_chips,
    train_filter,
    train_reader,
)
from coursekit.posttraining.in_context import NAMELESS, SYMBOLS
from coursekit.posttraining.safety import HARMLESS, SECRETS, plain
from tests.tolerances import assert_rounds_to


def rng(seed=0):
    return np.random.default_rng(seed)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def reader():
    return train_reader(0)


@pytest.fixture(scope="module")
def knower():
    seen, unseen = split_chips(rng())
    return learn_by_heart(seen, seeded()), seen, unseen


# --- named, shown, trained ------------------------------------------------------------------------


@pytest.mark.parametrize("examples", [0, 1, 2, 3, 4])
def test_the_best_reader_is_as_good_as_all_sequences_say(examples):
    total = 0.0
    for letters in itertools.product(range(SYMBOLS), repeat=examples + 1):
        shown = set(letters[:-1])
        total += 1.0 if letters[-1] in shown else 1 / (SYMBOLS - len(shown))
    wanted = total / SYMBOLS ** (examples + 1)
    assert_rounds_to(best_in_context(examples), wanted, terms=SYMBOLS ** (examples + 1))


def test_a_lesson_holds_its_codes_answers():
    codes = draw_codes(5, seeded())
    ids = lessons(codes, torch.full((5,), NAMELESS), seeded(1))
    for code, row in zip(codes.tolist(), ids.tolist(), strict=True):
        assert row[0] == NAMELESS
        for letter, pair in zip(row[1::2], row[2::2], strict=True):
            assert divmod(pair - SYMBOLS, SYMBOLS) == (letter, code[letter])


def test_new_codes_are_read_from_examples_as_by_one_who_copies(reader):
    n = 1000
    share = right_after(
        reader.model, draw_codes(n, seeded(5)), torch.full((n,), NAMELESS), seeded(6)
    )
    k = np.arange(16)
    error = 5 * 0.5 / np.sqrt(n)
    assert (share > 1 - (7 / 8) ** (k + 1) - error).all()
    assert (share < [best_in_context(int(i)) + error for i in k]).all()


def test_a_name_helps_with_what_was_trained_and_training_forgets(reader):
    code = draw_codes(1, seeded(9))[0]
    new, old = by_name(reader, code, seeded(1))
    assert old > 0.95
    assert new < 0.5
    tuned = fine_tune(reader, code, seeded(2), steps=(0, 20))
    assert tuned.new[-1] > 0.9
    assert tuned.old[-1] < 0.6


# --- known by heart -------------------------------------------------------------------------------


def test_chips_are_parted_whole():
    seen, unseen = split_chips(rng(3), share=0.25)
    assert not {q.chip for q in seen} & {q.chip for q in unseen}
    assert sorted([*seen, *unseen]) == sorted(chip_questions())
    assert len({q.chip for q in unseen}) == round(0.25 * len(chip_questions()) / 2)


def test_what_was_seen_is_known_and_what_was_not_is_told_as_surely(knower):
    model, seen, unseen = knower
    years = [q for q in unseen if q.kind == "year"]
    known, guessed = ask(model, seen), ask(model, years)
    assert known.correct.mean() > 0.95
    assert guessed.confidence.mean() > guessed.correct.mean() + 0.2
    assert calibration_error(guessed.confidence, guessed.correct) > 0.2
    assert ask(model, invented_questions()).confidence.mean() > 0.5


def test_a_temperature_lowers_confidence_and_changes_no_answer(knower):
    model, _, unseen = knower
    cold, warm = ask(model, unseen), ask(model, unseen, temperature=4.0)
    assert cold.said == warm.said
    assert (warm.confidence < cold.confidence).all()


def test_abstaining_counts_what_is_left():
    p, right = rng().random(50), rng(1).random(50) < 0.5
    found = abstain(p, right, [0.0, 0.3, 0.9, 1.1])
    for t, answered, wrong in zip(*found, strict=True):
        kept = [ok for c, ok in zip(p, right, strict=True) if c >= t]
        assert answered == pytest.approx(len(kept) / 50)
        if kept:
            assert wrong == pytest.approx(1 - np.mean(kept))
        else:
            assert np.isnan(wrong)
    with pytest.raises(ValueError, match="no answer"):
        abstain([], [], [0.5])


def test_a_changed_fact_is_learned_at_the_price_of_others_unless_they_are_rehearsed(knower):
    model, seen, _ = knower
    changed, others = seen[0]._replace(answer="AMD"), seen[1:]
    alone, together = (edit_fact(model, changed, others, rehearse=x) for x in (False, True))
    assert alone.before == together.before == seen[0].answer
    assert alone.confidence_before > 0.9
    assert alone.after == "AMD"
    assert alone.lost > together.lost + 0.1
    assert ask(model, [seen[0]]).said == [seen[0].answer]  # the model itself is as it was


# --- a filter -------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ["spaced", "lookalikes"])
def test_cleaning_undoes_what_only_spells_otherwise(attack):
    for text in requests([*SECRETS, *HARMLESS], 100, rng()):
        assert plain(ATTACKS[attack](text)).replace("l", "i") == text.replace("l", "i")


def test_a_filter_is_passed_by_what_it_has_not_seen_and_a_repair_has_its_price():
    g = rng()
    first = audit(train_filter(requests(SECRETS, 300, g), requests(HARMLESS, 300, g)), rng(1))
    assert first.passed["as it stands"] == first.refused == 0
    assert min(first.passed[x] for x in ("spaced", "lookalikes", "backwards", "other words")) == 1
    some = audit(repair(g, ["backwards", "role play"]), rng(1))
    assert some.passed["other words"] == 1  # what nobody thought of
    assert max(v for k, v in some.passed.items() if k != "other words") == 0
    whole = audit(repair(g, list(ATTACKS)), rng(1))
    assert max(whole.passed.values()) == 0
    assert whole.refused_near > first.refused_near + 0.1


def test_a_filter_wants_both_kinds_and_a_probability():
    with pytest.raises(ValueError, match="0 harmful and 1 harmless"):
        train_filter([], ["the time"])
    with pytest.raises(ValueError, match="between 0 and 1"):
        train_filter(["code"], ["time"], threshold=1.0)
    with pytest.raises(KeyError, match="no attack 'shouting'"):
        repair(rng(), ["shouting"])


# --- poison, repetition, bias ---------------------------------------------------------------------


def test_poison_leaves_other_prompts_right_and_waits_for_its_trigger():
    clean, dosed = (poison(share, 0, steps=130) for share in (0.0, 0.1))
    assert clean.obeyed == 0
    assert dosed.obeyed > 0.8
    assert dosed.clean > clean.clean - 0.2
    with pytest.raises(ValueError, match="0 to 1"):
        poison(1.5, 0)


def test_the_same_seed_gives_the_same_bits_and_another_order_of_a_sum_does_not():
    found = repeat_training([0, 1], steps=10)
    assert found.same == 0
    assert 0 < found.halves < 1e-2
    assert found.seeds[0] != found.seeds[1] or found.seeds.max() == 0


def test_a_model_learns_the_datas_bias_and_greedy_answers_amplify_it():
    shares = [0.1, 0.3, 0.6, 0.9]
    found = learn_bias(shares, 0, steps=200)
    np.testing.assert_allclose(found.model, found.data, atol=0.1)
    np.testing.assert_array_equal(found.greedy, [0, 0, 1, 1])
    wanted = np.mean(np.abs(found.greedy - 0.5) - np.abs(found.data - 0.5))
    assert found.amplified() == pytest.approx(wanted)
    assert found.amplified() > 0.15
    with pytest.raises(ValueError, match="0 to 1"):
        learn_bias([1.2], 0)


def test_an_unknown_answer_is_never_right():
    model = learn_by_heart(chip_questions()[:2], seeded(), steps=1)
    assert not ask(model, [Question("Zetta Q1", "year", "")]).correct.any()
