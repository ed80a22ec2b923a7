"""The command that trains the chapter's models again."""

import pytest
from typer.testing import CliRunner

from coursekit.cli import app
from coursekit.data.checkpoints import CHECKPOINTS, load_checkpoint
from coursekit.generative import new_network
from coursekit.generative.build_checkpoints import BUILDERS, headline


def run(*arguments):
    return CliRunner().invoke(app, ["train-generative", *map(str, arguments)])


def test_a_model_is_trained_scored_and_stored(tmp_path):
    done = run("walk", "--folder", tmp_path, "--steps", 5)
    assert done.exit_code == 0, done.output
    assert "frechet" in done.output
    network = new_network("walk")
    network.load_state_dict(load_checkpoint("generative-walk", tmp_path))
    assert not (tmp_path / "generative-vae.npz").exists()


def test_the_courses_own_weights_are_not_replaced_by_a_trial():
    done = run("walk", "--steps", 5)
    assert done.exit_code == 2
    assert "give a --folder" in done.output
    done = run("boltzmann")
    assert done.exit_code == 2
    assert "No model 'boltzmann'; there are classifier, walk, vae" in done.output


@pytest.mark.parametrize("name", [n for n in CHECKPOINTS if n.startswith("generative-")])
def test_every_record_has_a_headline(name):
    assert name in BUILDERS
    scores = headline(CHECKPOINTS[name]["metrics"])
    assert scores
    assert all(value is None or value >= 0 for value in scores.values())
