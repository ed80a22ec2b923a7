"""Measure decoding: what the cache, batching and guessing ahead save, and a library beside it.

    python benchmarks/decoding.py [--rounds 3] [--only PART]

One thread, seconds of processor time. What is compared takes turns within each round; a ratio is
the median over the rounds. The library is `transformers`, where it is installed: the same GPT-2
weights, written with `generate`, and the tokens must be equal. Weights are random, which costs
what trained ones cost; guessing ahead is measured on the course's models. Each part goes to
benchmarks/results/decoding.json for itself.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from coursekit.pretraining import (
    Request,
    Sampling,
    course_split,
    generate,
    gpt2_config,
    load_lm,
    serve,
    serve_static,
    speculate,
)
from coursekit.transformer import GPT, gpt2_layout, to_published

RESULTS = Path(__file__).resolve().parent / "results" / "decoding.json"
CONFIG = gpt2_config(8192, d_model=256, n_layers=6, n_heads=8, max_len=512)
PROMPT, NEW = 64, 192
"""Tokens of a prompt, and new ones."""
REQUESTS, SLOTS, MEAN = 40, 8, 32
"""Requests, rows, and the mean number of tokens that a request gets (geometric, at least 1)."""


def take_turns(
    runs: Mapping[str, Callable[[], Any]], rounds: int
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Seconds of processor time of each run in each round, and what each returned last."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    results = {}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            results[name] = run()
            seconds[name].append(time.process_time() - start)
    return seconds, results


def compared(seconds: Mapping[str, list[float]], slow: str, fast: str, tokens: int) -> dict:
    """Tokens a second of both, and how much faster the second is, round by round."""
    ratios = [a / b for a, b in zip(seconds[slow], seconds[fast], strict=True)]
    return {
        "tokens": tokens,
        **{
            f"{name}_tokens_per_s": round(tokens / statistics.median(seconds[name]), 1)
            for name in (slow, fast)
        },
        "ratio": round(statistics.median(ratios), 2),
        "ratio_from_to": [round(min(ratios), 2), round(max(ratios), 2)],
    }


def prompts(batch: int) -> list[list[int]]:
    """Random prompts, the same each time."""
    return np.random.default_rng(0).integers(0, CONFIG.vocab_size, (batch, PROMPT)).tolist()


def cache(model: GPT, rounds: int) -> dict:
    """One prompt, greedy, with and without keys and values kept."""
    runs = {
        "uncached": lambda: generate(model, prompts(1), max_new_tokens=NEW, cache=False),
        "cached": lambda: generate(model, prompts(1), max_new_tokens=NEW),
    }
    seconds, results = take_turns(runs, rounds)
    assert results["cached"][0].ids == results["uncached"][0].ids
    return compared(seconds, "uncached", "cached", NEW)


def library(model: GPT, rounds: int, batch: int) -> dict:
    """The same weights in transformers, greedy, with its cache."""
    from transformers import GPT2Config, GPT2LMHeadModel, __version__

    c = model.config
    theirs = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=c.vocab_size,
            n_positions=c.max_len,
            n_embd=c.d_model,
            n_layer=c.n_layers,
            n_head=c.n_heads,
        )
    ).eval()
    theirs.transformer.load_state_dict(to_published(model.state_dict(), gpt2_layout(c)))
    theirs.tie_weights()
    ids = torch.tensor(prompts(batch))
    options = {"do_sample": False, "max_new_tokens": NEW, "min_new_tokens": NEW}
    runs = {
        "transformers": lambda: theirs.generate(
            ids, attention_mask=torch.ones_like(ids), pad_token_id=0, **options
        ),
        "coursekit": lambda: generate(model, ids.tolist(), max_new_tokens=NEW),
    }
    with torch.no_grad():
        seconds, results = take_turns(runs, rounds)
    same = [tuple(row[PROMPT:].tolist()) for row in results["transformers"]]
    assert same == [g.ids for g in results["coursekit"]]
    found = compared(seconds, "transformers", "coursekit", batch * NEW)
    return {"version": __version__, "batch": batch, **found}


def batching(model: GPT, rounds: int) -> dict:
    """Requests of very different lengths, served batch by batch and continuously."""
    rng = np.random.default_rng(1)
    lengths = rng.geometric(1 / MEAN, REQUESTS).clip(1, CONFIG.max_len - PROMPT)
    requests = [
        Request(rng.integers(0, CONFIG.vocab_size, PROMPT).tolist(), max_new_tokens=int(n))
        for n in lengths
    ]
    runs = {
        "static": lambda: serve_static(model, requests, slots=SLOTS),
        "continuous": lambda: serve(model, requests, slots=SLOTS),
    }
    seconds, results = take_turns(runs, rounds)
    static, continuous = results["static"], results["continuous"]
    assert [g.ids for g in static.generations] == [g.ids for g in continuous.generations]
    return {
        "requests": REQUESTS,
        "slots": SLOTS,
        "longest": int(lengths.max()),
        **compared(seconds, "static", "continuous", int(lengths.sum())),
        "steps": {name: served.steps for name, served in results.items()},
        "utilisation": {name: round(s.utilisation, 3) for name, s in results.items()},
    }


def speculation(rounds: int, ahead: int) -> dict:
    """The course's language model, alone and with its draft's guesses, on held-out beginnings."""
    (large, tokenizer), (draft, _) = load_lm(), load_lm("draft")
    _, held_out = course_split()
    beginnings = [tokenizer.encode(d.text)[:32] for d in held_out[:12]]
    how = {"max_new_tokens": 100, "sampling": Sampling(), "seed": 0}
    runs = {
        "alone": lambda: [generate(large, [ids], **how)[0] for ids in beginnings],
        "speculative": lambda: [speculate(large, draft, i, ahead=ahead, **how) for i in beginnings],
    }
    seconds, results = take_turns(runs, rounds)
    found = results["speculative"]
    tokens = sum(len(s.generation.ids) for s in found)
    assert tokens == sum(len(g.ids) for g in results["alone"])
    accepted, guessed = sum(s.accepted for s in found), sum(s.guessed for s in found)
    return {
        "ahead": ahead,
        **compared(seconds, "alone", "speculative", tokens),
        "tokens_a_run": round(tokens / sum(s.rounds for s in found), 2),
        "accepted_of_guessed": round(accepted / guessed, 3),
    }


def main() -> None:
    """Measure the parts asked for and write them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["cache", "batching", "speculation", "library"])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    model, rounds = GPT(CONFIG, generator=torch.Generator().manual_seed(0)).eval(), asked.rounds
    generate(model, prompts(1), max_new_tokens=2)  # torch's first calls are slow
    parts: dict[str, Callable[[], Any]] = {
        "cache": lambda: cache(model, rounds),
        "batching": lambda: batching(model, rounds),
        "speculation": lambda: [speculation(rounds, ahead) for ahead in (1, 2, 4)],
    }
    if importlib.util.find_spec("transformers"):
        parts["library"] = lambda: [library(model, rounds, batch) for batch in (1, 8)]
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    found |= {
        "machine": f"{platform.machine()}, Python {platform.python_version()}, "
        f"torch {torch.__version__}, one thread, seconds of processor time",
        "model": f"GPT-2's kind, {sum(p.numel() for p in model.parameters()):,} parameters, "
        f"float32, context {CONFIG.max_len}, {PROMPT} tokens in and {NEW} out",
    }
    for name in [asked.only] if asked.only else parts:
        today = datetime.date.today().isoformat()
        found[name] = {"date": today, "rounds": rounds, "measured": parts[name]()}
        RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        print(json.dumps(found[name], indent=2))


if __name__ == "__main__":
    main()
