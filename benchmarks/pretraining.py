"""Time the trainer beside the best-known small open one, nanoGPT, at the same configuration.

    git clone https://github.com/karpathy/nanoGPT
    python benchmarks/pretraining.py --nanogpt nanoGPT

Each is run as its README says to run it on a processor: nanoGPT's `train.py` with
`--device=cpu --compile=False`, and `coursekit pretrain` with a file; with --compile, both compiled.
Same tokens, same shape (GPT-2's, GELU, biases, tied tables), same batch, one thread. They take
turns, and every turn is a process of its own. Two speeds are told: tokens over the seconds of the
steps by each program's own log, which a busy machine makes noisy; and tokens over the processor
seconds that a long run takes more than a short one, which leaves out the start. Results go to
benchmarks/results/pretraining.json.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pickle
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from coursekit.pretraining import (
    course_split,
    flops_per_token,
    gpt2_config,
    load_tokenizer,
    measured_peak,
    mfu,
    read_metrics,
    write_packed,
)
from coursekit.transformer import GPT, num_parameters

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "pretraining.json"
SHAPE = {"d_model": 128, "n_layers": 4, "n_heads": 4}
BATCH_SIZE, CONTEXT, LR = 12, 64, 1e-3  # nanoGPT's README, for a MacBook's processor
FIRST = 10
"""Steps that are not counted."""

LAST = 20
"""Steps whose mean loss is told, to show that both have learned as much."""

CONFIG = """
folder = "{folder}"
device = "cpu"

[model]
kind = "gpt2"
feed_forward = "gelu"
d_model = 128
n_layers = 4
n_heads = 4

[data]
train = "{data}/train.packed"
batch_size = 12
context = 64

[training]
steps = {steps}
lr = 1e-3
lr_min = 1e-4
warmup = {first}
log_every = {first}
compile = {compile}
peak = 1e11  # not told here: measuring it would blur the seconds of the start
"""


def prepare(nanogpt: Path, work: Path) -> None:
    """Write the book's tokens in both programs' formats."""
    tokenizer = load_tokenizer()
    ids = [tokenizer.encode(d.text) for d in course_split()[0]]
    write_packed(work / "train.packed", ids, tokenizer.vocab_size)
    folder = nanogpt / "data" / "course_benchmark"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("train.bin", "val.bin"):
        np.concatenate(ids).astype(np.uint16).tofile(folder / name)
    meta = pickle.dumps({"vocab_size": tokenizer.vocab_size})
    (folder / "meta.pkl").write_bytes(meta)


def run(command: list[str], folder: Path) -> tuple[str, float]:
    """Return what a command printed and the processor seconds that it took."""
    env = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def time_nanogpt(nanogpt: Path, steps: int, compiled: bool) -> dict[str, float]:
    """Train with nanoGPT; it logs every step's milliseconds."""
    shape = f"--n_layer={SHAPE['n_layers']} --n_head={SHAPE['n_heads']} --n_embd={SHAPE['d_model']}"
    options = (
        f"config/train_shakespeare_char.py --dataset=course_benchmark --device=cpu {shape} "
        f"--compile={compiled} --eval_iters=1 --eval_interval=1000000 --log_interval=1 "
        f"--block_size={CONTEXT} --batch_size={BATCH_SIZE} --max_iters={steps} "
        f"--lr_decay_iters={steps} --dropout=0.0 --bias=True --dtype=float32 "
        f"--learning_rate={LR} --min_lr={LR / 10} --beta2=0.95 --warmup_iters={FIRST}"
    )
    said, cpu = run([sys.executable, "train.py", *options.split()], nanogpt)
    rows = re.findall(r"iter (\d+): loss ([\d.]+), time ([\d.]+)ms", said)
    seconds = [float(ms) / 1000 for step, _, ms in rows if int(step) >= FIRST]
    return {
        "tokens_per_second": len(seconds) * BATCH_SIZE * CONTEXT / sum(seconds),
        "cpu_seconds": cpu,
        "last_loss": statistics.mean(float(loss) for _, loss, _ in rows[-LAST:]),
    }


def time_course(work: Path, name: str, steps: int, compiled: bool) -> dict[str, float]:
    """Train with the course's command; it logs the speed of every `FIRST` steps."""
    folder = work / name
    config = work / f"{name}.toml"
    config.write_text(
        CONFIG.format(
            folder=folder, data=work, steps=steps, first=FIRST, compile=str(compiled).lower()
        )
    )
    _, cpu = run([sys.executable, "-m", "coursekit", "pretrain", str(config)], work)
    lines = read_metrics(folder / "metrics.jsonl")
    speeds = [x["tokens_per_second"] for x in lines if x["step"] > FIRST and "mfu" in x]
    losses = [x["loss"] for x in lines if "loss" in x]
    return {
        "tokens_per_second": statistics.harmonic_mean(speeds),
        "cpu_seconds": cpu,
        "last_loss": statistics.mean(losses[-LAST:]),
    }


def rounds(nanogpt: Path, number: int, steps: int, compiled: bool) -> list[dict[str, dict]]:
    """Let both take turns, the first one changing."""
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        prepare(nanogpt, work)
        for i in range(number):
            turns = {
                "nanogpt": lambda n: time_nanogpt(nanogpt, n, compiled),
                "course": lambda n, i=i: time_course(work, f"run{i}-{n}", n, compiled),
            }
            order = sorted(turns, reverse=bool(i % 2))
            found.append({name: turn(turns[name], steps) for name in order})
            print(json.dumps(found[-1]), flush=True)
    return found


def turn(train: Callable[[int], dict[str, float]], steps: int) -> dict[str, float]:
    """Train shortly and at length, and return what the long run shows beyond the short one."""
    short, long = train(2 * FIRST), train(steps)
    tokens = (steps - 2 * FIRST) * BATCH_SIZE * CONTEXT
    cpu = long.pop("cpu_seconds") - short["cpu_seconds"]
    return long | {"tokens_per_cpu_second": tokens / cpu}


def summary(found: list[dict[str, dict]], peak: float) -> dict[str, Any]:
    """Return medians, the ratio of each round, and the utilisation."""
    config = gpt2_config(load_tokenizer().vocab_size, max_len=CONTEXT, **SHAPE)
    per_token = flops_per_token(config, CONTEXT)
    told: dict[str, Any] = {"parameters": num_parameters(GPT(config))}
    for name in ("nanogpt", "course"):
        middle = {key: statistics.median(r[name][key] for r in found) for key in found[0][name]}
        told[f"{name}_tokens_per_second"] = round(middle["tokens_per_second"])
        told[f"{name}_tokens_per_cpu_second"] = round(middle["tokens_per_cpu_second"])
        told[f"{name}_mfu"] = round(mfu(middle["tokens_per_cpu_second"], per_token, peak), 3)
        told[f"{name}_last_loss"] = round(middle["last_loss"], 3)
    for key in ("tokens_per_second", "tokens_per_cpu_second"):
        ratios = [r["course"][key] / r["nanogpt"][key] for r in found]
        told[f"ratio_{key}"] = round(statistics.median(ratios), 3)
        told[f"ratio_{key}_range"] = [round(min(ratios), 3), round(max(ratios), 3)]
    return told


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nanogpt", type=Path, required=True, help="A clone of nanoGPT.")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--compile", action="store_true", help="Compile both models first.")
    options = parser.parse_args()
    nanogpt = options.nanogpt.resolve()
    torch.set_num_threads(1)
    peak = measured_peak()
    found = rounds(nanogpt, options.rounds, options.steps, options.compile)
    head = ["git", "-C", str(nanogpt), "rev-parse", "--short", "HEAD"]
    entry = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "nanogpt": subprocess.run(head, capture_output=True, text=True).stdout.strip(),
        "steps": options.steps,
        "rounds": options.rounds,
        "load": round(os.getloadavg()[0], 1),
        "peak_gflops": round(peak / 1e9, 1),
        **summary(found, peak),
    }
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept["compiled" if options.compile else "eager"] = entry
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    print(json.dumps(entry, indent=1))


if __name__ == "__main__":
    main()
