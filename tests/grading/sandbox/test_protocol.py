"""What the grader does with a worker that lies, babbles, hangs up or says nothing at all."""

from __future__ import annotations

import json
import sys
import time

import pytest

from coursekit.grading import wire
from coursekit.grading.sandbox import Limits, SandboxDied, open_session

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the grader runs on Linux")

# A submission that speaks for the worker: fd 3 brings requests, fd 4 takes replies.
SPEAK = """
import json, os, sys, threading, time
def frame(raw): return len(raw).to_bytes(4, "big") + raw
def say(raw): os.write(4, raw)
def nonce():
    up = sys._getframe()
    while up and "request" not in up.f_locals:
        up = up.f_back
    return up.f_locals["request"]["nonce"]
"""


def ending(code: str, seconds: float = 5.0, **limits: float) -> SandboxDied:
    """How a session ends in which the submission speaks for the worker."""
    chosen = Limits(**limits)  # type: ignore[arg-type]
    with open_session([SPEAK + code], tier="unsafe", limits=chosen) as session:
        with pytest.raises(SandboxDied) as died:
            session.call("f", wire.encode(()), "", seconds)
        with pytest.raises(SandboxDied, match="the session is closed"):
            session.call("f", wire.encode(()), "", seconds)
    return died.value


def test_a_reply_before_it_was_asked_for_ends_the_session() -> None:
    code = "def f(): return 1\nthreading.Timer(0.05, say, [frame(b'{}')]).start(); time.sleep(0.01)"
    with open_session([SPEAK + code], tier="unsafe") as session:
        time.sleep(0.3)
        with pytest.raises(SandboxDied) as died:
            session.call("f", wire.encode(()), "", 5)
    assert died.value.reason == "reply before it was asked for"


def test_two_replies_to_one_request_end_the_session() -> None:
    code = """
def f():
    answer = frame(json.dumps({"value": 1, "nonce": nonce()}).encode())
    say(answer + answer)
def g(): return 2
"""
    with open_session([SPEAK + code], tier="unsafe") as session:
        assert session.call("f", wire.encode(()), "", 5).value == 1
        with pytest.raises(SandboxDied, match="reply before it was asked for"):
            session.call("g", wire.encode(()), "", 5)


def test_a_reply_to_another_request_ends_the_session() -> None:
    code = 'def f(): say(frame(b\'{"value": 1, "nonce": "guess"}\'))'
    assert ending(code).reason == "malformed reply"


@pytest.mark.parametrize(
    "raw",
    [
        "b''",
        "b'not JSON'",
        "b'[1, 2]'",
        "b'null'",
        "b'{\"value\": 1}'",
        'b\'{"nonce": ["a"]}\'',
        'b\'{"value": NaN, "nonce": "x"}\'',
        "bytes([255, 254, 0])",
        "b'[' * 100_000",
        "b'{\"a\":' * 50_000",
        "b'1' * 100_000",
    ],
)
def test_a_malformed_frame_ends_the_session(raw: str) -> None:
    code = f"""
def f():
    view = memoryview(frame({raw}))
    while view: view = view[os.write(4, view[:1 << 16]):]
"""
    assert ending(code).reason == "malformed reply"


@pytest.mark.parametrize(("unit", "times"), [("[],", 500_000), ("1,", 4_000_000)])
def test_what_would_grow_when_it_is_read_is_not_read(unit: str, times: int) -> None:
    code = f"""
def f():
    view = memoryview(frame(b"[" + {unit!r}.encode() * {times} + b"1]"))
    while view: view = view[os.write(4, view[:1 << 16]):]
"""
    assert ending(code, seconds=20.0).detail == "it has more parts than any answer needs"


@pytest.mark.parametrize(
    "told",
    [
        {"value": {"array": [1 << 40], "dtype": "float64", "data": []}},
        {"value": {"array": [3], "dtype": "object", "data": [1, 2, 3]}},
        {"value": {"pickle": "gASVBQAAAAAAAABLAS4="}},
        {"value": [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]},
        {"value": {"dict": [[[1], 2]]}},
        {"error": 5},
        {"error": "x" * 10_000},
        {"message": ["a"]},
        {"line": {}},
        {"changed": "yes"},
        {"warning": "w" * 10_000},
    ],
    ids=range(11),
)
def test_a_reply_that_no_worker_writes_ends_the_session(told: dict) -> None:
    code = f"def f(): say(frame(json.dumps({{**{told!r}, 'nonce': nonce()}}).encode()))"
    assert ending(code).reason == "malformed reply"


def test_a_promise_of_gigabytes_ends_the_session_before_they_come() -> None:
    assert ending("def f(): say(b'\\xff\\xff\\xff\\xff')").reason == "reply limit"


def test_a_reply_that_drips_is_ended_by_the_time_limit() -> None:
    code = """
def f():
    for byte in frame(b"{}" * 100):
        say(bytes([byte])); time.sleep(0.05)
"""
    began = time.monotonic()
    assert ending(code, seconds=0.5).reason == "time limit"
    assert time.monotonic() - began < 5


def test_a_worker_that_does_not_read_is_ended_by_the_time_limit() -> None:
    code = "from coursekit.grading.sandbox import worker\nworker._read = lambda *a: time.sleep(60)"
    more_than_a_pipe_holds = wire.encode(("x" * 3_000_000,))
    with (
        open_session([SPEAK + code], tier="unsafe") as session,
        pytest.raises(SandboxDied) as died,
    ):
        session.call("f", more_than_a_pipe_holds, "", 0.3)
    assert died.value.reason == "time limit"


def test_closing_the_pipe_is_an_end() -> None:
    assert ending("def f(): os.close(4); time.sleep(9)").reason == "ended"


@pytest.mark.parametrize("fd", [1, 2, 3])
def test_closing_the_other_descriptors_is_no_help(fd: int) -> None:
    code = f"def f():\n    os.close({fd})\n    return 1"
    with open_session([SPEAK + code], tier="unsafe") as session:
        assert session.call("f", wire.encode(()), "", 5).value == 1


def test_a_driver_gets_the_answer_and_the_inputs() -> None:
    driver = "def driver(answer, n):\n    return [answer(i) for i in range(n)]"
    with open_session(["def f(x): return x * x"], tier="unsafe") as session:
        assert session.call("f", wire.encode((4,)), driver, 5).value == [0, 1, 4, 9]


def test_inputs_that_were_altered_are_reported() -> None:
    with open_session(["def f(x): x.append(1)"], tier="unsafe") as session:
        assert session.call("f", wire.encode(([],)), "", 5).changed
        assert session.call("missing", wire.encode(()), "", 5).error == "NameError"
        reply = session.call("f.__class__", wire.encode(()), "", 5)
        assert (reply.error, reply.message) == ("NameError", "f.__class__ is not defined")


def test_a_value_that_cannot_travel_is_explained() -> None:
    with open_session(["def f(): return object()"], tier="unsafe") as session:
        reply = session.call("f", wire.encode(()), "", 5)
    assert reply.error == "WireError"
    assert "a value of type object came" in reply.message


def test_requests_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    real = json.dumps
    monkeypatch.setattr(json, "dumps", lambda *a, **k: sent.append(real(*a, **k)) or sent[-1])
    with open_session(["def f(x): return x"], tier="unsafe") as session:
        session.call("f", wire.encode((1,)), "", 5)
    nonces = [json.loads(text)["nonce"] for text in sent if "nonce" in text]
    assert len(nonces) == len(set(nonces)) == 3
    assert all(len(nonce) == 32 for nonce in nonces)
