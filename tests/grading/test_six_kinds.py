"""A check works on every kind of answer, from the declaration through the JSON to the sentence."""

import json
import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from coursekit.grading import wire
from coursekit.grading.diagnose import PASSED, UNFINISHED, WRONG, diagnose
from coursekit.grading.public import (
    all_agree,
    draw,
    driver_source,
    outcomes,
    publish,
    read_question,
)
from coursekit.grading.question import load_questions
from coursekit.grading.report import Report
from coursekit.grading.sandbox import choose, open_session

torch = pytest.importorskip("torch")
nn = torch.nn

DECLARED = {q.id: q for q in load_questions(Path(__file__).parent / "six_kinds")}
CODE = [q for q in DECLARED.values() if q.kind == "code"]


@pytest.fixture(scope="module")
def published() -> dict:
    """Every question as a student's notebook reads it: out of JSON text."""
    data = {q.id: json.loads(json.dumps(publish(q), allow_nan=False)) for q in DECLARED.values()}
    return {id: read_question(item) for id, item in data.items()}


def by_id(q) -> str:
    return q.id


@pytest.mark.parametrize("q", CODE, ids=by_id)
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_right_answers_pass_and_each_mistake_earns_its_own_hint(q, seed):
    public = read_question(json.loads(json.dumps(publish(q, seed=seed))))
    for answer in (q.reference, *q.variants):
        found = diagnose(public, {q.asks: answer})
        assert (found.status, found.points) == (PASSED, q.points), found.says
    for hint, answer in q.mistakes.items():
        found = diagnose(public, {q.asks: answer})
        assert (found.status, found.hint) == (WRONG, hint)
        assert found.points < q.points


@pytest.mark.parametrize("q", CODE, ids=by_id)
def test_cases_kept_back_accept_variants_and_reject_every_mistake(q):
    cases = [c for c in draw(q, 5) if not c.shown]
    wanted = outcomes(q, q.reference, cases)
    for answer in q.variants:
        assert all_agree(q.compare, outcomes(q, answer, cases), wanted)
    for answer in q.mistakes.values():
        assert not all_agree(q.compare, outcomes(q, answer, cases), wanted)


def in_place(q, k):
    k *= 0.5
    return torch.softmax(2 * q @ k.T / q.shape[1] ** 0.5, 1)


class Unfinished(nn.Module):
    def __init__(self, n_in, n_out): ...


class Starter(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        ...

    def forward(self, x): ...


class RawTensors(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.W = torch.zeros(n_out, n_in)

    def forward(self, x):
        return x @ self.W.T


class NoForward(DECLARED["module"].reference):
    def forward(self, x): ...


class Plain:
    def __init__(self, n_in, n_out):
        self.value = np.zeros((n_out, n_in))


class OtherNames(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.lin1, self.lin2 = nn.Linear(n_in, n_out), nn.Linear(n_in, n_out)


class OtherShapes(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.value, self.gate = nn.Linear(n_out, n_in), nn.Linear(n_in, n_out)


class Detached(DECLARED["module"].reference):
    def forward(self, x):
        return super().forward(x).detach()


class Unused(DECLARED["module"].reference):
    def forward(self, x):
        return torch.sigmoid(self.value(x))


class ToNumpy(DECLARED["module"].reference):
    def forward(self, x):
        return super().forward(x).detach().numpy()


class Narrow(DECLARED["module"].reference):
    def forward(self, x):
        return super().forward(x)[:, :1]


class Emptied(DECLARED["state"].reference):
    update = None


class NoMean:
    def __init__(self, size): ...

    def update(self, value): ...


class MeanAsMethod(DECLARED["state"].variants[0]):
    def mean(self):
        return float(np.mean(self.values)) if self.values else 0.0


class Shared(DECLARED["state"].variants[0]):
    together = []  # noqa: RUF012 - the mistake itself

    def __init__(self, size):
        super().__init__(size)
        self.values = self.together

    def update(self, value):
        self.values.append(value)
        del self.values[: -self.size]


class BrokenMean(DECLARED["state"].reference):
    @property
    def mean(self):
        return self.walues


def forever(*_):
    while True:
        pass


def tuple_of_losses(model, X, y, learning_rate, steps):
    return tuple(DECLARED["training"].reference(model, X, y, learning_rate, steps))


def loss_tensors(model, X, y, learning_rate, steps):
    return [
        torch.tensor(x) for x in DECLARED["training"].reference(model, X, y, learning_rate, steps)
    ]


def no_return(model, X, y, learning_rate, steps):
    DECLARED["training"].reference(model, X, y, learning_rate, steps)


def claims_only(model, X, y, learning_rate, steps):
    copy = nn.Linear(X.shape[1], 1)
    copy.load_state_dict(model.state_dict())
    return DECLARED["training"].reference(copy, X, y, learning_rate, steps)


def with_pyplot(ax, values, edges):
    import matplotlib.pyplot as plt

    plt.figure()
    plt.hist(values, edges)


def as_a_line(ax, values, edges):
    ax.plot(edges[:-1], np.histogram(values, edges)[0])
    ax.set(xlabel="x", ylabel="n")


SENTENCES = [
    ("numpy", lambda X: None, UNFINISHED, "gives nothing yet"),
    ("numpy", lambda X: torch.tensor(X).norm(dim=1), WRONG, ".detach().numpy() makes one"),
    ("numpy", lambda X: np.linalg.norm(X), WRONG, "A single number came back"),
    ("numpy", lambda X: np.linalg.norm(X, axis=1)[:, None], WRONG, "has shape (3, 1)"),
    ("numpy", lambda X: np.linalg.norm(X, axis=1).astype(int), WRONG, "holds integers"),
    ("numpy", forever, WRONG, "stopped after 0.8 seconds"),
    ("numpy", lambda X: X @ X, WRONG, "It stopped with ValueError: matmul"),
    ("tensor", lambda q, k: ..., UNFINISHED, "gives nothing yet"),
    ("tensor", lambda q, k: (q @ k.T).detach().numpy(), WRONG, "stay with torch's functions"),
    ("tensor", lambda q, k: (q @ k.T).softmax(1).double(), WRONG, "has dtype float64; float32 was"),
    ("tensor", lambda q, k: (q @ k.T).softmax(1)[:1], WRONG, "has shape (1, 3); shape (2, 3)"),
    ("tensor", lambda q, k: q @ k, WRONG, "RuntimeError: mat1 and mat2 shapes cannot be"),
    ("tensor", in_place, WRONG, "your code changed its input"),
    ("tensor", forever, WRONG, "stopped after 0.8 seconds"),
    ("module", lambda n_in, n_out: None, UNFINISHED, "gives nothing yet"),
    ("module", Starter, UNFINISHED, "gives nothing yet"),
    ("module", RawTensors, WRONG, "has the parameters none; value.weight, value.bias, gate."),
    ("module", NoForward, UNFINISHED, "gives nothing yet"),
    ("module", Unfinished, WRONG, "super().__init__()"),
    ("module", Plain, WRONG, "A value of type Plain came; a torch.nn.Module was wanted"),
    ("module", OtherNames, WRONG, "has the parameters lin1.weight, lin1.bias, lin2.weight"),
    ("module", OtherShapes, WRONG, "value.weight has shape (2, 3); (3, 2) was wanted"),
    ("module", Detached, WRONG, "The output carries no gradient: something detached it"),
    ("module", Unused, WRONG, "No gradient reaches gate.weight, gate.bias. Is it used in forward"),
    ("module", ToNumpy, WRONG, "A value of type ndarray came; a torch tensor was wanted"),
    ("module", Narrow, WRONG, "The output has shape (4, 1); shape (4, 3) was wanted"),
    ("module", DECLARED["module"].reference(2, 3), WRONG, "positional argument"),
    ("plain", lambda text: None, UNFINISHED, "gives nothing yet"),
    ("plain", lambda text: {c: text.count(c) for c in text}, WRONG, "A dictionary came back"),
    ("plain", lambda text: [[c, "1"] for c in text], WRONG, "values came back as the answer"),
    ("state", lambda size: None, UNFINISHED, "gives nothing yet"),
    ("state", NoMean, WRONG, "An object of your class has no `mean`"),
    ("state", Shared, WRONG, "nothing kept from the call before"),
    ("state", BrokenMean, WRONG, "no attribute 'walues'"),
    ("state", Emptied, WRONG, "'NoneType' object is not callable"),
    ("training", lambda *_: None, UNFINISHED, "gives nothing yet"),
    ("training", no_return, WRONG, "None came back as 'what the loop returned'"),
    ("training", loss_tensors, WRONG, ".item() gives it"),
    ("training", claims_only, WRONG, "'loss after' is"),
    ("training", forever, WRONG, "stopped after 2 seconds"),
    ("plot", lambda ax, values, edges: None, UNFINISHED, "does not return (or draw) its result"),
    ("plot", with_pyplot, WRONG, "You drew with plt on a figure of your own"),
    ("plot", as_a_line, WRONG, "1 value came back as 'lines'; 0 were wanted"),
    ("plot", lambda ax: None, WRONG, "takes 1 positional argument but 3 were given"),
]


@pytest.mark.parametrize(("id", "answer", "status", "says"), SENTENCES, ids=range(len(SENTENCES)))
def test_each_kind_of_bad_answer_gets_its_sentence(published, id, answer, status, says):
    q = published[id]
    found = diagnose(q, {q.asks: answer})
    assert (found.status, found.points) == (status, 0)
    assert says in found.says
    assert found.says.endswith((".", "?", ")"))
    report = Report(q, found, "https://example.org", "")
    assert not re.search(r"0x[0-9a-f]{6,}", repr(report) + report._repr_html_())


@pytest.mark.parametrize(
    ("id", "answer"),
    [("training", tuple_of_losses), ("state", MeanAsMethod)],
    ids=["tuple", "method"],
)
def test_what_is_right_in_another_form_passes(published, id, answer):
    q = published[id]
    assert diagnose(q, {q.asks: answer}).status == PASSED


@pytest.mark.parametrize("q", CODE, ids=by_id)
def test_a_missing_answer_and_a_wrong_kind_are_named(published, q):
    public = published[q.id]
    assert "does not exist in this notebook yet" in diagnose(public, {}).says
    assert "function or class is asked for" in diagnose(public, {q.asks: 3.0}).says


@pytest.mark.parametrize("q", CODE, ids=by_id)
def test_a_check_answers_within_a_second(published, q):
    public = published[q.id]
    for answer in (q.reference, *q.mistakes.values()):
        start = time.process_time()
        diagnose(public, {q.asks: answer})
        assert time.process_time() - start < 1.0


def test_a_part_earns_its_points_alone(published):
    """The weights are right and detached: 2 points for the values, none for the gradient."""
    q, declared = published["tensor"], DECLARED["tensor"]
    detached = next(answer for hint, answer in declared.mistakes.items() if "detached" in hint)
    found = diagnose(q, {q.asks: detached})
    assert (found.status, found.points, found.case) == (WRONG, 2, "two queries, and back")
    assert "(2 of 3 points)" in repr(Report(q, found, "", ""))


CELLS = """
for q in list(vars().values()):
    if getattr(q, "kind", "") == "code":
        globals()[f"right_{q.asks}"] = q.variants[0]
        globals()[f"wrong_{q.asks}"] = list(q.mistakes.values())[0]
"""


@pytest.fixture(scope="module")
def session():
    """A sandbox, the best that this machine has, which holds a right and a wrong answer to each."""
    answers = Path(__file__).parent / "six_kinds" / "questions.py"
    with open_session(
        [answers.read_text(encoding="utf-8"), CELLS], tier=choose(unsafe=True)
    ) as session:
        assert session.cell_errors == []
        yield session


@pytest.mark.skipif(sys.platform != "linux", reason="the grader runs on Linux")
@pytest.mark.parametrize("q", CODE, ids=by_id)
def test_drivers_and_values_pass_through_a_sandbox(q, session):
    cases = draw(q, 7)
    wanted = outcomes(q, q.reference, cases)

    def tried(name: str) -> list:
        driver = driver_source(q)
        return [session.call(name, wire.encode(c.inputs), driver, 10.0) for c in cases]

    assert all_agree(q.compare, tried(f"right_{q.asks}"), wanted)
    assert not all_agree(q.compare, tried(f"wrong_{q.asks}"), wanted)


def test_a_free_text_is_left_to_a_person(published):
    found = diagnose(published["essay"], {"essay": "Because. For example."})
    assert (found.status, found.points) == ("for your teacher", 0)
