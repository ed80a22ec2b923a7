"""Two processes train what one trains, and say so when one of them is lost."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from coursekit.pretraining import (
    BatchSampler,
    LostProcessError,
    Settings,
    Trainer,
    gpt2_config,
    pretrain,
    read_metrics,
    read_plan,
)
from coursekit.pretraining.distributed import World, explained, join, spread
from coursekit.transformer import GPT

CONFIG = """
folder = "{folder}"
device = "cpu"

[model]
kind = "gpt2"
d_model = 16
n_layers = 1
n_heads = 2

[data]
files = ["a.txt", "b.txt"]
batch_size = 8
context = 16
held_out = 0.4

[training]
steps = {steps}
lr = 1e-2
accumulation = 2
parallel = "{parallel}"
log_every = 1
save_every = 2
validate_every = 4
"""


def write_config(folder, name, steps=4, parallel="ddp"):
    for i, file in enumerate("ab"):
        (folder / f"{file}.txt").write_text(f"The loss falls and falls, {i} times. " * 60)
    text = CONFIG.format(folder=name, steps=steps, parallel=parallel)
    (folder / f"{name}.toml").write_text(text)
    return f"{name}.toml"


COMMANDS = """
import sys
from coursekit.cli import main
for config in sys.argv[1:]:
    sys.argv[1:] = ["pretrain", config]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
"""


def start(folder, configs, rank, size, port):
    """One process that runs the commands, with the variables that torchrun would set."""
    numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
    env = os.environ | {k: str(v) for k, v in numbers.items()} | {"MASTER_ADDR": "127.0.0.1"}
    return subprocess.Popen(
        [sys.executable, "-c", COMMANDS, *configs],
        cwd=folder,
        env=env | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The metrics of one process that does it all."""
    folder = tmp_path_factory.mktemp("alone")
    with contextlib.chdir(folder):
        pretrain(read_plan(write_config(folder, "alone")))
    return read_metrics(folder / "alone" / "metrics.jsonl")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A folder in which two processes have trained, sharing one way and then the other."""
    folder = tmp_path_factory.mktemp("both")
    configs = [write_config(folder, kind, parallel=kind) for kind in ("ddp", "fsdp")]
    port = free_port()
    processes = [start(folder, configs, rank, 2, port) for rank in range(2)]
    said = [p.communicate(timeout=300) for p in processes]
    assert [p.returncode for p in processes] == [0, 0], said
    return folder, said


@pytest.fixture(params=["ddp", "fsdp"])
def together(both, request):
    """The folder, which way it was, and what the two processes printed."""
    folder, said = both
    return folder, request.param, said


def values(lines, name):
    return [line[name] for line in lines if name in line]


@pytest.mark.equation("eq-pretraining-data-parallel")
def test_two_processes_equal_one(alone, together):
    """Sums of eight windows in another order: float32 rounding, over four steps."""
    folder, parallel, said = together
    found = read_metrics(folder / parallel / "metrics.jsonl")
    for name in ("loss", "norm", "validation"):
        assert values(found, name) == pytest.approx(values(alone, name), rel=1e-4)
    assert "loss" in said[0][0]
    assert not said[1][0]  # only the first process speaks


def test_what_two_processes_began_one_finishes(alone, together):
    """The state is the whole model's, whoever wrote it: two with copies, or two with shares."""
    folder, parallel, _ = together
    with contextlib.chdir(folder):
        pretrain(read_plan(write_config(folder, parallel, parallel=parallel, steps=6)))
    losses = values(read_metrics(folder / parallel / "metrics.jsonl"), "loss")
    assert len(losses) == 6
    assert losses[:4] == pytest.approx(values(alone, "loss"), rel=1e-4)
    assert max(losses[4:]) < min(losses[:4])


def test_a_process_that_dies_is_reported_by_the_other(tmp_path):
    config = write_config(tmp_path, "run", steps=100_000)
    port = free_port()
    first, second = (start(tmp_path, [config], rank, 2, port) for rank in range(2))
    metrics = tmp_path / "run" / "metrics.jsonl"
    deadline = time.monotonic() + 200
    while len(read_metrics(metrics)) < 5 and time.monotonic() < deadline:
        time.sleep(0.1)
    second.send_signal(signal.SIGKILL)
    _, error = first.communicate(timeout=200)
    second.communicate()
    assert first.returncode == 1
    assert "process 0 of 2 has lost another one" in error
    assert "Run the same command again to go on from run/state.pt" in " ".join(error.split())
    assert json.loads(metrics.read_text().splitlines()[-1])["step"] >= 2


def test_other_errors_are_not_taken_for_a_lost_process():
    error = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    assert explained(error, World(0, 2), None) is error
    lost = RuntimeError("[gloo] Connection reset by peer")
    assert explained(lost, World(0, 1), None) is lost
    assert isinstance(explained(lost, World(0, 2), None), LostProcessError)


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(RuntimeError, match="torch sees no GPU; take device = 'cpu'"):
        join("cuda")
    assert join("auto") == World()


def test_samples_of_a_model_in_parts_are_refused():
    model = GPT(gpt2_config(16, d_model=8, n_layers=1, n_heads=2))
    settings = Settings(steps=4, sample_every=2, parallel="fsdp")
    sampler = BatchSampler(range(16), 2, 4, world_size=2)
    with pytest.raises(ValueError, match=r"take parallel = 'ddp' or sample_every = 0"):
        Trainer(model, sampler, settings, sample=str, world=World(0, 2))


def test_an_unknown_way_to_share_is_refused():
    with pytest.raises(ValueError, match="parallel is 'zero'; one of 'ddp', 'fsdp' wanted"):
        spread(None, World(), "zero")
