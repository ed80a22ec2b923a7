"""The memory task, open gates, and the small checkpoint that is trained again here."""

import numpy as np
import pytest
import torch

from coursekit.data.checkpoints import CHECKPOINTS, load_checkpoint
from coursekit.seq2seq import GRU, LSTM, ManyToOne, first_symbol, gradient_by_lag, set_forget_bias
from coursekit.seq2seq.build_checkpoints import MemorySettings, train_memory


def test_only_the_first_symbol_tells_the_answer():
    ids, answers = first_symbol(4000, 6, torch.Generator().manual_seed(0))
    assert torch.equal(ids[:, 0] - 4, answers)
    assert set(ids[:, 0].tolist()) == {4, 5, 6, 7}
    assert set(ids[:, 1:].flatten().tolist()) == {8, 9, 10, 11}
    for t in range(1, 7):  # independence: no place of the noise predicts the answer
        table = np.histogram2d(ids[:, t], answers, bins=(4, 4))[0] / 4000
        assert np.abs(table - 1 / 16).max() < 5 * np.sqrt(1 / 16 * 15 / 16 / 4000)


def test_open_gates_carry_the_gradient_where_usual_ones_do_not():
    for seed in range(3):
        g = torch.Generator().manual_seed(seed)
        usual, opened = LSTM(8, 24, generator=g), LSTM(8, 24, generator=g)
        set_forget_bias(opened, 3.0)
        x = torch.randn(4, 40, 8, generator=g)
        assert gradient_by_lag(usual, x)[-1] < 1e-5 < 1e-2 < gradient_by_lag(opened, x)[-1]


def test_the_bias_is_set_in_every_layer_and_direction_and_nowhere_else():
    lstm = LSTM(2, 3, 2, bidirectional=True)
    before = {k: v.clone() for k, v in lstm.state_dict().items()}
    set_forget_bias(lstm, 1.5)
    for name, value in lstm.state_dict().items():
        rest = torch.ones(12, dtype=torch.bool)
        rest[3:6] = not name.startswith("bias")
        assert torch.equal(value[rest], before[name][rest])
        if name.startswith("bias_ih"):
            total = value + lstm.state_dict()[name.replace("_ih_", "_hh_")]
            assert total[3:6].tolist() == [1.5] * 3
    with pytest.raises(TypeError, match="GRU has no forget gate"):
        set_forget_bias(GRU(2, 3), 1.0)


def test_the_committed_model_remembers():
    entry = CHECKPOINTS["seq2seq-memory"]
    settings = MemorySettings(**entry["settings"])
    model = ManyToOne(12, settings.width, 4, settings.cell)
    model.load_state_dict(load_checkpoint("seq2seq-memory"))
    ids, answers = first_symbol(1000, settings.lag, torch.Generator().manual_seed(5))
    found = (model(ids).argmax(-1) == answers).float().mean().item()
    # a share of 1000 has a standard error of at most 0.016
    assert found == pytest.approx(entry["metrics"]["kept"], abs=0.08)
    assert found > 0.9


def test_training_it_again_gives_the_metrics_on_record():
    entry = CHECKPOINTS["seq2seq-memory"]
    settings = MemorySettings(**entry["settings"])
    _, accuracy, history = train_memory(settings, entry["seed"])
    assert len(history.losses) == settings.steps
    assert accuracy == pytest.approx(entry["metrics"]["kept"], abs=0.08)


def test_the_record_shows_what_the_chapter_says():
    """All remember over five steps; over twenty the plain network and the usual LSTM guess."""
    accuracy = CHECKPOINTS["seq2seq-memory"]["metrics"]["accuracy"]
    assert all(min(cell["5"]) > 0.9 for cell in accuracy.values())
    assert max(accuracy["rnn"]["20"] + accuracy["lstm"]["20"]) < 0.35  # a guess has 0.25
    assert min(accuracy["lstm, open gates"]["20"]) > 0.9
    at_forty = {name: np.mean(cell["40"]) for name, cell in accuracy.items()}
    assert max(at_forty, key=at_forty.__getitem__) == "lstm, open gates"


@pytest.mark.parametrize(("m", "lag"), [(0, 3), (3, 0)])
def test_bad_input_is_explained(m, lag):
    with pytest.raises(ValueError, match="at least 1"):
        first_symbol(m, lag, torch.Generator())
