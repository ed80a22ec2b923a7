"""Several processes, one training: each takes its share of every batch, and gradients are averaged.

``torchrun`` starts the processes and tells each, by environment variables, its number and how many
there are. Which share of a batch is whose, the sampler decides.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_state_dict,
    set_state_dict,
)
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

KINDS = ("ddp", "fsdp")
LOST = ("gloo", "nccl", "connection", "peer", "timed out", "timeout")
"""What torch's messages about a lost process have in them."""


class LostProcessError(ConnectionError):
    """Another process of the training has died or does not answer."""


@dataclass(frozen=True)
class World:
    """The processes of a training, seen from one of them.

    Parameters
    ----------
    rank : int, default 0
        This process's number.
    size : int, default 1
        How many there are.
    device : str, default "cpu"
        Where this one computes.

    Examples
    --------
    >>> World().leads, World(rank=1, size=2).leads
    (True, False)
    """

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def leads(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0


def join(device: str = "auto", *, patience: float = 600.0) -> World:
    """Take part in the training that ``torchrun`` started, or be alone.

    Parameters
    ----------
    device : str
        ``"auto"`` takes this process's GPU if there is one.
    patience : float
        Seconds to wait for the other processes, at each exchange.

    Returns
    -------
    World

    Raises
    ------
    RuntimeError
        If the device is not there.
    """
    local, size = int(os.environ.get("LOCAL_RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if device == "auto":
        device = f"cuda:{local}" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise RuntimeError(f"device is {device!r} and torch sees no GPU; take device = 'cpu'.")
    if size == 1:
        return World(device=device)
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        backend = "nccl" if device.startswith("cuda") else "gloo"
        dist.init_process_group(backend, timeout=timedelta(seconds=patience))
    return World(dist.get_rank(), dist.get_world_size(), device)


def leave() -> None:
    """Leave the training; does nothing for a process that is alone."""
    if dist.is_initialized():
        dist.destroy_process_group()


def spread(model: nn.Module, world: World, kind: str) -> nn.Module:
    """Return the model made ready for several processes.

    Parameters
    ----------
    model : nn.Module
        With its `blocks`; on the right device.
    world : World
        With one process, the model is returned as it is.
    kind : {"ddp", "fsdp"}
        Each process holds the whole model (`DistributedDataParallel`, Li et al., 2020), or a share
        of every weight, gradient and mean (FSDP2, after Rajbhandari et al., 2020, stage 3).

    Raises
    ------
    ValueError
        If the kind is unknown.

    Examples
    --------
    >>> layer = nn.Linear(2, 2)
    >>> spread(layer, World(), "ddp") is layer
    True
    """
    if kind not in KINDS:
        raise ValueError(f"parallel is {kind!r}; one of {', '.join(map(repr, KINDS))} wanted.")
    if world.size == 1:
        return model
    if kind == "ddp":
        return DistributedDataParallel(model)
    mesh = dist.device_mesh.init_device_mesh(world.device.split(":")[0], (world.size,))
    for block in model.blocks:  # type: ignore[union-attr]
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)  # in place
    return model


def exchanging(model: nn.Module, wanted: bool) -> AbstractContextManager[Any]:
    """Return a context in which gradients are exchanged, or only summed up at home.

    With accumulation only the last part of a batch needs an exchange.

    Parameters
    ----------
    model : nn.Module
        As :func:`spread` returned it.
    wanted : bool
        Whether to exchange.
    """
    if isinstance(model, FSDPModule):
        model.set_requires_gradient_sync(wanted)
    elif isinstance(model, DistributedDataParallel) and not wanted:
        return model.no_sync()
    return nullcontext()


def averaged(x: Tensor, world: World) -> Tensor:
    r"""Return the mean of a tensor over the processes.

    Gradients go the same way, :eq:`eq-pretraining-data-parallel`: with equal shares of the batch
    the mean of the processes' gradients is the gradient of the whole batch's mean loss.

    Parameters
    ----------
    x : Tensor
        This process's; not changed.
    world : World
        Who takes part.

    Examples
    --------
    >>> averaged(torch.tensor([3.0]), World())
    tensor([3.])
    """
    if world.size == 1:
        return x
    total = x.clone()
    dist.all_reduce(total)
    return total / world.size


def whole(x: Tensor) -> Tensor:
    """Return a tensor whose shares lie on several processes in one piece; others as they are.

    Examples
    --------
    >>> whole(torch.tensor(3.0))
    tensor(3.)
    """
    return x.full_tensor() if isinstance(x, DTensor) else x


def collect(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    """Return weights and optimiser's means, whole; every process has to call it.

    Parameters
    ----------
    model : nn.Module
        As :func:`spread` returned it.
    optimiser : torch.optim.Optimizer
        Of its parameters.

    Returns
    -------
    dict
        ``weights`` and ``optimiser``, by the parameters' names, on the CPU: the same for any
        number of processes and either kind.
    """
    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    weights, means = get_state_dict(model, optimiser, options=options)
    return {"weights": weights, "optimiser": means}


def restore(model: nn.Module, optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Put back what :func:`collect` returned; every process has to call it.

    Parameters
    ----------
    model, optimiser
        As in :func:`collect`; of the same shape.
    state : dict
        Of :func:`collect`.
    """
    set_state_dict(
        *(model, optimiser),
        model_state_dict=state["weights"],
        optim_state_dict=state["optimiser"],
        options=StateDictOptions(full_state_dict=True),
    )


def explained(
    error: RuntimeError, world: World, state: Path | None
) -> RuntimeError | LostProcessError:
    """Return what a failed exchange means, or the error itself if it is another one.

    Parameters
    ----------
    error : RuntimeError
        From torch.
    world : World
        Who took part.
    state : pathlib.Path, optional
        Where the run's state is.

    Examples
    --------
    >>> explained(RuntimeError("Gloo: Connection closed by peer"), World(0, 2), None)
    LostProcessError('process 0 of 2 has lost another one, which died or was stopped; its own \
message says why. No state was kept. (Gloo: Connection closed by peer)')
    """
    if world.size == 1 or not any(word in str(error).lower() for word in LOST):
        return error
    kept = (
        f"Run the same command again to go on from {state}."
        if state is not None and state.exists()
        else "No state was kept."
    )
    return LostProcessError(
        f"process {world.rank} of {world.size} has lost another one, which died or was stopped; "
        f"its own message says why. {kept} ({str(error).splitlines()[0]})"
    )
