"""The list of allowed system calls: right numbers, and a filter that says what the list says."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.grading.sandbox import seccomp

ALLOWED, KILLED, MISSING, DENIED = 0x7FFF0000, 0x80000000, 0x00050026, 0x0005000D
X86_64, AARCH64, I386 = 0xC000003E, 0xC00000B7, 0x40000003
CALLS = {m: seccomp.numbers(m) for m in seccomp.MACHINES}


def verdict(program: bytes, number: int, *arguments: int, architecture: int) -> int:
    """Run a filter as the kernel would, on the data of one call (an interpreter of its own)."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    lines = list(struct.iter_unpack("=HBBI", program))
    accumulator = at = 0
    while True:
        code, then, otherwise, k = lines[at]
        at += 1
        if code == 0x06:
            return k
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, k)
        elif code == 0x54:
            accumulator &= k
        else:
            true = accumulator == k if code == 0x15 else accumulator & k != 0
            assert code in (0x15, 0x45)
            at += then if true else otherwise


def x86(number: int, *arguments: int, sockets: bool = True) -> int:
    """The verdict of the x86-64 filter."""
    program = seccomp.program(sockets=sockets, machine="x86_64")
    return verdict(program, number, *arguments, architecture=X86_64)


@pytest.mark.parametrize(
    ("machine", "header"),
    [
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_the_numbers_are_those_of_the_kernels_headers(machine: str, header: str) -> None:
    if not Path(header).is_file():
        pytest.skip(f"{header} is not installed")
    text = Path(header).read_text(encoding="utf-8")
    known = {name: int(n) for name, n in re.findall(r"#define __NR\w*?_(\w+)\s+(\d+)", text)}
    # On a 64-bit machine the generic table's "3264" numbers carry the plain names.
    renamed = re.findall(r"#define __NR_(\w+) __NR3264_(\w+)", text)
    known |= {name: known[old] for name, old in renamed if old in known}
    known = {name.removeprefix("NR3264_"): number for name, number in known.items()}
    wrong = {n: (k, known.get(n)) for n, k in CALLS[machine].items() if known.get(n) != k}
    assert not wrong
    assert len(CALLS[machine]) > 150


@pytest.mark.parametrize(("machine", "code"), [("x86_64", X86_64), ("aarch64", AARCH64)])
def test_another_architecture_is_ended(machine: str, code: int) -> None:
    program = seccomp.program(sockets=True, machine=machine)
    assert verdict(program, CALLS[machine]["read"], architecture=code) == ALLOWED
    for other in {X86_64, AARCH64, I386, 0, 0xFFFFFFFF} - {code}:
        assert verdict(program, CALLS[machine]["read"], architecture=other) == KILLED


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**64 - 1), max_size=6))
def test_what_is_not_on_the_list_does_not_exist(number: int, arguments: list[int]) -> None:
    said = x86(number, *arguments)
    if number not in CALLS["x86_64"].values():
        assert said == MISSING
    else:
        assert said in (ALLOWED, DENIED)


def test_every_call_on_the_list_is_allowed_but_some_by_their_arguments() -> None:
    allowed = {name for name, number in CALLS["x86_64"].items() if x86(number) == ALLOWED}
    assert set(CALLS["x86_64"]) - allowed == {"socket", "socketpair"}  # the family 0 is none


@pytest.mark.parametrize("flag", [0x20000, *(1 << bit for bit in range(25, 31))])
def test_clone_makes_no_namespace(flag: int) -> None:
    clone = CALLS["x86_64"]["clone"]
    threads = 0x3D0F00  # what the C library asks for when it starts a thread
    assert x86(clone, threads) == ALLOWED
    assert x86(clone, threads | flag) == x86(clone, flag | 0xF << 32) == DENIED


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (0x22, ALLOWED),  # MAP_PRIVATE | MAP_ANONYMOUS
        (0x01, ALLOWED),  # MAP_SHARED: of a file
        (0x02, ALLOWED),
        (0x20022, ALLOWED),  # MAP_STACK too
        (0x21, DENIED),  # MAP_SHARED | MAP_ANONYMOUS
        (0x23, DENIED),  # MAP_SHARED_VALIDATE | MAP_ANONYMOUS
        (0x40022, DENIED),  # MAP_HUGETLB
    ],
)
def test_anonymous_memory_is_not_shared(flags: int, expected: int) -> None:
    assert x86(CALLS["x86_64"]["mmap"], 0, 4096, 3, flags, 2**64 - 1, 0) == expected


def test_sockets_are_of_the_family_unix_or_none_at_all() -> None:
    socket, pair = CALLS["x86_64"]["socket"], CALLS["x86_64"]["socketpair"]
    stream, datagram, cloexec = 1, 2, 0o2000000
    for family in range(50):
        expected = ALLOWED if family == 1 else DENIED
        assert x86(socket, family, stream) == x86(pair, family, datagram) == expected
        assert x86(socket, family, stream, sockets=False) == DENIED
        assert x86(pair, family, stream | cloexec, sockets=False) == expected
        assert x86(pair, family, datagram, sockets=False) == DENIED


def test_an_unknown_machine_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="written for x86_64 and aarch64, not for sparc"):
        seccomp.program(sockets=True, machine="sparc")
