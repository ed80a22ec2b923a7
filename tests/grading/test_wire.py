import io
import json
import pickle
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coursekit.grading import wire

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)
ARRAYS = hnp.arrays(
    st.sampled_from(sorted(wire.DTYPES)), hnp.array_shapes(min_dims=0, max_dims=3, max_side=3)
)


def same(a: object, b: object) -> bool:
    """Equal in value, type and order, with nan equal to itself."""
    return type(a) is type(b) and repr(a) == repr(b)


@given(PLAIN)
def test_plain_values_come_back_as_they_went(value):
    assert same(wire.loads(wire.dumps(value)), value)


@given(ARRAYS)
def test_arrays_come_back_with_every_bit_shape_and_dtype(array):
    back = wire.loads(wire.dumps(array))
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    np.testing.assert_array_equal(back, array)


def test_what_is_written_is_strict_json():
    text = wire.dumps([float("nan"), np.array([np.inf, 1.0])])
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


class Evil:
    """Runs on being unpickled, if anything unpickled it."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


class Liar(list):
    """A list that may answer anything."""


@pytest.mark.parametrize(
    "value",
    [
        Evil(),
        Liar([1]),
        object(),
        {1, 2},
        b"bytes",
        lambda: 1,
        1j,
        np.array([Evil()], dtype=object),
        np.array([1j]),
        np.array(["text"]),
        np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
        np.zeros(wire.MAX_ELEMENTS + 1, dtype=bool),
        10 ** (4 * wire.MAX_DIGITS),
    ],
    ids=lambda v: type(v).__name__,
)
def test_everything_else_is_refused_when_written(value):
    with pytest.raises(wire.WireError):
        wire.dumps(value)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


PICKLE = pickle.dumps(Evil()).decode("latin-1")
NPY = io.BytesIO()
np.save(NPY, np.array([Evil()], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    "text",
    [
        PICKLE,
        NPY.getvalue().decode("latin-1"),
        json.dumps({"pickle": PICKLE}),
        json.dumps({"array": [1], "dtype": "object", "data": [PICKLE]}),
        '{"array": [1000000, 1000000], "dtype": "float64", "data": [0.0]}',
        '{"array": [99999999999999999999], "dtype": "uint8", "data": []}',
        '{"array": [-1], "dtype": "uint8", "data": []}',
        '{"array": [true], "dtype": "uint8", "data": [1]}',
        '{"array": [1], "dtype": "uint8", "data": [300]}',
        '{"array": [1], "dtype": "float64", "data": ["0x1p3"]}',
        '{"array": [1], "dtype": "float64", "data": [[1.0]]}',
        '{"array": [1], "dtype": "int64", "data": ["nan"]}',
        '{"array": [1,1,1,1,1,1,1,1,1], "dtype": "bool", "data": [true]}',
        '{"array": [0], "dtype": "float64", "data": [], "extra": 1}',
        '{"tuple": [], "dict": []}',
        '{"dict": [[[1], 2]]}',
        '{"dict": [[1, 2, 3]]}',
        '{"float": "1e5"}',
        '{"int": "1_000"}',
        json.dumps({"int": "9" * 500}),
        "{}",
        nested(wire.MAX_DEPTH + 2),
        nested(100_000),
        "[" + "0," * wire.MAX_NODES + "0]",
        " " * (wire.MAX_BYTES + 1),
        "",
        "[1",
    ],
    ids=range(27),
)
def test_what_no_writer_wrote_is_refused_when_read(text):
    with pytest.raises(wire.WireError):
        wire.loads(text)


def test_a_shape_is_checked_before_memory_is_taken():
    import tracemalloc

    tracemalloc.start()
    with pytest.raises(wire.WireError, match="does not match"):
        wire.loads('{"array": [1000000, 1000000, 8], "dtype": "float64", "data": []}')
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_keys_that_collide_cannot_stall_the_reader() -> None:
    """All of one hash, they make a dictionary quadratic: 90,000 would take a minute."""
    keys = [[{"int": str(n * (2**61 - 1))}, 1] for n in range(1, 90_000)]
    start = time.process_time()
    with pytest.raises(wire.WireError, match="keys"):
        wire.decode({"dict": keys})
    assert time.process_time() - start < 10
    with pytest.raises(wire.WireError, match="keys"):
        wire.encode(dict.fromkeys(range(wire.MAX_KEYS + 1)))
