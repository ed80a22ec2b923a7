"""The process that runs a submission: its cells first, then one call after another.

This runs in the same process as the submission, which can read and change all of it. It is a
convenience for honest submissions; nothing that it sends is trusted. What protects the grader is
around this process, and outside of it.

A request and a reply are frames: four bytes of length, then JSON. A reply repeats the request's
``nonce``, so that a reply to an earlier request, or to none, is not taken for one to this.
"""

import hashlib
import json
import os
import random
import sys
from typing import Any

from coursekit.grading import wire
from coursekit.grading.run import attempt, make_driver
from coursekit.grading.sandbox.cells import make_main, run_cells

MAX_TEXT = 100_000


def serve(requests: int, replies: int) -> None:
    """Answer requests that come on one descriptor on the other, until the first is closed."""
    names: dict[str, Any] = {}
    while (request := _receive(requests)) is not None:
        if request["do"] == "cells":
            names = make_main(request["cells"])
        _send(replies, {**_answer(request, names), "nonce": request["nonce"]})


def _receive(fd: int) -> dict | None:
    head = _read(fd, 4)
    return json.loads(_read(fd, int.from_bytes(head, "big"))) if head else None


def _read(fd: int, n: int) -> bytes:
    parts = []
    while n > 0 and (part := os.read(fd, min(n, 1 << 16))):
        parts.append(part)
        n -= len(part)
    return b"".join(parts)


def _send(fd: int, answer: dict) -> None:
    raw = json.dumps(answer, allow_nan=False, separators=(",", ":")).encode()
    view = memoryview(len(raw).to_bytes(4, "big") + raw)
    while view:
        view = view[os.write(fd, view) :]


def _answer(request: dict, names: dict[str, Any]) -> dict[str, Any]:
    match request["do"]:
        case "cells":
            seed_everything("cells")
            errors = run_cells(request["cells"], request["seconds"])
            sys.stdout.flush()
            return {"errors": errors}
        case "defined":
            return {"defined": {name: _kind(names, name) for name in request["names"]}}
        case "text":
            text = names.get(request["name"])
            return {"text": text[:MAX_TEXT] if type(text) is str else None}
    return _call(request, names)


def _kind(names: dict[str, Any], name: str) -> str:
    if name not in names:
        return "missing"
    value = names[name]
    if isinstance(value, type):
        return "class"
    return "function" if callable(value) else wire.type_name(value)


def _call(request: dict, names: dict[str, Any]) -> dict[str, Any]:
    asks = request["asks"]
    if asks not in names:
        return {"error": "NameError", "message": f"{asks} is not defined"}
    seed_everything(json.dumps(request["inputs"]))
    driver = make_driver(request["driver"])
    found = attempt(names[asks], request["inputs"], driver, request["seconds"])
    told = {k: getattr(found, k) for k in ("error", "message", "line", "changed", "warning")}
    if found.error:
        return told
    try:
        return {**told, "value": wire.encode(found.value)}
    except wire.WireError as error:
        return {**told, "error": "WireError", "message": str(error)}


def seed_everything(text: str) -> None:
    """Seed what draws without a generator, from the request: the same request, the same numbers."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    random.seed(seed)
    for module, draw in (("numpy", "random.seed"), ("torch", "manual_seed")):
        target = sys.modules.get(module)
        for part in draw.split("."):
            target = getattr(target, part, None)
        if callable(target):
            target(seed)


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
