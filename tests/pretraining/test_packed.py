"""Token files: what went in comes out, and what was cut off or is another's is refused."""

import errno

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.pretraining import Header, open_packed, packed, read_header, write_packed


@pytest.fixture
def path(tmp_path):
    return tmp_path / "train.bin"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 99), max_size=9), max_size=6), st.sampled_from([None, 99]))
def test_documents_come_back_in_order_with_their_ends(tmp_path_factory, documents, end):
    path = tmp_path_factory.mktemp("packed") / "x.bin"
    header = write_packed(path, (iter(d) for d in documents), 100, end)
    expected = [i for d in documents for i in [*d, *([] if end is None else [end])]]
    assert header == read_header(path) == Header(2, 100, len(expected))
    if expected:
        assert open_packed(path).tolist() == expected


@pytest.mark.parametrize(("vocab_size", "dtype"), [(65536, np.uint16), (65537, np.uint32)])
def test_a_token_takes_two_bytes_where_it_fits(path, vocab_size, dtype):
    write_packed(path, [[0, vocab_size - 1]], vocab_size)
    tokens = open_packed(path, vocab_size)
    assert tokens.dtype == dtype
    assert tokens.tolist() == [0, vocab_size - 1]
    assert path.stat().st_size == packed.HEADER.size + 2 * np.dtype(dtype).itemsize


def test_more_than_one_buffer_is_written(path, monkeypatch):
    monkeypatch.setattr(packed, "BUFFER", 7)
    write_packed(path, (range(i) for i in range(12)), 100, 50)
    assert open_packed(path).tolist() == [t for i in range(12) for t in [*range(i), 50]]


def test_the_file_is_mapped_and_cannot_be_written(path):
    write_packed(path, [[1, 2]], 10)
    tokens = open_packed(path)
    assert isinstance(tokens, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        tokens[0] = 5


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_a_file_that_was_cut_off_is_refused(path, cut):
    write_packed(path, [[1, 2, 3]], 10)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ValueError, match=rf"has {30 - cut} bytes and its 3 tokens need 30: it was"):
        open_packed(path)


def test_a_file_that_grew_is_refused(path):
    write_packed(path, [[1, 2, 3]], 10)
    path.write_bytes(path.read_bytes() + b"\0\0")
    with pytest.raises(ValueError, match="cut off or changed"):
        open_packed(path)


@pytest.mark.parametrize("data", [b"", b"cktok", b"x" * 100])
def test_what_is_no_token_file_is_refused(path, data):
    path.write_bytes(data)
    with pytest.raises(ValueError, match="is no token file"):
        open_packed(path)


def test_another_models_vocabulary_is_refused(path):
    write_packed(path, [[1, 2, 3]], 1024)
    with pytest.raises(ValueError, match="a vocabulary of 1024 and 50257 is wanted"):
        open_packed(path, vocab_size=50257)


def test_no_text_is_refused(path):
    write_packed(path, [[]], 10)
    with pytest.raises(ValueError, match="holds no token"):
        open_packed(path)


@pytest.mark.parametrize("token", [-1, 10, 70000])
def test_a_token_outside_the_vocabulary_is_refused_and_nothing_is_left(path, token):
    with pytest.raises(ValueError, match=f"token {token} is not in a vocabulary of 10"):
        write_packed(path, [[1], [2, token]], 10)
    assert list(path.parent.iterdir()) == []


def test_an_interruption_leaves_the_old_file(path):
    write_packed(path, [[7]], 10)

    def documents():
        yield [1, 2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_packed(path, documents(), 10)
    assert open_packed(path).tolist() == [7]
    assert list(path.parent.iterdir()) == [path]


@pytest.fixture
def little_room():
    """As on a disk with room for 5,000 bytes more: the system refuses longer files."""
    resource = pytest.importorskip("resource", reason="limits of file sizes are Unix's")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_is_reported_and_the_old_file_stays(path, little_room):
    write_packed(path, [[7]], 10)
    with pytest.raises(OSError, match="while writing tokens; nothing under this name") as caught:
        write_packed(path, [range(9000)], 9000)
    assert caught.value.errno == errno.EFBIG
    assert open_packed(path).tolist() == [7]
    assert list(path.parent.iterdir()) == [path]
