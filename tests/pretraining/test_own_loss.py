"""The trainer with batches and a loss of one's own: as post-training has them."""

import pytest
import torch

from coursekit.pretraining import BatchSampler, Settings, StateError, Trainer, gpt2_config
from coursekit.pretraining.batches import next_token_loss
from coursekit.transformer import GPT

SETTINGS = Settings(steps=8, lr=1e-2, log_every=2, save_every=4, validate_every=4, peak=1e10)


class Rewarded:
    """Batches of tokens with a number for each row, counted by step."""

    batch_size, context, world_size = 4, 6, 1

    def __init__(self):
        self.step = 0

    def next(self):
        g = torch.Generator().manual_seed(self.step)
        self.step += 1
        return torch.randint(16, (4, 6), generator=g), torch.randn(4, generator=g)

    def state_dict(self):
        return {"step": self.step}

    def load_state_dict(self, state):
        self.step = state["step"]


def weighted_loss(model, ids, weights):
    """Each row's cross-entropy, times its number."""
    log_probs = model(ids)[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None]).squeeze(-1)
    return {"loss": -(weights * log_probs.mean(-1)).mean(), "weight": weights.mean()}


def gpt():
    config = gpt2_config(16, d_model=16, n_layers=1, n_heads=2, max_len=8, dropout=0.2)
    return GPT(config, generator=torch.Generator().manual_seed(0))


def trainer(folder=None, settings=SETTINGS, **options):
    options = {"loss": weighted_loss, "folder": folder} | options
    return Trainer(gpt(), Rewarded(), settings, **options)


def test_what_the_loss_tells_is_logged_at_each_step(tmp_path):
    run = trainer(tmp_path).run()
    batches = Rewarded()
    wanted = [batches.next()[1].mean().item() for _ in range(8)]
    assert run.measured["weight"] == pytest.approx(wanted, rel=1e-6)
    assert len(run.losses) == 8


def test_accumulated_parts_tell_the_whole_batchs_means():
    """In float64: equal parts' means have the batch's mean as theirs."""
    runs = []
    for parts in (1, 2):
        settings = Settings(**{**vars(SETTINGS), "accumulation": parts})
        net = GPT(gpt2_config(16, d_model=16, n_layers=1, n_heads=2, max_len=8)).double()
        torch.manual_seed(0)
        for p in net.parameters():
            torch.nn.init.normal_(p, std=0.1)
        runs.append(Trainer(net, Rewarded(), settings, loss=weighted_loss).run())
    assert runs[1].losses == pytest.approx(runs[0].losses, rel=1e-6)  # rewards are float32
    assert runs[1].measured["weight"] == pytest.approx(runs[0].measured["weight"], rel=1e-6)


def test_a_killed_run_goes_on_to_the_bit_with_its_own_loss(tmp_path):
    whole = trainer(tmp_path / "whole").run()
    stopped = trainer(tmp_path / "parted")

    def stop(at):
        if at.steps_done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped.run(stop)
    resumed = trainer(tmp_path / "parted")
    assert resumed.steps_done == 4
    again = resumed.run()
    assert again.losses == whole.losses
    assert again.measured == whole.measured


def test_validation_may_be_any_measure_of_the_model():
    run = trainer(validation=lambda model: float(model.config.d_model)).run()
    assert run.validation == [(4, 16.0), (8, 16.0)]


def test_a_state_of_another_kind_of_run_is_refused(tmp_path):
    trainer(tmp_path, about={"method": "sft"}).run()
    with pytest.raises(StateError, match="another run: method is sft there and dpo here"):
        trainer(tmp_path, about={"method": "dpo"})


def test_without_a_loss_the_next_token_is_learned():
    tokens = [1, 2, 3, 4] * 50
    sampler = BatchSampler(tokens, 4, 8)
    x, y = sampler.next()
    model = gpt().eval()
    expected = torch.nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
    assert next_token_loss(model, x, y)["loss"].item() == pytest.approx(expected.item())
