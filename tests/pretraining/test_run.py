"""The command and its file: what it makes, and what it says to a file that is wrong."""

import re
from dataclasses import asdict

import pytest
from typer.testing import CliRunner

from coursekit.cli import app
from coursekit.data.checkpoints import CHECKPOINTS
from coursekit.pretraining import (
    ConfigError,
    Tokenizer,
    load_tokenizer,
    plan,
    pretrain,
    read_metrics,
    read_plan,
    train_bpe,
    write_packed,
)
from coursekit.pretraining.run import EXAMPLES, KINDS

SHAPE = ("d_model", "n_layers", "n_heads", "dropout")
GOOD = {
    "folder": "runs/a",
    "device": "cpu",
    "model": {"kind": "llama", "d_model": 16, "n_layers": 1, "n_heads": 2},
    "data": {"files": ["a.txt", "b.txt"], "batch_size": 4, "context": 16, "held_out": 0.4},
    "training": {"steps": 4, "log_every": 2, "validate_every": 2, "sample_every": 4},
    "sampling": {"prompt": "The loss", "max_new_tokens": 5},
}


def changed(**tables):
    """The good configuration, with some keys of its tables changed or (None) left out."""
    new = {k: dict(v) if isinstance(v, dict) else v for k, v in GOOD.items()}
    for name, change in tables.items():
        if isinstance(change, dict):
            new[name] |= change
            new[name] = {k: v for k, v in new[name].items() if v is not None}
        else:
            new[name] = change
    return {k: v for k, v in new.items() if v is not None}


def toml(found):
    lines = [f"{k} = {v!r}".replace("'", '"') for k, v in found.items() if not isinstance(v, dict)]
    for name, table in found.items():
        if isinstance(table, dict):
            lines += [f"[{name}]", *(f"{k} = {v!r}".replace("'", '"') for k, v in table.items())]
    return "\n".join(lines)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text("The loss of the model falls. " * 60)
    return tmp_path


def invoke(place, found):
    (place / "c.toml").write_text(toml(found))
    return CliRunner().invoke(app, ["pretrain", "c.toml"])


def test_the_command_trains_tells_and_writes(place):
    done = invoke(place, GOOD)
    assert done.exit_code == 0, done.output
    said = re.search(
        r"step 4 of 4: loss [\d.]+, validation [\d.]+, [\d,]+ tokens/s, MFU \d+ %", done.output
    )
    assert said
    kept = {p.name for p in (place / "runs" / "a").iterdir()}
    assert {"state.pt", "metrics.jsonl", "samples.txt"} <= kept
    assert (place / "runs/a/samples.txt").read_text().startswith("--- step 4\nThe loss")
    assert len([x for x in read_metrics("runs/a/metrics.jsonl") if "loss" in x]) == 4


def test_the_command_goes_on_where_it_was(place):
    invoke(place, GOOD)
    before = read_metrics("runs/a/metrics.jsonl")
    done = invoke(place, changed(training={"steps": 6}))
    assert done.exit_code == 0, done.output
    assert read_metrics("runs/a/metrics.jsonl")[: len(before)] == before


def test_packed_files_and_a_tokenizer_of_ones_own(place):
    tokenizer = train_bpe(["The loss of the model falls. " * 9], 270, ["<|endoftext|>"])
    tokenizer.save("mine")
    ids = tokenizer.encode("The loss of the model falls. " * 90)
    for name in ("train", "validation"):
        write_packed(f"{name}.bin", [ids], tokenizer.vocab_size)
    data = {"train": "train.bin", "validation": "validation.bin", "tokenizer": "mine"}
    run = pretrain(plan(changed(data={"files": None, "held_out": None} | data)))
    assert len(run.validation) == 2
    assert Tokenizer.load("mine").vocab_size == 270


def test_a_vocabulary_that_does_not_fit_the_tokens_is_refused(place):
    write_packed("train.bin", [range(100)], 5000)
    done = invoke(place, changed(data={"files": None, "train": "train.bin"}))
    assert done.exit_code == 1
    size = load_tokenizer().vocab_size
    assert f"vocabulary of 5000 and {size} is wanted" in " ".join(done.output.split())


def test_text_that_is_no_utf8_is_refused(place):
    (place / "b.txt").write_bytes(b"\xff\xfe" * 30)
    done = invoke(place, GOOD)
    assert done.exit_code == 1
    assert "b.txt is not UTF-8" in done.output


def test_a_damaged_state_is_refused_and_left_alone(place):
    invoke(place, GOOD)
    state = place / "runs" / "a" / "state.pt"
    state.write_bytes(state.read_bytes()[:-9])
    done = invoke(place, changed(training={"steps": 6}))
    assert done.exit_code == 1
    assert "is damaged" in done.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": {"kind": "rnn"}}, "kind is 'rnn'; one of 'gpt2', 'llama' wanted"),
        ({"model": {"n_heads": 3}}, "d_model is 16 and n_heads 3"),
        ({"model": {"d_model": "wide"}}, "[model]: "),
        ({"model": {"width": 3}}, "width is unknown in [model]; kind, seed, d_model"),
        ({"data": {"batch": 3}}, "batch is unknown in [data]; batch_size, context"),
        ({"data": {"corpus": "web"}}, "wants one of corpus, files and train"),
        ({"data": {"files": None, "corpus": "web"}}, "corpus is 'web'; one of 'book', 'python'"),
        ({"data": {"batch_size": None}}, "batch_size"),
        ({"training": {"steps": None}}, "steps"),
        ({"training": {"precision": "int8"}}, "precision is 'int8'"),
        ({"training": {"warmup": 9}}, "warmup is 9 of 4 steps"),
        ({"folder": None}, "folder"),
        ({"data": None}, "data"),
        ({"speed": 3}, "speed is unknown at the top"),
    ],
)
def test_a_wrong_file_is_told_what_to_write(change, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        plan(changed(**change))


def test_a_file_that_is_no_toml_is_refused(place):
    (place / "c.toml").write_text("steps = = 3")
    with pytest.raises(ConfigError, match=r"c\.toml is no TOML"):
        read_plan("c.toml")


def test_a_missing_file_is_named(place):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_plan("nowhere.toml")


@pytest.mark.parametrize("name", ["quick", "book", "gpt2"])
def test_the_examples_are_printed_and_can_be_read(place, name):
    done = CliRunner().invoke(app, ["pretrain", "--example", name])
    assert done.exit_code == 0
    (place / "c.toml").write_text(done.output)
    assert read_plan("c.toml").training.steps > 0


def test_the_books_example_is_the_course_model():
    found = read_plan(EXAMPLES / "book.toml")
    settings = CHECKPOINTS["pretraining-gpt"]["settings"]
    made = KINDS["llama"](1024, max_len=256, **{k: v for k, v in found.model.items() if k in SHAPE})
    assert asdict(made) == settings["config"]
    trained = settings["training"]
    assert all(
        getattr(found.training, k) == trained[k] for k in ("steps", "lr", "lr_min", "warmup")
    )
    assert (found.data.batch_size, found.data.context) == (
        settings["batch_size"],
        settings["context"],
    )


@pytest.mark.parametrize("arguments", [[], ["c.toml", "--example", "quick"]])
def test_the_command_wants_a_file_or_an_example(arguments):
    done = CliRunner().invoke(app, ["pretrain", *arguments])
    assert done.exit_code == 2
    assert "Give a TOML file" in done.output
