"""Time the course's byte-pair encoding against counting anew and against the compiled library.

    python benchmarks/bpe.py            three rounds, interleaved (minutes), then results/bpe.json

The text is 5 MB that every machine with this Python has: the frozen book, Python's documentation,
and modules of its standard library. Times are processor time of one process and one thread, so that
what else the machine does counts little; the median of the rounds is reported. On a busy machine,
``chrt -f 1`` before the command keeps one core free of others.

Counting anew to 10,000 tokens would take an hour or so. It is timed over its first merges, as it
begins, and over merges at the end, where words are a third as long and each merge is cheapest;
the ratio takes the cheaper. The library's encoding also returns where in the text each token is.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import platform
import statistics
import sysconfig
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # before the library starts its threads
os.environ.setdefault("OMP_NUM_THREADS", "1")

import tokenizers

from coursekit.pretraining import (
    Tokenizer,
    book_corpus,
    count_pairs,
    count_words,
    merge_pair,
    python_docs,
    train_bpe,
)

RESULTS = Path(__file__).resolve().parent / "results" / "bpe.json"
TEXT_BYTES, VOCAB_SIZE, NAIVE_MERGES, ROUNDS = 5_000_000, 10_000, 10, 3
Words = dict[tuple[bytes, ...], int]


def benchmark_text() -> list[str]:
    """Five megabytes, in documents."""
    texts = [d.text for d in [*book_corpus(), *python_docs()]]
    modules = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    size = sum(len(t.encode()) for t in texts)
    while size < TEXT_BYTES:
        texts.append(modules.pop(0).read_text(encoding="utf-8"))
        size += len(texts[-1].encode())
    return texts


def seconds(work: Callable[[], Any]) -> float:
    """Processor time of a piece of work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def naive_merges(words: Words) -> None:
    """Merge as :func:`coursekit.pretraining.train_naive_bpe` does, a few times."""
    for _ in range(NAIVE_MERGES):
        counts = count_pairs(words)
        pair = max(counts, key=lambda p: (counts[p], p))
        words = {merge_pair(word, pair): n for word, n in words.items()}


def library(texts: list[str]) -> tokenizers.ByteLevelBPETokenizer:
    """Train the compiled library on the same texts to the same size."""
    found = tokenizers.ByteLevelBPETokenizer()
    found.train_from_iterator(texts, VOCAB_SIZE, min_frequency=1, show_progress=False)
    return found


def spelled(words: dict[bytes, int], tokenizer: Tokenizer | None) -> Words:
    """Words as single bytes, or as the tokens that they are after all merges."""
    if tokenizer is None:
        return {tuple(bytes([b]) for b in word): n for word, n in words.items()}
    return {tuple(tokenizer.vocab[i] for i in tokenizer.encode(w)): n for w, n in words.items()}


def measure(texts: list[str]) -> dict[str, Any]:
    """Time everything once in each round, one after the other."""
    words = count_words(texts)
    trained, compiled = train_bpe(texts, VOCAB_SIZE), library(texts)
    first, last = spelled(words, None), spelled(words, trained)
    pieces: dict[str, Callable[[], Any]] = {
        "train": lambda: train_bpe(texts, VOCAB_SIZE),
        "train_library": lambda: library(texts),
        "count_words": lambda: count_words(texts),
        "naive_first_merges": lambda: naive_merges(first),
        "naive_last_merges": lambda: naive_merges(last),
        "encode": lambda: encode_all(of_library(compiled), texts),
        "encode_library": lambda: compiled.encode_batch(texts),
    }
    rounds = [{name: seconds(work) for name, work in pieces.items()} for _ in range(ROUNDS)]
    spent = {name: statistics.median(r[name] for r in rounds) for name in pieces}
    ids = encode_all(of_library(compiled), texts)
    if ids != [e.ids for e in compiled.encode_batch(texts)]:
        raise SystemExit("the two do not give the same tokens; the times mean nothing.")
    return {"words": len(words), "tokens": sum(map(len, ids)), "seconds": spent, "rounds": rounds}


def encode_all(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    """Tokens of every text, by a tokenizer that remembers no word yet."""
    return [tokenizer.encode(t) for t in texts]


def of_library(compiled: tokenizers.ByteLevelBPETokenizer) -> Tokenizer:
    """Our tokenizer with the library's vocabulary, by way of GPT-2's files."""
    with tempfile.TemporaryDirectory() as folder:
        vocab, merges = compiled.save_model(folder)
        return Tokenizer.from_files(vocab, merges)


def ratios(spent: dict[str, float], merges: int) -> dict[str, float]:
    """What the times say, in one number each.

    Counting anew is charged for all merges at the cost of the cheaper ones, and for counting words.
    """
    first, last = (spent[f"naive_{part}_merges"] / NAIVE_MERGES for part in ("first", "last"))
    return {
        "naive_from_first_merges": (spent["count_words"] + first * merges) / spent["train"],
        "naive_at_least": (spent["count_words"] + min(first, last) * merges) / spent["train"],
        "train_to_library": spent["train"] / spent["train_library"],
        "encode_to_library": spent["encode"] / spent["encode_library"],
    }


def main() -> None:
    """Measure and keep it."""
    argparse.ArgumentParser(description=str(__doc__).splitlines()[0]).parse_args()
    texts = benchmark_text()
    data = "".join(texts).encode()
    found = measure(texts)
    found["ratios"] = ratios(found["seconds"], VOCAB_SIZE - 256)
    record = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 1),
        "versions": {"python": platform.python_version(), "tokenizers": version("tokenizers")},
        "text": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()},
        "vocab_size": VOCAB_SIZE,
        "naive_merges": NAIVE_MERGES,
        **found,
    }
    RESULTS.write_text(json.dumps(_rounded(record), indent=1) + "\n", encoding="utf-8")
    print(json.dumps(_rounded({"seconds": found["seconds"], "ratios": found["ratios"]}), indent=1))


def _rounded(x: Any) -> Any:
    if isinstance(x, dict):
        return {k: _rounded(v) for k, v in x.items()}
    if isinstance(x, list):
        return [_rounded(v) for v in x]
    return float(f"{x:.3g}") if isinstance(x, float) else x


if __name__ == "__main__":
    main()
