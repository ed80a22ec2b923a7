import numpy as np
import pytest

from coursekit.grading.compare import Close

CLOSE = Close()
A = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (1.0, np.float64(1.0)),
        (1, 1.0),
        (np.array(1.0), 1.0),
        (1.0 + 1e-9, 1.0),
        (A + 1e-9, A),
        (A.astype(np.float32), A),
        (np.array([1, 2], dtype=np.int32), np.array([1, 2])),
        ([1.0, 2.0], (1.0, 2.0)),
        (float("nan"), float("nan")),
        (np.array([np.inf, -np.inf]), np.array([np.inf, -np.inf])),
        ({"a": A, "b": True}, {"b": True, "a": A}),
        (np.bool_(True), True),
        ("text", "text"),
        (None, None),
    ],
)
def test_equal_values_do_not_differ(got, wanted):
    assert CLOSE.difference(got, wanted) == ""


@pytest.mark.parametrize(
    ("got", "wanted", "says"),
    [
        (A.tolist(), A, "A list came back as the answer; a NumPy array of shape (2, 2)"),
        (A.ravel(), A, "shape (4,); shape (2, 2) was wanted"),
        (A[:, :, None], A, "shape (2, 2, 1)"),
        (A.astype(int), A, "holds integers (dtype int64); floating-point numbers were wanted"),
        (A > 2, A, "holds booleans"),
        (A.astype(complex), A, "not a real number"),
        (np.array(["a", "b"], dtype=object), A[0], "not a real number"),
        (np.where(A > 3, np.nan, A), A, "nan in 1 of 4 entries, first at [1, 1]"),
        (np.where(A < 2, np.inf, A), A, "infinite in 1 of 4 entries, first at [0, 0]"),
        (
            A + np.array([[0, 1], [0, 1]]),
            A,
            "2 of 4 entries of the answer differ; the first, [0, 1], is 3",
        ),
        (2.0, 1.0, "the answer is 2; 1 was wanted"),
        (1.0, np.inf, "the answer is 1; inf was wanted"),
        (float("nan"), 1.0, "is nan"),
        (np.array([1.0]), 1.0, "shape (1,) came back as the answer; a single number was wanted"),
        ("1.0", 1.0, "A string came back"),
        ((1.0, 2.0, 3.0), (1.0, 2.0), "3 values came back as the answer; 2 were wanted"),
        ((1.0, 5.0), (1.0, 2.0), "value 2 of 2 is 5; 2 was wanted"),
        (np.array([1.0, 2.0]), (1.0, 2.0), "2 values were wanted, in a tuple"),
        (3.0, (1.0, 2.0), "A single number came back"),
        ({"a": 1}, {"a": 1, "b": 2}, "has the keys 'a'; 'a', 'b' were wanted"),
        ({3: 2}, {3: 1}, "entry 3 is 2; 1 was wanted"),
        ({"a": 2}, {"a": 1}, "'a' is 2; 1 was wanted"),
        (1, True, "A single number came back"),
        (True, False, "the answer is True; False was wanted"),
        ("linear", "log", "the answer is linear; log was wanted"),
        (None, True, "None came back"),
        ([1.0, [A, A + 1]], (1.0, [A, A]), "4 of 4 entries of part 2 of value 2 of 2 differ"),
        ({"a": [1.0, 5.0]}, {"a": [1.0, 2.0]}, "part 2 of 'a' is 5; 2 was wanted"),
    ],
)
def test_each_difference_has_its_sentence(got, wanted, says):
    with np.errstate(all="ignore"):
        said = CLOSE.difference(got, wanted)
    assert says.lower() in said.lower()
    assert said.endswith(".")


def test_an_object_equal_to_everything_is_not_equal():
    class Yes:
        def __eq__(self, other):
            return True

        __hash__ = None

    for wanted in (1.0, A, (1.0,), {"a": 1}, "text", None, True):
        assert "type Yes" in CLOSE.difference(Yes(), wanted)


def test_the_tolerance_is_what_it_says():
    loose = Close(rtol=0.0, atol=0.5)
    assert loose.difference(1.49, 1.0) == ""
    assert loose.difference(1.51, 1.0)
    assert Close(rtol=1e-3).difference(1000.9, 1000.0) == ""
    assert Close(rtol=1e-3).difference(1001.1, 1000.0)
