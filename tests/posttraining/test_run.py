"""The command and its file: each method trains, goes on to the bit, and refuses what is wrong."""

import contextlib
import os
import re
import socket
import subprocess
import sys

import pytest
import torch
from typer.testing import CliRunner

from coursekit.cli import app
from coursekit.posttraining import (
    LowRank,
    adapt,
    exact_match,
    held_out_problems,
    merged,
    posttrain,
    prepared,
    starting_model,
    trained_part,
)
from coursekit.posttraining.run import EXAMPLES, example_config, plan, read_posttraining
from coursekit.pretraining import (
    BatchSampler,
    ConfigError,
    Settings,
    StateError,
    Trainer,
    llama_config,
    load_tokenizer,
    read_metrics,
    read_state,
)
from coursekit.transformer import GPT

TRAINING = {"steps": 6, "lr": 1e-3, "log_every": 2, "save_every": 2, "peak": 1e10}
DATA = {"batch_size": 4, "tasks": ["last", "add"], "held_out": 4}
SMALL = {"dpo": {"problems": 8, "group": 2}, "grpo": {"group": 4, "max_new_tokens": 4}}
LOW_RANK = {"rank": 2, "targets": ["query", "value"]}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The state of a small pre-training, of the course's own tokens."""
    folder = tmp_path_factory.mktemp("base")
    V = load_tokenizer().vocab_size
    config = llama_config(V, d_model=16, n_layers=1, n_heads=2, max_len=64, dropout=0.1)
    model = GPT(config, generator=torch.Generator().manual_seed(0))
    sampler = BatchSampler(list(range(200)), 2, 16)
    Trainer(model, sampler, Settings(steps=1, peak=1e10), folder=folder).run()
    return str(folder / "state.pt")


def made(base, folder, method="sft", **changes):
    found = {"folder": str(folder), "method": method, "start": base, "device": "cpu"}
    found |= {"data": DATA, "training": TRAINING} | changes
    return plan(found | ({method: SMALL[method]} if method in SMALL else {}))


@pytest.mark.parametrize("method", ["sft", "dpo", "grpo"])
def test_a_stopped_run_goes_on_to_the_bit(base, tmp_path, method):
    whole = posttrain(made(base, tmp_path / "whole", method))

    def stop(trainer):
        if trainer.steps_done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        posttrain(made(base, tmp_path / "parted", method), stop)
    again = posttrain(made(base, tmp_path / "parted", method))
    assert again.losses == whole.losses
    assert again.measured == whole.measured
    weights = [read_state(tmp_path / name / "state.pt")["weights"] for name in ("whole", "parted")]
    assert all(torch.equal(w, weights[1][name]) for name, w in weights[0].items())


def test_each_method_tells_of_its_batches(base, tmp_path):
    told = {m: set(posttrain(made(base, tmp_path / m, m)).measured) for m in ("sft", "dpo", "grpo")}
    assert told["sft"] == set()
    assert told["dpo"] == {"margin", "accuracy", "chosen", "rejected"}
    assert told["grpo"] == {"reward", "kl", "length"}
    lines = read_metrics(tmp_path / "grpo" / "metrics.jsonl")
    assert all({"loss", "reward", "kl", "norm", "lr"} <= line.keys() for line in lines)


def test_dpo_and_grpo_start_at_no_distance_from_their_reference(base, tmp_path):
    dpo = posttrain(made(base, tmp_path / "dpo", "dpo"))
    assert dpo.losses[0] == pytest.approx(torch.tensor(2.0).log().item(), abs=1e-5)
    assert posttrain(made(base, tmp_path / "grpo", "grpo")).measured["kl"][0] == 0


def test_low_rank_trains_only_its_own_and_the_new_tokens(base, tmp_path):
    before, _, new = starting_model(base)
    assert new == 3
    trainer = prepared(made(base, tmp_path, low_rank=LOW_RANK))
    names = set(trained_part(trainer.model))
    assert {name.rpartition(".")[2] for name in names} == {"A", "B", "original1"}
    trainer.run()
    plain = merged(trainer.model)
    for name, w in plain.state_dict().items():
        old = before.state_dict()[name]
        if name == "embeddings.tokens.weight":
            assert torch.equal(w[:-3], old[:-3])
            assert not torch.equal(w[-3:], old[-3:])
        elif name.endswith(("query.weight", "value.weight")):
            assert torch.linalg.matrix_rank(w - old, atol=1e-6) <= 2
        else:
            assert torch.equal(w, old), name


def test_what_a_low_rank_run_saved_can_be_started_from(base, tmp_path):
    trainer = prepared(made(base, tmp_path, low_rank=LOW_RANK))
    trainer.run()
    model, tokenizer, new = starting_model(str(tmp_path / "state.pt"))
    assert new == 0
    ids = torch.tensor([[5, 1024, 7, 1026]])
    with torch.no_grad():
        torch.testing.assert_close(model(ids), trainer.model.eval()(ids), rtol=1e-4, atol=1e-5)
    assert exact_match(model, tokenizer, held_out_problems(4)).exact >= 0


def test_merging_gives_a_plain_model_with_the_same_outputs():
    model, _, new = starting_model("pretraining-draft")
    adapted = adapt(model, LowRank(rank=3), new)
    g = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in trained_part(adapted).values():
            p.normal_(std=0.1, generator=g)
        ids = torch.randint(1027, (2, 9), generator=g)
        plain = merged(adapted)
        assert type(plain.blocks[0].attention.query) is torch.nn.Linear
        torch.testing.assert_close(plain(ids), adapted(ids), rtol=1e-4, atol=1e-4)  # float32 sums


def test_a_resumed_run_must_be_the_same_run(base, tmp_path):
    posttrain(made(base, tmp_path, "dpo"))
    with pytest.raises(StateError, match=r"another run: beta is 0\.1 there and 0\.5 here"):
        prepared(plan(vars_of(base, tmp_path, dpo=SMALL["dpo"] | {"beta": 0.5})))
    with pytest.raises(ValueError, match="seed 0 and these 1"):
        prepared(plan(vars_of(base, tmp_path, data=DATA | {"seed": 1}, dpo=SMALL["dpo"])))


def vars_of(base, folder, **changes):
    found = {"folder": str(folder), "method": "dpo", "start": base, "device": "cpu"}
    return found | {"data": DATA, "training": TRAINING} | changes


# --- the file and the command ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sft", "lora", "dpo", "grpo"])
def test_the_examples_are_good_files(name):
    found = read_posttraining(EXAMPLES / f"{name}.toml")
    assert found.method in (name, "sft")
    assert example_config(name) == (EXAMPLES / f"{name}.toml").read_text()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "ppo"}, "method is 'ppo'; one of 'sft', 'dpo', 'grpo' wanted"),
        ({"data": DATA | {"tasks": ["divide"]}}, r"\[data\] tasks is \['divide'\]"),
        ({"data": DATA | {"reward": "kind"}}, r"\[data\] reward is 'kind'; one of 'verified'"),
        ({"data": {"tasks": ["add"]}}, r"\[data\]: missing 1 required positional argument"),
        ({"training": TRAINING | {"parallel": "fsdp"}}, "'ddp' wanted"),
        ({"low_rank": {"rnak": 3}}, "rnak is unknown in"),
        ({"speed": 3}, "speed is unknown at the top"),
    ],
)
def test_a_wrong_file_is_refused_in_words(base, tmp_path, changes, said):
    with pytest.raises(ConfigError, match=said):
        made(base, tmp_path, **changes)


def test_a_start_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"a run's state file or one of .*pretraining-gpt"):
        starting_model("nowhere.pt")
    with pytest.raises(ConfigError, match="generative-gan is no language model"):
        starting_model("generative-gan")


def test_a_model_of_another_tokenizer_is_refused(tmp_path):
    model = GPT(llama_config(300, d_model=16, n_layers=1, n_heads=2))
    sampler = BatchSampler(list(range(200)), 2, 16)
    Trainer(model, sampler, Settings(steps=1, peak=1e10), folder=tmp_path).run()
    with pytest.raises(ConfigError, match=r"has 300 tokens and the tokenizer 1027"):
        starting_model(str(tmp_path / "state.pt"))


CONFIG = """
folder = "{folder}"
method = "sft"
start = "{base}"
device = "cpu"

[data]
batch_size = 8
tasks = ["last", "add"]
held_out = 6

[training]
steps = 4
lr = 1e-2
accumulation = 2
log_every = 1
save_every = 2
validate_every = 2
"""


def test_the_command_trains_and_tells(base, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.toml").write_text(CONFIG.format(folder="run", base=base))
    done = CliRunner().invoke(app, ["posttrain", "c.toml"])
    assert done.exit_code == 0, done.output
    assert re.search(r"step 4 of 4: loss [\d.]+, validation [\d.]+, [\d,]+ tokens/s", done.output)
    assert {p.name for p in (tmp_path / "run").iterdir()} == {"state.pt", "metrics.jsonl"}
    printed = CliRunner().invoke(app, ["posttrain", "--example", "grpo"])
    assert printed.output == example_config("grpo")
    for wrong, said in ((["posttrain"], "--example sft"), (["posttrain", "x.toml"], "x.toml")):
        refused = CliRunner().invoke(app, wrong)
        assert refused.exit_code
        assert said in refused.output + str(refused.exception)


def test_two_processes_train_what_one_trains(base, tmp_path):
    """Sums of eight answers' tokens in another order: float32 rounding, over four steps."""
    (tmp_path / "both.toml").write_text(CONFIG.format(folder="both", base=base))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    env = os.environ | {"WORLD_SIZE": "2", "MASTER_PORT": str(port), "MASTER_ADDR": "127.0.0.1"}
    env |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "coursekit", "posttrain", "both.toml"],
            cwd=tmp_path,
            env=env | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    with contextlib.chdir(tmp_path):
        (tmp_path / "one.toml").write_text(CONFIG.format(folder="one", base=base))
        posttrain(read_posttraining("one.toml"))
    said = [p.communicate(timeout=300) for p in processes]
    assert [p.returncode for p in processes] == [0, 0], said
    one, both = (read_metrics(tmp_path / name / "metrics.jsonl") for name in ("one", "both"))
    for name in ("loss", "norm", "validation"):
        values = [[line[name] for line in lines if name in line] for lines in (one, both)]
        assert values[1] == pytest.approx(values[0], rel=1e-4)
