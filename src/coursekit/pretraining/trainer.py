"""The trainer: batches in, a trained model, a metrics file and a state to go on from out.

One file, to be read from top to bottom. A step's numbers follow from the weights, the optimiser's
means and the step's number alone: the sampler counts steps, and dropout is seeded by step. So a
run that is killed and started again goes on as if nothing had been, to the bit on the CPU.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from coursekit.pretraining.batches import Batches, Loss, Measured, next_token_loss
from coursekit.pretraining.budget import flops_per_token, measured_peak, mfu
from coursekit.pretraining.distributed import (
    World,
    averaged,
    collect,
    exchanging,
    explained,
    restore,
    spread,
    whole,
)
from coursekit.pretraining.evaluate import mean_loss
from coursekit.pretraining.metrics import Run, append_text, read_metrics
from coursekit.pretraining.optim import AdamW, clip_gradients, decay_groups
from coursekit.pretraining.settings import PRECISIONS, Settings
from coursekit.pretraining.state import check_same, read_state, write_state
from coursekit.transformer import GPT

STATE, METRICS, SAMPLES = "state.pt", "metrics.jsonl", "samples.txt"
FREE = ("steps", "compile", "parallel", "peak")
"""Settings that a resumed run need not share with the run it goes on from; nor those of logs."""


class Trainer:
    """Trains one model; :meth:`run` does it all, :meth:`step` one update.

    Parameters
    ----------
    model : GPT
        Changed in place.
    sampler : Batches
        This process's share of the batches; of text, a
        :class:`~coursekit.pretraining.BatchSampler`.
    settings : Settings
        How.
    loss : callable
        ``loss(model, *batch)`` returns a dict of numbers, of which ``"loss"`` is made smaller.
    validation : sequence of int or callable, optional
        Tokens to validate on, or ``validation(model)`` that returns a number.
    folder : path, optional
        For state, metrics and samples. A state that is there is gone on from.
    sample : callable, optional
        ``sample(model)`` returns a text to be kept every `sample_every` steps.
    world : World
        The processes; one by default.
    about : dict, optional
        What else a state must have in common with the run that goes on from it.

    Raises
    ------
    StateError
        If the folder's state is damaged or of another model, other data or settings.
    ValueError
        If a batch cannot be cut into `accumulation` equal parts, or a setting does not fit.

    Examples
    --------
    >>> from coursekit.pretraining.configs import gpt2_config
    >>> from coursekit.pretraining.sampler import BatchSampler
    >>> model = GPT(gpt2_config(16, d_model=16, n_layers=1, n_heads=2, max_len=8))
    >>> sampler = BatchSampler([1, 2, 3, 4] * 50, batch_size=8, context=8)
    >>> run = Trainer(model, sampler, Settings(steps=60, lr=1e-2)).run()
    >>> run.losses[0] > 2.5, run.losses[-1] < 0.5  # ln 16 = 2.8 at first
    (True, True)
    """

    def __init__(
        self,
        model: GPT,
        sampler: Batches,
        settings: Settings,
        *,
        loss: Loss = next_token_loss,
        validation: Sequence[int] | Callable[[GPT], float] | None = None,
        folder: Path | str | None = None,
        sample: Callable[[GPT], str] | None = None,
        world: World | None = None,
        about: dict[str, Any] | None = None,
    ) -> None:
        self.world = World() if world is None else world
        self.model, self.sampler, self.settings = model.to(self.world.device), sampler, settings
        self.loss, self.validation, self.sample = loss, validation, sample
        self.about = about or {}
        self.folder = None if folder is None else Path(folder)
        if sample and settings.sample_every and settings.parallel == "fsdp" and self.world.size > 1:
            raise ValueError(
                "samples are written with the whole model, and fsdp gives each process a part; "
                "take parallel = 'ddp' or sample_every = 0."
            )
        self.spread = spread(self.model, self.world, settings.parallel)
        self.optimiser = self._new_optimiser()
        self.forward = torch.compile(self.spread) if settings.compile else self.spread
        self.steps_done, self.result = 0, Run()
        self._new: list[Measured] = []  # what steps not yet logged have shown
        self._tokens = 0  # in them
        self._since = time.perf_counter()
        rows = sampler.batch_size // sampler.world_size
        if rows % settings.accumulation:
            raise ValueError(
                f"accumulation is {settings.accumulation} and this process has {rows} rows of a "
                "batch; equal parts wanted."
            )
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._resume()

    def _new_optimiser(self) -> torch.optim.Optimizer:
        groups = decay_groups(self.spread, self.settings.weight_decay)
        if self.settings.quick:
            return torch.optim.AdamW(groups, betas=self.settings.betas, fused=True)
        return AdamW(groups, betas=self.settings.betas)

    def run(self, tell: Callable[[Trainer], None] | None = None) -> Run:
        """Train to the last step.

        Parameters
        ----------
        tell : callable, optional
            Called with the trainer after every log.

        Returns
        -------
        Run

        Raises
        ------
        FloatingPointError
            If the loss or the gradient is not a finite number.
        LostProcessError
            If another process died.
        OSError
            If the disk is full.
        """
        self.peak = self.settings.peak or self._measured_peak()
        self._since = time.perf_counter()
        try:
            device = torch.device(self.world.device)
            with torch.random.fork_rng([device] if device.type == "cuda" else []):
                while self.steps_done < self.settings.steps:
                    self.step()
                    self._attend_to_the_rest(tell)
        except RuntimeError as error:
            raise explained(error, self.world, self._path(STATE)) from error
        self.model.eval()
        return self.result

    def step(self) -> None:
        """Take one batch and update the weights."""
        if not self.model.training:
            self.model.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.rate(self.steps_done)
        self._sow()
        measured = self._gradients(self.sampler.next())
        norm = whole(clip_gradients(self.spread, self.settings.clip))
        self.optimiser.step()
        self.optimiser.zero_grad()
        self._new.append(measured | {"norm": norm})
        self.steps_done += 1

    def _gradients(self, batch: Sequence[Tensor]) -> Measured:
        """Leave in the parameters the gradients of the batch's loss, and return what was seen."""
        parts, device = self.settings.accumulation, torch.device(self.world.device)
        dtype, total = PRECISIONS[self.settings.precision], Measured()
        self._tokens += batch[0].numel() * self.world.size
        for i, part in enumerate(zip(*(x.chunk(parts) for x in batch), strict=True)):
            here = [x.to(device, non_blocking=True) for x in part]  # (B / parts, ...) each
            with exchanging(self.spread, wanted=i == parts - 1):
                with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
                    measured = self.loss(self.forward, *here)
                (measured["loss"] / parts).backward()
            for name, value in measured.items():
                total[name] = total.get(name, 0) + value.detach() / parts
        return total

    def _sow(self) -> None:
        """Give dropout another seed for every step and process."""
        step = self.settings.seed * 1_000_003 + self.steps_done
        seed = step * self.world.size + self.world.rank
        torch.default_generator.manual_seed(seed)  # torch.manual_seed also notes the call stack
        device = torch.device(self.world.device)
        if device.type != "cpu":
            torch.get_device_module(device).manual_seed(seed)

    def _attend_to_the_rest(self, tell: Callable[[Trainer], None] | None) -> None:
        """Log, validate, write samples and save, where it is time."""
        s = self.settings
        last = self.steps_done == s.steps
        validates, saves = self._due(s.validate_every), self._due(s.save_every) or last
        if self._due(s.log_every) or validates or saves:
            self._log()
            if tell is not None and self.world.leads:
                tell(self)
        if validates and self.validation is not None:
            self._validate()
        if self._due(s.sample_every) and self.sample is not None:
            self._write_sample(self.sample)
        if saves and self.folder is not None:
            self._save()
        if validates or saves:
            self._since = time.perf_counter()

    def _due(self, every: int) -> bool:
        return every > 0 and self.steps_done % every == 0

    def _log(self) -> None:
        """Look at the losses since the last log: where a GPU computes, this waits for it."""
        names = list(self._new[0])
        rows = torch.stack([torch.stack(list(seen.values())) for seen in self._new])
        new = averaged(rows, self.world).tolist()  # (steps, names)
        seconds, now = time.perf_counter() - self._since, time.perf_counter()
        first, tokens = self.steps_done - len(new), self._tokens
        self._new, self._tokens, self._since = [], 0, now
        lines: list[dict[str, Any]] = [
            {"step": first + i + 1, **dict(zip(names, row, strict=True))}
            | {"lr": self.settings.rate(first + i)}
            for i, row in enumerate(new)
        ]
        for line in lines:
            self._check(line["step"], line["loss"], line["norm"])
            self.result.add(line)
        self.result.tokens_per_second = tokens / seconds
        per_token = flops_per_token(self.model.config, self.sampler.context)
        self.result.mfu = mfu(tokens / seconds, per_token, self.peak * self.world.size)
        speed = {"tokens_per_second": round(tokens / seconds, 1), "mfu": round(self.result.mfu, 4)}
        lines[-1] |= speed
        self._write_metrics(lines)

    def _check(self, step: int, loss: float, norm: float) -> None:
        if not math.isfinite(loss + norm):
            raise FloatingPointError(
                f"step {step}: the loss is {loss:g} and its gradient's norm {norm:g}; take a "
                "smaller lr or a longer warmup. The state saved before this step is unharmed."
            )

    def _validate(self) -> None:
        if callable(self.validation):
            value = self.validation(self.model)
        else:
            assert self.validation is not None
            value = mean_loss(self.spread, self.validation, context=self.sampler.context)
        line = {"step": self.steps_done, "validation": value}
        self.result.add(line)
        self._write_metrics([line])

    def _write_sample(self, sample: Callable[[GPT], str]) -> None:
        self.model.eval()
        text = sample(self.model)
        if (path := self._path(SAMPLES)) is not None and self.world.leads:
            append_text(path, f"--- step {self.steps_done}\n{text}\n")

    def _write_metrics(self, lines: list[dict[str, Any]]) -> None:
        if (path := self._path(METRICS)) is not None and self.world.leads:
            append_text(path, "".join(json.dumps(line) + "\n" for line in lines))

    def _path(self, name: str) -> Path | None:
        return None if self.folder is None else self.folder / name

    def _measured_peak(self) -> float:
        wide = 8192 if self.world.device.startswith("cuda") else 1024
        return measured_peak(self.world.device, PRECISIONS[self.settings.precision], n=wide)

    def _identity(self) -> dict[str, dict[str, Any]]:
        """What a state must have in common with the run that goes on from it."""
        decides = {
            k: list(v) if isinstance(v, tuple) else v
            for k, v in asdict(self.settings).items()
            if k not in FREE and not k.endswith("_every")
        }
        return {"model": asdict(self.model.config), "settings": decides, "run": self.about}

    def _save(self) -> None:
        """Write all that the next step depends on."""
        state = {
            "steps_done": self.steps_done,
            "sampler": self.sampler.state_dict(),
            **self._identity(),
            **collect(self.spread, self.optimiser),
        }
        path = self._path(STATE)
        if path is not None and self.world.leads:
            write_state(path, state)

    def _resume(self) -> None:
        """Go on from the folder's state, and drop what the metrics say of later steps."""
        path, metrics = self._path(STATE), self._path(METRICS)
        assert path is not None
        assert metrics is not None
        if path.exists():
            state = read_state(path)
            for what, wanted in self._identity().items():
                check_same(path, state.get(what, {}), wanted, what)
            self.sampler.load_state_dict(state["sampler"])
            restore(self.spread, self.optimiser, state)
            self.steps_done = state["steps_done"]
        lines = [line for line in read_metrics(metrics) if line["step"] <= self.steps_done]
        for line in lines:
            self.result.add(line)
        if self.world.leads:
            part = metrics.with_name(METRICS + ".part")  # a kill here leaves the old file
            part.write_text("".join(json.dumps(x) + "\n" for x in lines), encoding="utf-8")
            part.replace(metrics)


def train(
    model: GPT,
    sampler: Batches,
    settings: Settings,
    *,
    tell: Callable[[Trainer], None] | None = None,
    **options: Any,
) -> Run:
    """Train a model to the last step: :class:`Trainer`, and :meth:`Trainer.run`.

    Parameters
    ----------
    model, sampler, settings, **options
        As of :class:`Trainer`.
    tell : callable, optional
        As of :meth:`Trainer.run`.

    Returns
    -------
    Run

    Examples
    --------
    >>> from coursekit.pretraining.configs import llama_config
    >>> from coursekit.pretraining.sampler import BatchSampler
    >>> model = GPT(llama_config(16, d_model=16, n_layers=1, n_heads=2))
    >>> sampler = BatchSampler([1, 2, 3, 4] * 50, batch_size=8, context=8)
    >>> len(train(model, sampler, Settings(steps=3)).losses)
    3
    """
    return Trainer(model, sampler, settings, **options).run(tell)
