"""The trainer: what it computes, what it keeps, and that a killed run goes on to the bit."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from coursekit.pretraining import (
    AdamW,
    BatchSampler,
    Settings,
    StateError,
    Trainer,
    gpt2_config,
    llama_config,
    read_metrics,
    read_state,
    train,
    write_state,
)
from coursekit.transformer import GPT

TOKENS = np.random.default_rng(0).integers(0, 16, 600).astype(np.uint16)
SETTINGS = Settings(
    steps=12,
    lr=1e-2,
    warmup=2,
    log_every=3,
    save_every=4,
    validate_every=6,
    sample_every=6,
    peak=1e10,
)


def model(make=gpt2_config, dropout=0.2, **options):
    shape = {"d_model": 16, "n_layers": 1, "n_heads": 2, "max_len": 8} | options
    return GPT(make(16, dropout=dropout, **shape), generator=torch.Generator().manual_seed(0))


def sampler(seed=0, batch_size=4):
    return BatchSampler(TOKENS, batch_size, 8, seed)


def trainer(folder=None, settings=SETTINGS, **options):
    options = {"validation": TOKENS[:100], "folder": folder} | options
    return Trainer(model(), sampler(), settings, **options)


def same(a, b):
    return all(torch.equal(x, b[name]) for name, x in a.items())


# --- what it computes -----------------------------------------------------------------------------


@pytest.mark.parametrize("quick", [False, True])
def test_it_is_the_loop_that_one_would_write(quick):
    """Against torch's own optimiser, clipping and loss in a plain loop, without dropout."""
    ours, plain = model(dropout=0.0), model(dropout=0.0)
    found = Trainer(ours, sampler(), replace(SETTINGS, quick=quick))
    assert isinstance(found.optimiser, torch.optim.AdamW if quick else AdamW)
    run = found.run()
    optimiser = torch.optim.AdamW(plain.parameters(), betas=SETTINGS.betas, foreach=False)
    decays = {True: SETTINGS.weight_decay, False: 0.0}
    optimiser.param_groups.clear()
    for matrices in (True, False):
        chosen = [p for p in plain.parameters() if (p.ndim >= 2) == matrices]
        optimiser.add_param_group({"params": chosen, "weight_decay": decays[matrices]})
    batches, losses = sampler(), []
    for step in range(SETTINGS.steps):
        for group in optimiser.param_groups:
            group["lr"] = SETTINGS.rate(step)
        x, y = batches.next()
        loss = nn.functional.cross_entropy(plain(x).flatten(0, 1), y.flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(plain.parameters(), SETTINGS.clip)
        optimiser.step()
        losses.append(loss.item())
    # float32: 12 steps that each round a few times, at losses of 2.8
    assert run.losses == pytest.approx(losses, abs=1e-4)


@pytest.mark.equation("eq-pretraining-accumulation")
@pytest.mark.parametrize("parts", [2, 4])
def test_accumulated_parts_give_the_large_batch(parts):
    """In float64, where only the order of the sums differs."""
    runs, weights = [], []
    for accumulation in (1, parts):
        net = model(dropout=0.0).double()
        settings = replace(SETTINGS, accumulation=accumulation)
        runs.append(train(net, sampler(), settings))
        weights.append(net.state_dict())
    assert runs[1].losses == pytest.approx(runs[0].losses, rel=1e-6)
    for name, w in weights[0].items():
        torch.testing.assert_close(weights[1][name], w, rtol=1e-9, atol=1e-9)


def test_a_batch_that_cannot_be_parted_is_refused():
    with pytest.raises(
        ValueError, match="accumulation is 3 and this process has 4 rows of a batch"
    ):
        trainer(settings=replace(SETTINGS, accumulation=3))


def test_bfloat16_keeps_weights_in_float32_and_learns_as_well():
    net, plain = model(dropout=0.0), model(dropout=0.0)
    low = train(net, sampler(), replace(SETTINGS, precision="bfloat16"))
    high = train(plain, sampler(), SETTINGS)
    assert {p.dtype for p in net.parameters()} == {torch.float32}
    assert low.losses != high.losses
    assert low.losses == pytest.approx(high.losses, rel=0.02)  # 8 bits: 0.4 % each, and 12 steps


def test_compiling_changes_nothing_but_the_speed(monkeypatch):
    """The graph is traced and run without C++ being made of it, which takes half a minute."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    settings = replace(SETTINGS, steps=3)
    plain = train(model(dropout=0.0), sampler(), settings)
    compiled = train(model(dropout=0.0), sampler(), replace(settings, compile=True))
    assert compiled.losses == pytest.approx(plain.losses, abs=1e-4)


def test_it_leaves_the_callers_random_numbers_alone():
    new = trainer()
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    new.run()
    assert torch.equal(torch.rand(3), wanted)


def test_a_loss_that_is_no_number_stops_the_run():
    net = model(llama_config)
    with torch.no_grad():
        net.norm.weight[0] = float("nan")
    with pytest.raises(FloatingPointError, match="step 1: the loss is nan"):
        train(net, sampler(), SETTINGS)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"precision": "int4"}, "precision is 'int4'"),
        ({"warmup": 12}, "warmup is 12 of 12 steps"),
        ({"accumulation": 0}, "accumulation"),
    ],
)
def test_settings_that_do_not_fit_are_refused(setting, said):
    with pytest.raises(ValueError, match=said):
        replace(SETTINGS, **setting)


# --- what it keeps --------------------------------------------------------------------------------


def test_the_folder_tells_of_every_step(tmp_path):
    told = []
    run = trainer(tmp_path, sample=lambda m: f"{m.training} text").run(lambda t: told.append(1))
    lines = read_metrics(tmp_path / "metrics.jsonl")
    steps = [line for line in lines if "loss" in line]
    assert [line["step"] for line in steps] == list(range(1, 13))
    assert [line["loss"] for line in steps] == run.losses
    assert [line["lr"] for line in steps] == [SETTINGS.rate(k) for k in range(12)]
    checked = [(line["step"], line["validation"]) for line in lines if "validation" in line]
    assert checked == run.validation
    assert [step for step, _ in checked] == [6, 12]
    assert (tmp_path / "samples.txt").read_text() == (
        "--- step 6\nFalse text\n--- step 12\nFalse text\n"
    )
    assert len(told) == 6  # logs every 3 steps, saves every 4, and each save logs first


@pytest.mark.parametrize(("stop", "quick"), [*((k, True) for k in range(1, 12)), (6, False)])
def test_a_run_that_stopped_after_any_step_goes_on_to_the_bit(tmp_path, stop, quick):
    settings = replace(SETTINGS, quick=quick)
    whole = trainer(tmp_path / "whole", settings=settings)
    wanted = whole.run()

    class Stopped(BaseException):
        pass

    def stops(t):
        if t.steps_done >= stop:
            raise Stopped

    first = trainer(tmp_path / "parts", settings=replace(settings, log_every=1))
    with pytest.raises(Stopped):
        first.run(stops)
    second = trainer(tmp_path / "parts", settings=settings)
    assert second.steps_done == (stop - 1) // 4 * 4  # the last step saved before
    found = second.run()
    assert (found.losses, found.validation) == (wanted.losses, wanted.validation)
    assert same(whole.model.state_dict(), second.model.state_dict())
    kept = [read_metrics(tmp_path / f / "metrics.jsonl") for f in ("whole", "parts")]
    losses = [[line["loss"] for line in lines if "loss" in line] for lines in kept]
    assert losses[0] == losses[1]


def test_a_finished_run_has_nothing_left_to_do(tmp_path):
    wanted = trainer(tmp_path).run()
    again = trainer(tmp_path)
    assert again.run().losses == wanted.losses


KILLS = 10 if os.environ.get("COURSEKIT_TEST_ALL") else 1
KILLED = """
import sys
sys.path[:0] = {path!r}
from test_trainer import SETTINGS, trainer, replace
settings = replace(SETTINGS, steps=200, save_every=3)
trainer({folder!r}, settings=settings).run(lambda t: print(1, flush=True))
"""


def test_a_run_killed_at_any_moment_goes_on_to_the_bit(tmp_path):
    """SIGKILL at moments that nobody chose, some of them while the state is written."""
    settings = replace(SETTINGS, steps=200, save_every=3)
    wanted = trainer(tmp_path / "whole", settings=settings)
    losses = wanted.run().losses
    code = KILLED.format(path=[os.path.dirname(__file__)], folder=str(tmp_path / "killed"))
    rng = np.random.default_rng(0)
    for _ in range(KILLS):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        process.stdout.readline()  # it runs
        time.sleep(rng.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    last = trainer(tmp_path / "killed", settings=settings)
    assert last.run().losses == losses
    assert same(wanted.model.state_dict(), last.model.state_dict())


# --- bad states -----------------------------------------------------------------------------------


def test_a_state_is_read_as_it_was_written(tmp_path):
    state = {"a": torch.arange(5), "b": [1, 2.5, None, "text"], "c": {"d": (True,)}}
    write_state(tmp_path / "state.pt", state)
    found = read_state(tmp_path / "state.pt")
    assert torch.equal(found.pop("a"), state.pop("a"))
    assert found == state
    assert [p.name for p in tmp_path.iterdir()] == ["state.pt"]


@pytest.mark.parametrize("place", [-1, 60, 200, 2000])
def test_one_changed_byte_is_noticed(tmp_path, place):
    path = tmp_path / "state.pt"
    trainer(tmp_path).run()
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(StateError, match=r"state\.pt is damaged"):
        trainer(tmp_path)


@pytest.mark.parametrize("kept", [0, 5, 40, 0.5, 0.99])
def test_a_truncated_state_is_noticed(tmp_path, kept):
    path = tmp_path / "state.pt"
    write_state(path, {"w": torch.ones(100)})
    data = path.read_bytes()
    path.write_bytes(data[: kept if isinstance(kept, int) else int(kept * len(data))])
    with pytest.raises(StateError, match=r"state\.pt is (damaged|no state)"):
        read_state(path)


def test_another_vocabulary_is_named(tmp_path):
    trainer(tmp_path).run()
    other = GPT(replace(model().config, vocab_size=32))
    with pytest.raises(StateError, match="another model: vocab_size is 16 there and 32 here"):
        Trainer(other, sampler(), SETTINGS, folder=tmp_path)


def test_other_settings_are_named(tmp_path):
    trainer(tmp_path).run()
    with pytest.raises(StateError, match=r"another settings|lr is 0\.01 there and 0\.5 here"):
        trainer(tmp_path, settings=replace(SETTINGS, lr=0.5))


def test_other_data_are_named(tmp_path):
    trainer(tmp_path).run()
    with pytest.raises(ValueError, match="seed 0 and this one 1"):
        Trainer(model(), sampler(seed=1), SETTINGS, folder=tmp_path)


def test_a_run_may_be_made_longer(tmp_path):
    trainer(tmp_path).run()
    longer = trainer(tmp_path, settings=replace(SETTINGS, steps=15)).run()
    assert len(longer.losses) == 15


def test_a_full_disk_loses_nothing(tmp_path):
    """A device that takes no byte stands in the way of the file that is written first."""
    path = tmp_path / "state.pt"
    write_state(path, {"step": 1})
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    path.with_name("state.pt.part").symlink_to("/dev/full")
    said = r"the disk is full\. The state written before is unharmed"
    with pytest.raises(OSError, match=said) as e:
        write_state(path, {"step": 2, "w": torch.ones(100_000)})
    assert e.value.errno == errno.ENOSPC
    assert read_state(path) == {"step": 1}
    write_state(path, {"step": 2})  # the obstacle is gone, and so is its rest
    assert read_state(path) == {"step": 2}


def test_a_disk_that_fills_in_the_middle_of_a_run_loses_nothing(tmp_path, monkeypatch):
    """The metrics file takes no more bytes after step 6; with room again the run goes on."""
    wanted = trainer(tmp_path / "whole").run()
    full, written = [], Path.open

    def fills(path, mode="r", **options):
        if full and mode == "a":
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(path, mode, **options)

    monkeypatch.setattr(Path, "open", fills)
    first = trainer(tmp_path / "full")
    with pytest.raises(OSError, match=r"metrics\.jsonl could not be written: No space left") as e:
        first.run(lambda t: full.append(1) if t.steps_done >= 6 else None)
    assert e.value.errno == errno.ENOSPC
    full.clear()
    assert trainer(tmp_path / "full").run().losses == wanted.losses


def test_a_metrics_line_cut_off_by_a_kill_is_left_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps({"step": 1, "loss": 2.0}) + '\n{"step": 2, "lo')
    assert read_metrics(path) == [{"step": 1, "loss": 2.0}]
