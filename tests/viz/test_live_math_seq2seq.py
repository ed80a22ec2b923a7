"""The mathematics of the figures about sequences, against torch, NumPy and exhaustive search."""

import itertools
import json

import numpy as np
import pytest
import torch
from scipy import stats

from coursekit.seq2seq.search import beam_search
from coursekit.seq2seq.vocabulary import BOS, EOS
from coursekit.viz import live

CLOSE = {"rtol": 1e-9, "atol": 1e-12}  # float64 sums of a few terms
LEAK = (-3.0, 5.0, 1.2, -1.2, 0.7)


def torch_cell(weights, values, flags):
    """The figure's cell as torch.nn.LSTM: width one, inputs (x, flag), no recurrent weights."""
    b_i, w_i, b_f, w_f, b_o = weights
    cell = torch.nn.LSTM(2, 1, bias=True, dtype=torch.float64)
    with torch.no_grad():  # rows: i, f, g, o
        cell.weight_ih_l0.copy_(
            torch.tensor([[0.0, w_i], [0, w_f], [1, 0], [0, 0]], dtype=torch.float64)
        )
        cell.bias_ih_l0.copy_(torch.tensor([b_i, b_f, 0, b_o], dtype=torch.float64))
        cell.weight_hh_l0.zero_()
        cell.bias_hh_l0.zero_()
    x = torch.tensor([*zip(values, flags, strict=True)], dtype=torch.float64)
    state, memory, output = None, [], []
    for t in range(len(x)):
        h, state = cell(x[t : t + 1], state)
        memory.append(state[1].squeeze())
        output.append(h.squeeze())
    return torch.stack(memory), torch.stack(output)


@pytest.mark.parametrize("weights", [live.lstm_cell().weights, LEAK])
def test_the_cell_is_torchs(js, weights):
    figure = live.lstm_cell(weights)
    values, flags = figure.data["values"], figure.data["flags"]
    c, h = torch_cell(weights, values, flags)
    ours = js("lstm_cell", f"math.lstm({json.dumps(weights)}, {values}, {flags})")
    # torch computes the gates' logistic functions in its own order
    np.testing.assert_allclose(ours["c"], c.detach(), rtol=1e-9)
    np.testing.assert_allclose(ours["h"], h.detach(), rtol=1e-9)
    np.testing.assert_allclose(figure.trace().c, c.detach(), rtol=1e-9)
    np.testing.assert_allclose(figure.trace().h, h.detach(), rtol=1e-9)


def test_slopes_are_those_of_autograd(js):
    figure = live.lstm_cell(LEAK, recurrent=0.9)
    values, flags = figure.data["values"], figure.data["flags"]
    x = torch.tensor(values, dtype=torch.float64)
    h, plain = torch.zeros((), dtype=torch.float64), []
    for value in x:
        h = torch.tanh(0.9 * h + value).requires_grad_()
        plain.append(h)
    slopes = [torch.autograd.grad(h, p, retain_graph=True)[0].item() for p in plain]
    trace = figure.trace()
    ours = js("lstm_cell", f"math.carriedPlain(0.9, {trace.plain.tolist()})")
    np.testing.assert_allclose(ours, slopes, **CLOSE)
    last = len(flags) - 1 - flags[::-1].index(1)
    gates = [{"f": f} for f in trace.f.tolist()]
    gated = js("lstm_cell", f"math.carried({json.dumps(gates)})")
    np.testing.assert_allclose(figure.slopes(), [gated[last], slopes[last]], **CLOSE)
    shifted = [v + 1e-6 * (t == last) for t, v in enumerate(values)]
    ends = [torch_cell(LEAK, v, flags)[0][-1].item() for v in (values, shifted)]
    enters = trace.i[last] * (1 - np.tanh(values[last]) ** 2)  # slope of c at the flag in x there
    np.testing.assert_allclose((ends[1] - ends[0]) / 1e-6, gated[last] * enters, rtol=1e-4)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_sharpened_weights_are_a_softmax_of_the_scores(js, temperature):
    scores = np.array([0.3, -1.2, 2.0, 0.0])
    row = np.exp(scores) / np.exp(scores).sum()
    wanted = np.exp(scores / temperature) / np.exp(scores / temperature).sum()
    ours = js("alignment", f"math.sharpen({row.tolist()}, {temperature})")
    np.testing.assert_allclose(ours, wanted, **CLOSE)
    effective = js("alignment", f"math.effective({wanted.tolist()})")
    np.testing.assert_allclose(effective, np.exp(stats.entropy(wanted)), **CLOSE)


def test_crossings_are_inversions(js, rng):
    for _ in range(5):
        rows = rng.dirichlet(np.ones(6), size=7)
        at = rows.argmax(axis=1)
        wanted = sum(at[i] > at[j] for i, j in itertools.combinations(range(7), 2))
        assert js("alignment", f"math.crossings({rows.tolist()})") == wanted


def test_the_figures_python_says_what_its_script_computes(js, figures):
    figure = figures["alignment"]
    for pair, crossed in ((0, 1), (1, 14 * 13 // 2)):
        figure.pair = pair
        assert figure.crossings() == crossed
        assert js("alignment", f"math.crossings({figure.weights().tolist()})") == crossed
        np.testing.assert_allclose(figure.weights().sum(axis=1), 1)
    figure.pair = 0


def sentences(logs, length):
    """Every sentence of a table of log-probabilities by brute force: (words, log-probability)."""
    end = len(logs) - 1
    for n in range(1, length + 1):
        for body in itertools.product(range(1, end), repeat=n - 1):
            words = (*body, end)
            log_p = sum(logs[a][b] for a, b in zip((0, *body), words, strict=True))
            if np.isfinite(log_p):
                yield words, log_p


FIRST = 4  # the library's number of the first word, after the special ones


def next_words(logs):
    """The figure's language as the library asks for it; sentences of 4 tokens must end."""
    table = torch.full((FIRST + len(logs) - 2, FIRST + len(logs) - 2), -torch.inf)
    rows = [BOS, *range(FIRST, len(table))]
    for a, row in zip(rows, logs[:-1], strict=True):
        table[a, FIRST:], table[a, EOS] = torch.tensor(row[1:-1]), row[-1]

    def log_probs(beginnings):
        found = table[beginnings[:, -1]].clone()
        if beginnings.shape[1] == 4:
            found[:, FIRST:] = -torch.inf
        return found

    return log_probs


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_without_pruning_the_search_is_exhaustive(js, rng, alpha):
    p = np.zeros((5, 5))
    p[:-1, 1:] = rng.dirichlet(np.ones(4), size=4)
    figure = live.beam_tree(["<s>", *"abc", "</s>"], p, length=4)
    figure.alpha = alpha
    logs = [[-np.inf if v is None else v for v in row] for row in figure.data["logs"]]
    words, best = max(sentences(logs, 4), key=lambda s: s[1] / ((5 + len(s[0])) / 6) ** alpha)
    table = json.dumps(figure.data["logs"]).replace("null", "-Infinity")
    ours = js("beam_tree", f"math.everything({table}, 4, {alpha}).best")
    assert tuple(ours["words"][1:]) == words == figure.search()[1].words
    np.testing.assert_allclose([ours["logp"], figure.search()[1].log_p], best, **CLOSE)
    for width in (1, 2, 3):
        pruned = js("beam_tree", f"math.search({table}, {width}, 4, {alpha})")
        steps, found = figure.search(width)
        ours_steps = [[c["logp"] for c in step] for step in pruned["steps"]]
        for one, other in zip(ours_steps, steps, strict=True):
            np.testing.assert_allclose(one, [c.log_p for c in other], **CLOSE)
        assert (found is None) == (pruned["best"] is None)
        if found is not None:
            assert tuple(pruned["best"]["words"][1:]) == found.words
            assert figure.score(found) <= figure.score(figure.search()[1]) + 1e-12
            library = beam_search(next_words(logs), width=width, max_length=4, alpha=alpha)[0]
            assert tuple(i - FIRST + 1 for i in library.ids) == found.words[:-1]
            # the library's scores are float32 sums of four terms
            np.testing.assert_allclose(library.score, figure.score(found), rtol=1e-6)


def test_greedy_misses_what_a_beam_of_two_finds(figures):
    figure = figures["beam_tree"]
    best = figure.search()[1]
    assert figure.search(1)[1].log_p < best.log_p
    assert figure.search(2)[1] == best
    assert "la petite maison" in figure.description()
    assert "best sentence of all is une maison" in figure.description()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: live.lstm_cell([1.0]), "five numbers"),
        (lambda: live.lstm_cell(recurrent=3.0), "from 0 to 2"),
        (lambda: live.lstm_cell(values=[1.0, 2.0], flags=[1]), "as many of each"),
        (lambda: live.lstm_cell(values=[1.0, 2.0], flags=[0, 0]), "at least one 1"),
        (lambda: live.alignment([]), "1 to 4"),
        (lambda: live.alignment([(["a"] * 15, ["b"], np.ones((1, 15)) / 15)]), "at most 14"),
        (lambda: live.alignment([(["a"], ["b"], np.ones((2, 2)))]), r"shape \(2, 2\)"),
        (lambda: live.alignment([(["a", "b"], ["c"], [[0.4, 0.4]])]), "sum to 1"),
        (lambda: live.alignment([(["a"], ["b"], [[1.0]])], word=2), "there is none"),
        (lambda: live.beam_tree(["a", "b"], np.eye(2)), "3 to 7 tokens"),
        (lambda: live.beam_tree(["a", "b", "c"], np.eye(3)), "distribution"),
        (lambda: live.beam_tree(["a", "b", "c"], np.eye(3, k=1), length=9), "2 to 6"),
    ],
)
def test_errors_say_what_to_do(make, match):
    with pytest.raises(ValueError, match=match):
        make()
