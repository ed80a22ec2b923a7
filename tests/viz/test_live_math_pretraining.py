"""The mathematics of the figures about language models, against other libraries and by search."""

import json
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special

from coursekit.viz import live

bpe = import_module("coursekit.viz.live.bpe_merges")  # the package has a function of this name
HOST = Path(__file__).resolve().parents[2] / "book" / "_static" / "live-host.js"

CLOSE = {"rtol": 1e-9, "atol": 1e-12}  # float64 sums of forty terms
TEXTS = (
    "the cat sat on the mat, the rat too",
    "  two spaces,\n\n a line;   and'll we're it's 3rd ²½ Käse  ",
    "aaaaaaa aaaa aa a",
    "",
    "한국어 한국 – ÄÖÜ 🙂🙂",
)


def split(text: str) -> list[str]:
    """Pieces of a text, by the `tokenizers` library."""
    tokenizers = pytest.importorskip("tokenizers")
    splitter = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    return [text[a:b] for _, (a, b) in splitter.pre_tokenize_str(text)]


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_are_those_of_gpt2(js, text):
    assert bpe.pieces(text) == split(text)
    assert js("bpe_merges", f"math.pieces({json.dumps(text)})") == split(text)


@given(st.text(st.sampled_from("ab 'sl1²_\n\tßé한"), max_size=30))
@settings(max_examples=200, deadline=None)
def test_pieces_of_any_text_are_those_of_gpt2(text):
    assert bpe.pieces(text) == split(text)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("merges", [0, 1, 5, 60])
def test_script_and_still_learn_the_same_merges(js, text, merges):
    parts, learnt = bpe.train(text, merges)
    ours = js("bpe_merges", f"math.train({json.dumps(text)}, {merges})")
    assert [[bytes(t) for t in piece] for piece in ours["pieces"]] == parts
    assert [(bytes(m["left"]), bytes(m["right"])) for m in ours["merges"]] == learnt


@pytest.mark.parametrize("text", TEXTS)
def test_merges_are_bytes_of_the_text_and_always_a_most_frequent_pair(text):
    parts, learnt = bpe.train(text, 60)
    assert b"".join(token for part in parts for token in part) == text.encode()
    before = bpe.train(text, 0)[0]
    for pair in learnt:  # recounted with slices, not with the module's counter
        joined = [(a, b) for part in before for a, b in pairwise(part)]
        most = max(joined.count(p) for p in joined)
        assert joined.count(pair) == most >= 2
        assert pair == max(p for p in joined if joined.count(p) == most)
        before = [bpe.merge(part, pair) for part in before]
    assert before == parts


def knobs(**options):
    rng = np.random.default_rng(3)
    names = [f"t{i}" for i in range(40)]
    return live.sampling_knobs(names, {"a": rng.normal(0, 2, 40)}, **options)


@pytest.mark.parametrize(
    "options",
    [{}, {"temperature": 0.5}, {"k": 5}, {"mass": 0.8}, {"floor": 0.1},
     {"temperature": 1.7, "k": 20, "mass": 0.9, "floor": 0.05}, {"k": 1}],
)  # fmt: skip
def test_chances_left_by_the_filters(js, options):
    figure = knobs(**options)
    z = np.array(figure.data["prompts"][0]["logits"]) / options.get("temperature", 1.0)
    p = special.softmax(z)
    keep = np.arange(40) < options.get("k", 40)
    p = np.where(keep, p, 0) / p[keep].sum()
    most = next(n for n in range(1, 41) if p[:n].sum() >= options.get("mass", 1.0) - 1e-12)
    p[most:] = 0
    p[p < options.get("floor", 0.0) * p.max()] = 0
    wanted = p / p.sum()
    np.testing.assert_allclose(figure.probabilities(), wanted, **CLOSE)
    state = {"temperature": figure.temperature, "k": figure.k, "mass": figure.mass}
    call = json.dumps(state | {"floor": figure.floor})
    logits = json.dumps(figure.data["prompts"][0]["logits"])
    ours = js("sampling_knobs", f"math.filtered({logits}, {call})")
    np.testing.assert_allclose(ours, wanted, **CLOSE)
    entropy = js("sampling_knobs", f"math.entropy({wanted.tolist()})")
    np.testing.assert_allclose(entropy, special.entr(wanted).sum(), **CLOSE)


def test_knobs_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="not \\(40,\\) finite"):
        live.sampling_knobs([str(i) for i in range(40)], {"a": np.zeros(39)})
    with pytest.raises(ValueError, match="1 to 4 prompts"):
        live.sampling_knobs([str(i) for i in range(40)], {})


FIT = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}


@pytest.mark.parametrize("C", [1e15, 1e19, 5.76e23])
def test_the_best_size_is_where_a_search_finds_it(js, C):
    figure = live.scaling_law(FIT, compute=(15, 24), sizes=(5, 12))

    def at(x):
        return float(figure.loss(10**x, C / (6 * 10**x)))

    found = optimize.minimize_scalar(at, bounds=(3, 13), method="bounded", options={"xatol": 1e-9})
    N, D = figure.best(C)
    np.testing.assert_allclose(np.log10(N), found.x, atol=1e-4)  # a flat minimum: sqrt of EPS
    np.testing.assert_allclose(6 * N * D, C, **CLOSE)
    ours = js("scaling_law", f"math.best({json.dumps(FIT)}, {C})")
    np.testing.assert_allclose([ours["N"], ours["D"]], [N, D], rtol=1e-9)
    loss = js("scaling_law", f"math.loss({json.dumps(FIT)}, {N}, {D})")
    by_hand = 1.69 + 406.4 / N**0.34 + 410.7 / D**0.28
    np.testing.assert_allclose([loss, float(figure.loss(N, D))], by_hand, rtol=1e-12)


def test_a_law_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="positive E, A, B"):
        live.scaling_law({**FIT, "A": -1}, compute=(15, 24), sizes=(5, 12))
    with pytest.raises(ValueError, match="span a decade"):
        live.scaling_law(FIT, compute=(15, 15.5), sizes=(5, 12))


@pytest.mark.browser
def test_the_reader_may_type_a_text(browser, figures):
    page = browser.new_page()
    page.set_content(f"<main>{figures['bpe_merges'].html()}</main>")
    page.add_script_tag(content=HOST.read_text("utf-8"))
    page.wait_for_selector(".ck-picture text")
    page.locator("textarea").fill("aaaa aaaa")
    page.wait_for_timeout(100)
    assert page.locator("dd").all_text_contents()[:2] == ["3", "9"]  # aaaa, a space, aaaa
    page.close()
