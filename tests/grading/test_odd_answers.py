"""Answers that lie about themselves, contain themselves or break when looked at: one sentence each.

Each is tried through ``check(…)`` as a student would, because the promise is that nothing which an
answer does raises anything there.
"""

import collections
import itertools
import re
import warnings

import numpy as np
import pytest

from coursekit.grading import Check, wire
from coursekit.grading.compare import Close
from coursekit.grading.run import attempt, make_driver
from coursekit.grading.show import LONGEST, value_text

CLOSE = Close()
A = np.array([[1.0, 2.0], [3.0, 4.0]])


def numbered() -> map:
    """Names of test cases whose values must not be asked for a text."""
    return map(str, itertools.count(1))


@pytest.fixture
def check(assignment):
    made = Check("01-basics")
    made.assignment = assignment
    return made


class Liar(np.ndarray):
    """Right to whoever asks it."""

    shape = (2, 2)

    def __eq__(self, other):
        return True

    __hash__ = None

    def astype(self, *_):
        return A.copy()


class Disguised:
    """Claims another class, and hands over what is wanted when converted."""

    __class__ = np.ndarray
    ndim, shape, dtype = 2, (2, 2), np.dtype(float)

    def __array__(self, *_, **__):
        return A

    def astype(self, *_):
        return A


class Float(float):
    def __float__(self):
        return 1.0


class Key:
    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash("a")

    def __repr__(self):
        raise ValueError


def record() -> np.ndarray:
    return np.zeros((2, 2), dtype=[("value", float)])


@pytest.mark.parametrize(
    ("got", "wanted", "says"),
    [
        (np.ma.masked_all((2, 2)), A, "a masked array came back"),
        (np.ma.masked_array(A, mask=False), A, "a plain numpy array of shape (2, 2)"),
        (np.ma.masked, 1.0, "a single number was wanted"),
        (A.view(np.matrix), A, "an array of type matrix came back"),
        (A.view(Liar), A, "an array of type Liar came back"),
        (A.view(np.recarray), A, "an array of type recarray came back"),
        (Disguised(), A, "a value of type Disguised came back"),
        (Disguised(), 1.0, "a value of type Disguised came back"),
        (A.astype(object), A, "not a real number (dtype object)"),
        (record(), A, "not a real number (dtype [('value', '<f8')])"),
        (np.array(1.0, dtype=object), 1.0, "not a real number (dtype object)"),
        (np.array(A[0, 0]), A, "shape (); shape (2, 2) was wanted"),
        (np.array(2.0), 1.0, "the answer is 2; 1 was wanted"),
        (Float(7.0), 1.0, "a value of type Float came back"),
        (1 + 0j, 1.0, "not a real number (dtype complex128)"),
        (np.str_("1"), 1.0, "not a real number"),
        (10**5000, 1.0, "an integer of 16610 bits; 1 was wanted"),
        (-(10**5000), 10**5000, "an integer of 16610 bits"),
        ({Key(): 1}, {"a": 1}, "an object of type Key; 'a' were wanted"),
    ],
    ids=numbered(),
)
def test_what_only_looks_right_is_refused_in_a_sentence(got, wanted, says):
    said = CLOSE.difference(got, wanted)
    assert says.lower() in said.lower()
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (collections.namedtuple("Pair", "a b")(1.0, A), (1.0, A)),
        (collections.OrderedDict(a=1.0), {"a": 1.0}),
        (10**5000, 10**5000),
        (2**70, float(2**70)),
        (np.longdouble(1.0), 1.0),
        (np.str_("text"), "text"),
        (np.broadcast_to(np.array([1.0, 2.0]), (2, 2)), np.array([[1.0, 2.0], [1.0, 2.0]])),
        (A.T, np.array([[1.0, 3.0], [2.0, 4.0]])),
    ],
    ids=numbered(),
)
def test_honest_values_of_uncommon_kinds_still_agree(got, wanted):
    assert CLOSE.difference(got, wanted) == ""


def test_settings_of_the_notebook_do_not_reach_the_comparison():
    tiny = np.array([5e-324, 1e308])
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert CLOSE.difference(tiny, tiny) == ""
        assert "differ" in CLOSE.difference(np.array([1e308, -1e308]), tiny)
        assert CLOSE.difference(np.full(2, np.longdouble("1e400")), tiny)


def test_settings_of_the_notebook_do_not_reach_what_is_shown():
    plain = value_text(A / 3)

    def broken(_):
        raise ValueError

    with np.printoptions(formatter={"all": broken}, precision=1, linewidth=10, suppress=True):
        assert value_text(A / 3) == plain


def itself_in_a_list(x):
    found = []
    found.append(found)
    return found


def itself_twice_in_a_dict(x):
    found = {}
    found["a"] = found["b"] = found
    return found


def deep(x):
    found = x
    for _ in range(100_000):
        found = (found,)
    return found


def itself_in_an_array(x):
    found = np.empty(3, dtype=object)
    found[:] = [found] * 3
    return found


class Broken:
    """Every look at it fails."""

    def fails(self, *_, **__):
        raise RuntimeError("do not look")

    __repr__ = __str__ = __len__ = __eq__ = __iter__ = __bool__ = __array__ = __getattr__ = fails
    __hash__ = None
    __class__ = property(fails)


class Nameless(type):
    @property
    def __name__(cls):
        raise RuntimeError("no name")


class Unnamed(metaclass=Nameless):
    pass


class BrokenList(list):
    __len__ = __iter__ = __getitem__ = __repr__ = Broken.fails


class BrokenTuple(tuple):
    __slots__ = ()
    __len__ = __iter__ = __getitem__ = __repr__ = Broken.fails


class BrokenDict(dict):
    __len__ = __iter__ = __getitem__ = items = keys = __repr__ = Broken.fails


class BrokenArray(np.ndarray):
    __len__ = __iter__ = __getitem__ = __repr__ = __array_finalize__ = Broken.fails


class BrokenText(str):
    __slots__ = ()
    __len__ = __iter__ = __getitem__ = __repr__ = __str__ = encode = split = Broken.fails


ODD = {
    "itself in a list": itself_in_a_list,
    "itself twice in a dictionary": itself_twice_in_a_dict,
    "itself in an array": itself_in_an_array,
    "a tuple in a tuple, very deep": deep,
    "a number of 5000 digits": lambda x: 10**5000,
    "a number of 5000 digits in a list": lambda x: [10**5000, -(10**5000)],
    "a number of 350 digits": lambda x: 10**350,
    "an object that breaks": lambda x: Broken(),
    "objects that break, in an array": lambda x: np.array([Unnamed(), Unnamed(), 3], dtype=object),
    "an object whose class has no name": lambda x: Unnamed(),
    "a list that breaks": lambda x: BrokenList([1.0]),
    "a tuple that breaks": lambda x: BrokenTuple([1.0]),
    "a dictionary that breaks": lambda x: BrokenDict(a=1.0),
    "keys that break": lambda x: {Key(): 1.0},
    "a string that breaks": lambda x: BrokenText("two"),
    "half a character": lambda x: "\ud800",
    "a complex array": lambda x: x.astype(complex),
    "masked": lambda x: np.ma.masked_all(x.shape),
    "a generator": lambda x: (i for i in x),
    "a class": lambda x: Unnamed,
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_value_never_raises_out_of_a_check(check, kind):
    report = check("double", {"double": ODD[kind]})
    assert report.diagnosis.status == "not yet"
    assert report.diagnosis.says.endswith(".")
    text = repr(report) + report._repr_html_() + repr(check.all({"double": ODD[kind]}))
    assert not re.search(r"0x[0-9a-f]{6,}", text)
    text.encode()


class UnprintableError(Exception):
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


class EndsPythonError(Exception):
    def __str__(self):
        raise SystemExit

    __repr__ = __str__


class EndlessError(Exception):
    def __str__(self):
        while True:
            pass


class OddTextError(Exception):
    def __str__(self):
        return BrokenText("odd")


class OddTraceError(Exception):
    @property
    def __traceback__(self):
        raise ValueError("no trace")


class OddWarning(UserWarning):
    looks = 0

    def __str__(self):
        self.looks += 1
        if self.looks > 1:  # the first look is Python's own, when it is issued
            raise ValueError("no text")
        return "odd"


class Callable:
    """An answer that is an object, and breaks when asked where it comes from."""

    def __call__(self, x):
        raise ValueError("called")

    def __getattr__(self, name):
        raise RuntimeError(name)

    @property
    def __module__(self):
        raise RuntimeError("no module")


def raises(error):
    def double(x):
        raise error

    return double


def lineless(x):
    raise ValueError("somewhere")


lineless.__code__ = lineless.__code__.replace(co_linetable=b"")  # as of traced instructions


def warns(x):
    warnings.warn(OddWarning(), stacklevel=1)
    return x / 2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (raises(UnprintableError()), "It stopped with UnprintableError"),
        (raises(EndsPythonError()), "It stopped with EndsPythonError"),
        (raises(EndlessError()), "It was stopped after 0.8 seconds"),
        (raises(OddTextError()), "It stopped with OddTextError: odd"),
        (raises(OddTraceError("text")), "It stopped with OddTraceError: text"),
        (raises(ValueError("\ud800")), "It stopped with ValueError: \\ud800"),
        (raises(ValueError("x" * 10**6)), "It stopped with ValueError: xxx"),
        (Callable(), "It stopped with ValueError: called"),
        (lineless, "It stopped with ValueError: somewhere"),
        (warns, "differ; the first"),
    ],
    ids=numbered(),
)
def test_an_odd_exception_never_raises_out_of_a_check(check, answer, says):
    report = check("double", {"double": answer})
    assert report.diagnosis.status == "not yet"
    assert says in report.diagnosis.says
    (repr(report) + report._repr_html_()).encode()
    assert len(report.diagnosis.says) < 600


@pytest.mark.parametrize(
    "odd", [lambda: Broken(), lambda: Unnamed(), lambda: BrokenTuple([1.0]), lambda: {Key(): 1}]
)
def test_an_input_that_was_spoiled_by_an_odd_value_is_a_changed_input(odd):
    inputs = wire.encode(([1.0],))
    found = attempt(lambda x: x.append(odd()), inputs, make_driver(""), 1.0)
    assert found.changed


def test_text_of_a_value_is_short_whatever_it_holds():
    nested = [1.0]
    for _ in range(6):
        nested = [nested] * 20
    odd = [nested, "x" * 10**6, ["y" * 500] * 500, dict.fromkeys(range(100), nested), range(10**9)]
    for value in [odd, *odd]:
        assert len(value_text(value)) <= LONGEST
    assert value_text((1,)) == "(1,)"
    assert value_text([1]) == "[1]"
    assert value_text(list(range(30))).endswith("19, …]")
    assert value_text({"a": (1.5, None)}) == "{'a': (1.5, None)}"
    assert value_text(1 + 2j) == "1+2j"


@pytest.mark.parametrize(
    "value", [np.ma.masked_array([1.0]), A.view(np.matrix), Disguised()], ids=numbered()
)
def test_what_is_not_plain_is_not_written(value):
    with pytest.raises(wire.WireError):
        wire.encode(value)


@pytest.mark.parametrize(
    "id",
    [["a"], {}, np.array(["a", "b"]), None, 3, itself_in_a_list(0), Broken],
    ids=numbered(),
)
def test_a_question_or_assignment_that_is_no_name_is_a_value_error(check, id):
    if id is Broken:
        id = Broken()
    for ask in (check, check.explain, Check):
        with pytest.raises(ValueError, match=r"has no question|no assignment"):
            ask(id)
