"""Checkpoints: what is loaded is what was recorded, and nothing else is loaded."""

import json
import sys
import types

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from coursekit.cli import app
from coursekit.data import checkpoints
from coursekit.data.checkpoints import (
    CHECKPOINTS,
    FOLDER,
    LARGEST_BYTES,
    LARGEST_TOTAL,
    Built,
    build,
    load_checkpoint,
    save_checkpoint,
    verify,
)


def built(**tensors):
    tensors = tensors or {"layer.weight": torch.arange(6.0).reshape(2, 3).half()}
    return Built(tensors, {"width": 3}, {"accuracy": 0.5}, seed=7, cpu_seconds=1.25)


def test_what_is_saved_is_loaded(tmp_path):
    tensors = {
        "a.weight": torch.randn(2, 3),
        "b": torch.arange(4),
        "half": torch.tensor([0.1, 2.0]).half(),
        "empty": torch.zeros(0, 3),
    }
    save_checkpoint("seq2seq-x", built(**tensors), tmp_path)
    loaded = load_checkpoint("seq2seq-x", tmp_path)
    assert list(loaded) == list(tensors)
    for key in ("a.weight", "b", "empty"):
        assert torch.equal(loaded[key], tensors[key])
    assert loaded["half"].dtype == torch.float32
    assert torch.equal(loaded["half"], tensors["half"].float())


def test_saving_twice_gives_the_same_bytes(tmp_path):
    first = save_checkpoint("seq2seq-x", built(), tmp_path)
    second = save_checkpoint("seq2seq-x", built(), tmp_path)
    assert first == second
    verify("seq2seq-x", tmp_path)


def test_the_manifest_says_what_made_it(tmp_path):
    save_checkpoint("seq2seq-b", built(), tmp_path)
    save_checkpoint("seq2seq-a", built(), tmp_path)
    entries = json.loads((tmp_path / "manifest.json").read_text())
    assert list(entries) == ["seq2seq-a", "seq2seq-b"]
    entry = entries["seq2seq-a"]
    assert entry["command"] == "coursekit checkpoints build seq2seq-a"
    assert (entry["seed"], entry["cpu_seconds"]) == (7, 1.2)
    assert entry["settings"] == {"width": 3}
    assert entry["metrics"] == {"accuracy": 0.5}
    assert entry["bytes"] == (tmp_path / entry["file"]).stat().st_size


def test_a_changed_file_is_refused(tmp_path):
    entry = save_checkpoint("seq2seq-x", built(), tmp_path)
    path = tmp_path / entry["file"]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="was changed"):
        load_checkpoint("seq2seq-x", tmp_path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="checkpoints build seq2seq-x"):
        load_checkpoint("seq2seq-x", tmp_path)
    with pytest.raises(KeyError, match="no checkpoint 'seq2seq-y'"):
        load_checkpoint("seq2seq-y", tmp_path)


def test_a_pickle_is_never_read_even_with_the_right_hash(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(sys.modules[__name__], "trap", ran.append, raising=False)

    class Trap:
        def __reduce__(self):
            return (exec, (f"import sys; sys.modules[{__name__!r}].trap(1)",))

    objects = np.empty(1, dtype=object)
    objects[0] = Trap()
    entry = save_checkpoint("seq2seq-x", built(), tmp_path)
    path = tmp_path / entry["file"]
    np.savez(path, w=objects)
    entries = json.loads((tmp_path / "manifest.json").read_text())
    entries["seq2seq-x"]["sha256"] = checkpoints.hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    with pytest.raises(ValueError, match="allow_pickle"):
        load_checkpoint("seq2seq-x", tmp_path)
    assert not ran


def test_a_file_that_is_too_large_is_not_written(tmp_path):
    noise = torch.randn(LARGEST_BYTES // 2)
    with pytest.raises(ValueError, match="float16"):
        save_checkpoint("seq2seq-x", built(w=noise), tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_committed_files_are_those_of_the_manifest_and_small():
    assert CHECKPOINTS
    assert {p.name for p in FOLDER.glob("*.npz")} == {e["file"] for e in CHECKPOINTS.values()}
    for name, entry in CHECKPOINTS.items():
        verify(name)
        assert entry["bytes"] == (FOLDER / entry["file"]).stat().st_size <= LARGEST_BYTES
    assert sum(e["bytes"] for e in CHECKPOINTS.values()) <= LARGEST_TOTAL


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_every_committed_checkpoint_loads_and_is_finite(name):
    tensors = load_checkpoint(name)
    assert tensors
    assert all(t.isfinite().all() for t in tensors.values())


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_every_committed_checkpoint_has_a_builder(name):
    package = __import__(f"coursekit.{name.split('-')[0]}.build_checkpoints", fromlist=["_"])
    assert callable(package.BUILDERS[name])


@pytest.fixture
def toy(monkeypatch):
    """A package ``coursekit.toy`` that builds one checkpoint."""
    module = types.ModuleType("coursekit.toy.build_checkpoints")
    module.BUILDERS = {"toy-model": built}
    monkeypatch.setitem(sys.modules, "coursekit.toy", types.ModuleType("coursekit.toy"))
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.usefixtures("toy")
def test_a_builder_is_found_by_name(tmp_path):
    assert build("toy-model", tmp_path)["metrics"] == {"accuracy": 0.5}
    assert (tmp_path / "toy-model.npz").is_file()
    with pytest.raises(KeyError, match=r"no builder 'toy-other'; coursekit.toy has toy-model"):
        build("toy-other", tmp_path)
    with pytest.raises(KeyError, match=r"coursekit.basics builds no checkpoints"):
        build("basics-model", tmp_path)


@pytest.mark.usefixtures("toy")
def test_the_command_line_builds_lists_and_verifies(tmp_path):
    run = CliRunner().invoke
    done = run(app, ["checkpoints", "build", "toy-model", "--folder", str(tmp_path)])
    assert done.exit_code == 0
    assert json.loads(done.output) == {"before": None, "now": {"accuracy": 0.5}}
    done = run(app, ["checkpoints", "build", "toy-none"])
    assert done.exit_code == 2
    assert "no builder 'toy-none'" in done.output
    done = run(app, ["checkpoints", "list", "--json"])
    assert json.loads(done.output) == CHECKPOINTS
    assert next(iter(CHECKPOINTS)) in run(app, ["checkpoints", "list"]).output
    done = run(app, ["checkpoints", "verify"])
    assert done.exit_code == 0
    assert done.output.count("as recorded") == len(CHECKPOINTS)
