"""Energy and carbon beside published figures, growth beside its equation, the model card."""

import numpy as np
import pytest

from coursekit.data.checkpoints import CHECKPOINTS, build
from coursekit.data.tables import known, load_table
from coursekit.landscape import (
    Range,
    carbon,
    carbon_range,
    doubling_time,
    energy_range,
    fit_exponential,
    fit_logistic,
    grid_range,
    logistic,
    model_card,
    run_on_this_machine,
    training_energy,
)
from coursekit.landscape.model_card import recited_share
from coursekit.pretraining import Document

PUBLISHED = load_table("training_energy")


@pytest.mark.equation("eq-landscape-energy")
@pytest.mark.parametrize("model", ["GPT-3", "BLOOM"])
def test_energy_is_what_was_published(model):
    """Within 1 %: the sources round hours and watts."""
    row = PUBLISHED.one(model=model)
    found = training_energy(
        *(known(row, k) for k in ("accelerator_hours", "accelerator_w", "pue_ratio"))
    )
    assert found / 1000 == pytest.approx(known(row, "energy_mwh"), rel=0.01)


@pytest.mark.equation("eq-landscape-carbon")
@pytest.mark.parametrize("model", ["GPT-3", "BLOOM"])
def test_carbon_is_what_was_published(model):
    row = PUBLISHED.one(model=model)
    found = carbon(1000 * known(row, "energy_mwh"), known(row, "g_per_kwh"))
    assert found == pytest.approx(known(row, "carbon_tonnes"), rel=0.01)


@pytest.mark.parametrize("model", ["Llama 2 (all sizes)", "Llama 3.1 (all sizes)"])
def test_the_range_holds_what_others_published(model):
    row = PUBLISHED.one(model=model)
    energy = energy_range(known(row, "accelerator_hours"), known(row, "accelerator_w"))
    low, _, high = carbon_range(energy, grid_range())
    assert low < known(row, "carbon_tonnes") < high


def test_a_range_multiplies_bound_by_bound():
    assert Range(1, 2, 3).times(2) == Range(2, 4, 6)
    assert run_on_this_machine(3600, Range(1000, 2000, 3000)) == pytest.approx((1, 2, 3))
    with pytest.raises(ValueError, match="cpu_seconds is -1"):
        run_on_this_machine(-1)
    with pytest.raises(ValueError, match="pue at least 1"):
        training_energy(1, 1, 0.5)
    with pytest.raises(ValueError, match="kwh is -1"):
        carbon(-1, 1)
    with pytest.raises(LookupError, match="no row with place='Atlantis'"):
        grid_range(low="Atlantis")


@pytest.mark.equation("eq-landscape-growth")
def test_growth_is_proportional_to_what_is_there_and_to_what_is_left():
    t, step = np.linspace(-5, 15, 41), 1e-4
    y = logistic(t, 8.0, 0.7, 4.0)
    slope = (logistic(t + step, 8.0, 0.7, 4.0) - logistic(t - step, 8.0, 0.7, 4.0)) / (2 * step)
    np.testing.assert_allclose(slope, 0.7 * y * (1 - y / 8.0), atol=1e-7)
    early = t < -2
    np.testing.assert_allclose(np.diff(np.log(y[early])) / np.diff(t[early]), 0.7, rtol=0.03)


def test_fits_find_the_curve_that_made_the_data():
    t = np.arange(2000.0, 2020.0)
    curve = fit_exponential(t, 3 * 2 ** ((t - 2000) / 4))
    assert doubling_time(curve.rate) == pytest.approx(4)
    np.testing.assert_allclose(curve(t), 3 * 2 ** ((t - 2000) / 4))
    found = fit_logistic(t, logistic(t, 50.0, 0.6, 2011.0))
    assert tuple(found) == pytest.approx((50, 0.6, 2011), rel=1e-3)


def test_the_beginning_does_not_tell_where_it_ends():
    t = np.arange(10.0)
    y = logistic(t, 1000.0, 0.5, 16.0) * np.exp(0.05 * np.random.default_rng(0).normal(size=10))
    misses = []
    for ceiling in (200.0, 1000.0, 100_000.0):
        curve = fit_logistic(t, y, ceiling)
        misses.append(np.std(np.log(curve(t) / y)))
    assert max(misses) < 0.05  # all as near as the noise allows
    ends = [fit_logistic(t, y, c)(40.0) for c in (200.0, 100_000.0)]
    assert ends[1] > 100 * ends[0]


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(ValueError, match="what does not grow never doubles"):
        doubling_time(0)
    with pytest.raises(ValueError, match="two different times"):
        fit_exponential([1, 1], [1, 2])
    with pytest.raises(ValueError, match="y is -1; more than 0"):
        fit_exponential([1, 2], [1, -1])
    with pytest.raises(ValueError, match="four or more"):
        fit_logistic([1, 2, 3], [1, 2, 3])
    with pytest.raises(ValueError, match="ceiling is 2, and 4"):
        fit_logistic([1, 2, 3, 4], [1, 2, 3, 4], 2)


@pytest.fixture(scope="module")
def card():
    return model_card(documents=3)


def test_the_card_is_measured(card):
    entry = CHECKPOINTS["pretraining-gpt"]
    assert card.parameters == entry["metrics"]["parameters"]
    bits = card.bits_per_byte
    # three documents of the 27 that the record is of
    assert bits["this book, held out"] == pytest.approx(entry["metrics"]["bits_per_byte"], rel=0.2)
    assert bits["this book, trained on"] < bits["this book, held out"] < bits["Python's reference"]
    assert bits["Korean"] > 2 * bits["this book, held out"]
    assert 0 <= card.recited["held out"] <= card.recited["of training"] <= 0.5
    assert card.energy_kwh.low < card.energy_kwh.middle < card.energy_kwh.high


def test_the_card_says_what_was_measured(card):
    page = card.to_markdown()
    assert f"{card.parameters:,} parameters" in page
    for kind, value in card.bits_per_byte.items():
        assert f"| {kind} | {value:.2f} |" in page
    for line in card.limits:
        assert line in page


def test_short_documents_cannot_be_recited():
    with pytest.raises(ValueError, match="no document has 48 tokens"):
        recited_share([Document("a", "short")])


def test_the_vectors_can_be_built_again(tmp_path, monkeypatch):
    """A tenth of the steps: the whole is compared by its metrics when it is rebuilt."""
    import coursekit.landscape.build_checkpoints as package

    settings = package.VectorSettings(steps=300)
    monkeypatch.setattr(package, "VectorSettings", lambda: settings)
    entry = build("landscape-vectors", tmp_path)
    stored = CHECKPOINTS["landscape-vectors"]
    assert entry["metrics"]["words"] == stored["metrics"]["words"]
    assert entry["metrics"]["sentences"] == stored["metrics"]["sentences"]
    assert stored["metrics"]["train_loss"] < entry["metrics"]["train_loss"] < 4.2


def test_the_whole_rebuild_has_the_metrics_on_record(tmp_path, thorough):
    """Ten seconds of training; the loss is a mean over the last steps, the same on one machine."""
    if not thorough:
        pytest.skip("ten seconds")
    entry, stored = build("landscape-vectors", tmp_path), CHECKPOINTS["landscape-vectors"]
    assert entry["metrics"]["train_loss"] == pytest.approx(
        stored["metrics"]["train_loss"], rel=0.02
    )
