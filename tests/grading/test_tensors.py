"""Torch tensors on the wire, in a comparison and in a report."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coursekit.grading import wire
from coursekit.grading.compare import Close
from coursekit.grading.run import attempt, make_driver
from coursekit.grading.show import value_text

torch = pytest.importorskip("torch")

CLOSE = Close()
T = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
DTYPES = [getattr(torch, name) for name in wire.TENSORS]


@settings(deadline=None)
@given(
    hnp.arrays("float32", hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)),
    st.sampled_from(DTYPES),
    st.booleans(),
)
def test_tensors_come_back_with_every_bit_shape_and_dtype(array, dtype, grad):
    grad = grad and dtype.is_floating_point
    sent = torch.tensor(np.nan_to_num(array, posinf=1e3, neginf=-1e3)) % 100
    sent = sent.to(dtype).requires_grad_(grad)
    back = wire.loads(wire.dumps(sent))
    assert (back.dtype, back.shape, back.requires_grad) == (sent.dtype, sent.shape, grad)
    assert torch.equal(back, sent)


def test_what_is_not_finite_comes_back_as_strict_json():
    text = wire.dumps(torch.tensor([float("nan"), float("inf"), -1.0], dtype=torch.bfloat16))
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert repr(wire.loads(text)) == "tensor([nan, inf, -1.], dtype=torch.bfloat16)"


def test_parameters_views_and_results_travel_as_their_numbers():
    parameter = torch.nn.Parameter(T)
    for value in (parameter, (parameter * 1.0).T.T, parameter[:, [0, 1]]):
        back = wire.loads(wire.dumps(value))
        assert type(back) is torch.Tensor
        assert back.is_leaf
        assert back.requires_grad
        assert torch.equal(back, T)


class Liar(torch.Tensor):
    """May answer anything."""


@pytest.mark.parametrize(
    "value",
    [
        T.to_sparse(),
        T.to("meta"),
        T.to(torch.complex64),
        torch.zeros(1).expand(wire.MAX_ELEMENTS + 1),
        torch.nn.Linear(1, 1),
        torch.float32,
        T.as_subclass(Liar),
    ],
    ids=range(7),
)
def test_other_things_of_torch_are_refused_when_written(value):
    with pytest.raises(wire.WireError):
        wire.dumps(value)


@pytest.mark.parametrize(
    "node",
    [
        {"tensor": [1], "dtype": "float32", "data": [0.0]},
        {"tensor": [1], "dtype": "float32", "data": [0.0], "grad": 1},
        {"tensor": [1], "dtype": "float32", "data": [0.0], "grad": True, "more": 1},
        {"tensor": [1], "dtype": "int64", "data": [0], "grad": True},
        {"tensor": [1], "dtype": "complex64", "data": [0.0], "grad": False},
        {"tensor": [1], "dtype": "load", "data": [0.0], "grad": False},
        {"tensor": [10**6, 10**6], "dtype": "float32", "data": [0.0], "grad": False},
        {"tensor": [-1], "dtype": "float32", "data": [], "grad": False},
        {"tensor": [1], "dtype": "uint8", "data": [300], "grad": False},
        {"tensor": [1], "dtype": "float32", "data": ["0x1p3"], "grad": False},
        {"tensor": [1], "dtype": "float32", "data": [[1.0]], "grad": False},
    ],
    ids=range(11),
)
def test_malformed_tensors_are_refused_when_read(node):
    with pytest.raises(wire.WireError):
        wire.decode(node)


def test_torch_is_imported_by_a_tensor_and_by_nothing_else():
    code = (
        "import sys; from coursekit.grading import wire\n"
        "wire.loads(wire.dumps([1.0])); assert 'torch' not in sys.modules\n"
        "t = wire.decode({'tensor': [1], 'dtype': 'float32', 'data': [2.0], 'grad': False})\n"
        "assert 'torch' in sys.modules and t.item() == 2.0"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_torch_a_tensor_says_what_to_install(monkeypatch):
    node = wire.encode(T)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(wire.WireError, match="pip install torch"):
        wire.decode(node)


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (T, T),
        (torch.nn.Parameter(T), T),
        (torch.nn.Parameter(T), T.clone().requires_grad_()),
        (T + 1e-6, T),
        (T.to(torch.bfloat16) * 1.01, T.to(torch.bfloat16)),
        (T.T.contiguous().T, T),
        (T > 2, T > 2),
        (torch.tensor(float("nan")), torch.tensor(float("nan"))),
        ([T, 1.0], (T, 1.0)),
        ({"weight": T}, {"weight": T}),
    ],
    ids=range(10),
)
def test_equal_tensors_do_not_differ(got, wanted):
    assert CLOSE.difference(got, wanted) == ""


@pytest.mark.parametrize(
    ("got", "wanted", "says"),
    [
        (T.numpy(), T, "a NumPy array of shape (2, 2) came back as the answer; a torch tensor of"),
        (T.numpy(), T, "stay with torch's functions"),
        (T, T.numpy(), "a torch tensor of shape (2, 2) came back as the answer; a NumPy array of"),
        (T, T.numpy(), ".detach().numpy() makes one"),
        (T.sum(), 10.0, "a torch tensor of shape () came back"),
        (T.sum(), 10.0, "a single number was wanted: .item() gives it"),
        (10.0, T.sum(), "A single number came back as the answer; a torch tensor of shape ()"),
        (T.tolist(), T, "A list came back"),
        (None, T, "None came back"),
        (T.double(), T, "has dtype float64; float32 was wanted"),
        (T.long(), T, "has dtype int64; float32 was wanted"),
        (T[:1], T, "has shape (1, 2); shape (2, 2) was wanted"),
        (T.reshape(4), T, "has shape (4,)"),
        (T + 1, T, "4 of 4 entries of the answer differ; the first, [0, 0], is 2 and 1 was wanted"),
        (T / 0, T, "infinite in 4 of 4 entries"),
        (T * float("nan"), T, "nan in 4 of 4 entries"),
        (T + 1e-3, T, "4 of 4 entries"),
        (T.double() + 1e-5, T.double(), "4 of 4 entries"),
        (T, T.clone().requires_grad_(), "the right numbers and carries no gradient"),
        (T.to_sparse(), T, "cannot be read: a tensor of dtype float32 and layout torch.sparse_coo"),
        (T.to("meta"), T, "on meta came"),
        (T.as_subclass(Liar), T, "a value of type Liar came back"),
        (torch.nn.Linear(1, 1), T, "a torch object of type Linear came back"),
        ((T, T + 1), (T, T), "4 of 4 entries of value 2 of 2 differ"),
    ],
    ids=range(24),
)
def test_each_difference_of_tensors_has_its_sentence(got, wanted, says):
    said = CLOSE.difference(got, wanted)
    assert says.lower() in said.lower()
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("dtype", "terms"), [(torch.float32, 500), (torch.float16, 20), (torch.bfloat16, 8)]
)
def test_the_tolerance_forgives_the_order_of_a_sum(dtype, terms):
    """Adding positive numbers one by one loses at most `terms` half units in the last place."""
    x = torch.rand(200, terms, generator=torch.Generator().manual_seed(3)).to(dtype)
    one_by_one = torch.zeros(200, dtype=dtype)
    for column in x.T:
        one_by_one = one_by_one + column
    assert not torch.equal(one_by_one, x.sum(dim=1))
    assert CLOSE.difference(one_by_one, x.sum(dim=1)) == ""


def test_tensors_are_shown_like_arrays_with_an_uncommon_dtype_named():
    assert value_text(T) == "tensor [[1., 2.],\n        [3., 4.]] (shape (2, 2))"
    assert value_text(T.double()[0]) == "tensor [1., 2.] (float64)"
    assert value_text([torch.tensor(2)]) == "[tensor 2]"
    assert value_text(T.to("meta")) == "tensor of shape (2, 2)"
    assert len(value_text(torch.zeros(50, 50, 50))) < 400


class Loud(torch.Tensor):
    """Every operation on it fails."""

    @classmethod
    def __torch_function__(cls, *_, **__):
        raise RuntimeError("do not touch")


def itself() -> list:
    found = [T]
    found.append(found)
    return found


def hooked() -> object:
    tensor = (T + 1).requires_grad_()
    tensor.register_hook(lambda g: pytest.fail("a hook ran"))
    return tensor


ODD = {
    "of a class whose every operation fails": lambda: T.as_subclass(Loud),
    "in a list that holds itself": itself,
    "with a hook": hooked,
    "on no device": lambda: T.to("meta"),
    "sparse": lambda: T.to_sparse(),
    "nested": lambda: torch.nested.nested_tensor([T[0], T[0, :1]]),
    "in eight bits": lambda: T.to(torch.float8_e4m3fn),
    "complex": lambda: T.to(torch.complex64),
    "empty": lambda: T[:0],
    "of many dimensions": lambda: T.reshape((1,) * 12 + (2, 2)),
    "expanded beyond memory": lambda: T[0, 0].expand(10**6, 10**6),
    "a dtype": lambda: torch.float32,
    "a size": lambda: T.shape,
    "a module": lambda: torch.nn.Linear(1, 1),
    "a generator": lambda: torch.Generator(),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ODD)
def test_an_odd_tensor_gets_a_sentence_and_a_short_text(kind):
    for wanted in (T, T.numpy(), 1.0, (T, T), {"a": T}):
        said = CLOSE.difference(ODD[kind](), wanted)
        assert said.endswith(".")
        assert len(said) < 400
    text = value_text(ODD[kind]())
    assert len(text) < 400
    assert "0x" not in text


def test_a_view_of_negated_numbers_is_read():
    imaginary = torch.complex(T, T).conj().imag
    assert imaginary.is_neg()
    assert torch.equal(wire.loads(wire.dumps(imaginary)), -T)


def test_something_else_called_torch_harms_nothing(monkeypatch):
    for other in (None, object()):
        monkeypatch.setitem(sys.modules, "torch", other)
        assert CLOSE.difference([1.0], [1.0]) == ""
        assert wire.loads(wire.dumps([1.0])) == [1.0]


def change(x):
    x += 1
    return x.sum()


def use_gradient(x):
    (x**2).sum().backward()
    return x.grad


@pytest.mark.parametrize(("answer", "changed"), [(change, True), (use_gradient, False)])
def test_an_input_that_was_changed_in_place_is_seen(answer, changed):
    x = T.clone().requires_grad_(answer is use_gradient)
    found = attempt(answer, wire.encode((x,)), make_driver(""), 5.0)
    assert (found.error, found.changed) == ("", changed)
