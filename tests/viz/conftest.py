"""One of each live figure, a shell that displays, and engines that run the figures' mathematics."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from sklearn.datasets import load_diabetes, load_iris

from coursekit.transformer import LLAMA_2_7B, LLAMA_3_8B
from coursekit.viz import live
from coursekit.viz.live.base import LiveFigure
from coursekit.viz.live.denoising import Chain

DECODERS = {"Llama 2 7B": LLAMA_2_7B, "Llama 3 8B": LLAMA_3_8B}
LOAD = """async ([source, expression]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { math } = await import(url);
  return JSON.stringify(new Function("math", `return ${expression}`)(math));
}"""


def source(name: str) -> str:
    """The module of the figure of this name, as a page gets it."""
    return next(kind._esm for kind in LiveFigure.__subclasses__() if kind.name == name)


class InNode:
    """Evaluates an expression over a module's `math` in Node."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name: str, expression: str):
        module = self.folder / f"{name}.mjs"
        module.write_text(source(name), "utf-8")
        code = f"import {{ math }} from {json.dumps(module.as_uri())};\n"
        code += f"console.log(JSON.stringify({expression}));"
        done = subprocess.run(
            ["node", "--input-type=module"], input=code, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


class InBrowser:
    """Evaluates an expression over a module's `math` in Chromium."""

    def __init__(self, page):
        self.page = page

    def __call__(self, name: str, expression: str):
        return json.loads(self.page.evaluate(LOAD, [source(name), expression]))


def two_translations() -> list[tuple[list[str], list[str], np.ndarray]]:
    """Words and weights such as a translator gives; the adjective crosses the noun."""
    short = np.array([[0.9, 0.06, 0.04], [0.05, 0.1, 0.85], [0.02, 0.88, 0.1]])
    long = np.full((14, 14), 0.02) + 0.72 * np.eye(14)[::-1]
    words = [f"word{k}" for k in range(14)]
    return [
        (["the", "black", "cat"], ["le", "chat", "noir"], short),
        (words, [w.upper() for w in words], long),
    ]


def tiny_language() -> tuple[list[str], np.ndarray]:
    """A language in which the likelier first word does not begin the likeliest sentence."""
    p = np.zeros((7, 7))
    p[0, [1, 2]] = 0.55, 0.45
    p[1, [3, 4]] = 0.48, 0.52
    p[2, [3, 4]] = 0.9, 0.1
    p[3, [5, 6]] = 0.45, 0.55
    p[4, 3] = p[5, 6] = 1
    return ["<s>", "la", "une", "maison", "petite", "rouge", "</s>"], p


def tiny_decoder() -> list[tuple[np.ndarray, np.ndarray, str]]:
    """Two numbers to five, bent, to sixty-four pixels."""
    rng = np.random.default_rng(5)
    return [
        (rng.normal(size=(5, 2)), rng.normal(size=5), "tanh"),
        (rng.normal(size=(64, 5)), rng.normal(size=64), "sigmoid"),
    ]


def two_samplers() -> tuple[dict[str, Chain], dict[str, list[float]]]:
    """Chains of pictures that come out of noise, one of seven steps and one of four."""
    rng = np.random.default_rng(6)
    chains, signal = {}, {}
    for name, steps in (("seven steps", 7), ("four steps", 4)):
        ends, noise = np.sign(rng.normal(size=(3, 64))), rng.normal(size=(3, 64))
        shares = np.linspace(0, 1, steps)[:, None, None]
        noisy = shares * ends + np.sqrt(1 - shares**2) * noise
        chains[name] = Chain(noisy, shares * np.broadcast_to(ends, noisy.shape))
        signal[name] = shares.ravel().tolist()
    return chains, signal


def next_tokens() -> tuple[list[str], dict[str, np.ndarray]]:
    """Names of forty tokens, and scores of two kinds: one sure of itself, one unsure."""
    names = [f" token{i}" for i in range(40)]
    rng = np.random.default_rng(0)
    return names, {"the sure": rng.normal(0, 4, 40), "an unsure": rng.normal(0, 0.5, 40)}


def trained_too_long() -> dict[float, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """A free run whose gold measure turns, and a dear one that stays where it was."""
    d = np.linspace(0, 3, 40)
    return {0.0: (d**2, 2 * d, d * (1.6 - 0.6 * d)), 0.2: (0.1 * d, 0.4 * d, d * (0.4 - 0.15 * d))}


CHINCHILLA = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}


def places_on_a_wafer(seed: int) -> list[list[float]]:
    """Many places of defects."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-150, 150, size=(800, 2))
    return points[np.hypot(*points.T) < 150].tolist()


def two_groups() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores that are chances, outcomes drawn with them, and the group of each person."""
    rng = np.random.default_rng(21)
    scores = np.concatenate([rng.beta(4, 2, 900), rng.beta(2, 3, 600)])
    outcomes = (rng.random(1500) < scores).astype(int)
    return scores, outcomes, np.repeat([0, 1], [900, 600])


def two_runs() -> list[dict]:
    """Two short runs of an agent: one honest, one that met a page with an order in it."""
    search = {
        "thought": "I look for the page.",
        "tool": "search",
        "argument": "beam search width",
        "observation": "03-seq2seq: a beam keeps several beginnings.",
        "trusted": False,
    }
    reckon = {
        "thought": "The numbers are there.",
        "tool": "calculate",
        "argument": "2 * 21",
        "observation": "42",
        "trusted": True,
    }
    return [
        {"name": "honest", "question": "How much?", "answer": "42.", "steps": [search, reckon]},
        {"name": "poisoned", "question": "Which?", "answer": "None.", "steps": [search] * 3},
    ]


@pytest.fixture(scope="session")
def figures() -> dict[str, live.LiveFigure]:
    diabetes = load_diabetes()
    return {
        "gaussian_fit": live.gaussian_fit(load_iris().data[50:100, 2], quantity="petal length, cm"),
        "regularisation_path": live.regularisation_path(
            diabetes.data, diabetes.target, diabetes.feature_names
        ),
        "capacity": live.capacity(seed=0),
        "descent_paths": live.descent_paths(),
        "signal_depth": live.signal_depth(),
        "backprop_graph": live.backprop_graph(),
        "lstm_cell": live.lstm_cell(),
        "alignment": live.alignment(two_translations()),
        "beam_tree": live.beam_tree(*tiny_language()),
        "soft_lookup": live.soft_lookup(
            {"cat": (2.0, 1.0), "car": (-1.8, 1.4), "road": (-1.0, -2.0)}, [10, 20, 60]
        ),
        "positions": live.positions(),
        "attention_heads": live.attention_heads(
            {"first": np.eye(4), "even": np.full((4, 4), 0.25)}, ["the", "red", "car", "stops"]
        ),
        "online_softmax": live.online_softmax(),
        "model_roofline": live.model_roofline(
            [("A100", 312.0, 1.555), ("H100", 989.4, 3.35)], DECODERS
        ),
        "cost_per_token": live.cost_per_token(
            [("A100", 312.0, 1.555, 40.0), ("H100", 989.4, 3.35, 80.0)], DECODERS
        ),
        "roofline": live.roofline(peak=312.0, bandwidth=1.5, name="A100"),
        "minmax_game": live.minmax_game(),
        "latent_walk": live.latent_walk(
            tiny_decoder(), [[0.5, 1.0], [-1.0, 0.3], [1.2, -2.0]], [3, 5, 5], z=(0.2, -0.4)
        ),
        "denoising": live.denoising(*two_samplers()),
        "guidance": live.guidance(),
        "bpe_merges": live.bpe_merges(
            "the cat sat on the mat, the rat sat on the hat: Käse 50%", merges=3
        ),
        "sampling_knobs": live.sampling_knobs(
            *next_tokens(), k=30, mass=0.8, floor=0.02, temperature=1.5
        ),
        "scaling_law": live.scaling_law(
            CHINCHILLA,
            [(1e8, 2e9, 3.1, False), (1e9, 2e10, 2.6, True)],
            compute=(18, 22),
            sizes=(7, 11),
        ),
        "clipped_step": live.clipped_step(ratio=1.3, high=0.25),
        "many_answers": live.many_answers(right=0.35, favourite=0.8, n=7),
        "over_optimised": live.over_optimised(trained_too_long(), step=25),
        "wafer_map": live.wafer_map(places_on_a_wafer(9), places_on_a_wafer(10), price=16_000.0),
        "export_plane": live.export_plane(
            [
                ("H20", 2368.0, 814.0, ["free"] * 5),
                ("H100", 15_832.0, 814.0, ["free", *["licence"] * 3, "case-by-case"]),
                ("L40", 2896.0, 608.0, ["free", "free", *["notification"] * 3]),
            ]
        ),
        "fairness_thresholds": live.fairness_thresholds(*two_groups(), thresholds=(0.6, 0.5)),
        "agent_trace": live.agent_trace(two_runs()),
        "softmax": live.softmax({"cat": 2.0, "dog": 1.0, "ship": -1.0}),
    }


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture(scope="session", autouse=True)
def shell():
    """A shell, without which IPython displays nothing."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


@pytest.fixture(params=[pytest.param("chromium", marks=pytest.mark.browser), "node"])
def js(request, tmp_path):
    if request.param == "node":
        if shutil.which("node") is None:
            pytest.skip("no Node here; the same tests run in Chromium")
        yield InNode(tmp_path)
        return
    page = request.getfixturevalue("browser").new_page()
    page.goto("about:blank")
    yield InBrowser(page)
    page.close()
