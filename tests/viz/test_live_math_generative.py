"""The mathematics of chapter 8's figures against matrices, SciPy and torch."""

import json

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from coursekit.viz import live
from coursekit.viz.live.denoising import LEVELS, packed, unpacked
from coursekit.viz.live.guidance import CENTERS, SAMPLES, SPREAD, noise_of
from coursekit.viz.live.minmax_game import update_matrix

CLOSE = {"rtol": 1e-9, "atol": 1e-12}  # float64 sums of a few terms
METHODS = ("simultaneous", "alternating", "extragradient")


def call(js, name: str, function: str, *arguments):
    """What `math.<function>` gives for these arguments."""
    listed = [a.tolist() if isinstance(a, np.ndarray) else a for a in arguments]
    return js(name, f"math.{function}({', '.join(json.dumps(a) for a in listed)})")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("coupling", "curvature", "step"), [(1, 0, 0.2), (1.5, 0.4, 0.3)])
def test_page_and_python_take_the_same_steps(js, method, coupling, curvature, step):
    figure = live.minmax_game(coupling=coupling, curvature=curvature, step=step, steps=12)
    game = {"coupling": coupling, "curvature": curvature, "step": step}
    ours = call(js, "minmax_game", "path", method, game, figure.data["start"], 12)
    np.testing.assert_allclose(figure.path(method), ours, **CLOSE)
    eigen = call(js, "minmax_game", "eigen", method, game)
    assert figure.factor(method) == pytest.approx(eigen["size"], rel=1e-9)
    values = np.linalg.eigvals(update_matrix(method, curvature, coupling, step))
    assert eigen["turn"] == pytest.approx(np.degrees(np.abs(np.angle(values)).max()), rel=1e-9)


def test_simultaneous_steps_follow_torchs_gradients(js):
    x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.7, -1.1))
    (1.3 * x * y + 0.4 * (x**2 - y**2) / 2).backward()
    game = {"coupling": 1.3, "curvature": 0.4, "step": 0.1}
    moved = call(js, "minmax_game", "step", "simultaneous", game, [0.7, -1.1])
    wanted = [0.7 - 0.1 * x.grad.item(), -1.1 + 0.1 * y.grad.item()]
    np.testing.assert_allclose(moved, wanted, **CLOSE)


def test_without_curvature_one_way_grows_one_stays_and_one_shrinks():
    figure = live.minmax_game(curvature=0, step=0.2)
    assert figure.factor("simultaneous") == pytest.approx(np.hypot(1, 0.2), rel=1e-12)
    assert figure.factor("alternating") == pytest.approx(1, rel=1e-12)
    assert figure.factor("extragradient") < 1


def test_page_and_torch_decode_the_same(js, figures):
    figure = figures["latent_walk"]
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 64), torch.nn.Sigmoid()
    ).double()
    for layer, at in zip(figure.data["layers"], (0, 2), strict=True):
        net[at].weight.data = torch.tensor(layer["W"], dtype=torch.float64)
        net[at].bias.data = torch.tensor(layer["b"], dtype=torch.float64)
    wanted = net(torch.tensor([0.2, -0.4], dtype=torch.float64)).detach().numpy()
    np.testing.assert_allclose(figure.picture(), wanted, **CLOSE)
    ours = call(js, "latent_walk", "decode", figure.data["layers"], [0.2, -0.4])
    np.testing.assert_allclose(ours, wanted, **CLOSE)
    assert figure.nearest() == "5"  # 1.39 away; the 3 is 1.43 away


@pytest.mark.parametrize("bend", ["relu", "silu", "linear"])
def test_bends_are_torchs(js, bend):
    wanted = {"relu": torch.relu, "silu": torch.nn.functional.silu, "linear": lambda z: z}[bend]
    for z in (-2.0, 0.3):
        number = torch.tensor(z, dtype=torch.float64)
        assert call(js, "latent_walk", f"bends.{bend}", z) == pytest.approx(wanted(number).item())


def test_packed_pixels_come_back_to_a_level(js, rng):
    x = rng.uniform(-2, 2, 64)
    text = packed(x)
    half_a_level = 4 / 35 / 2
    assert np.abs(unpacked(text) - x).max() <= half_a_level + 1e-12
    ours = call(js, "denoising", "unpacked", text, LEVELS)
    np.testing.assert_allclose(ours, unpacked(text), **CLOSE)
    assert packed(np.array([-9.0, 9.0])) == "0z"


def test_guided_noise_is_the_score_of_the_mixture(js):
    """Strength 0 by a numerical gradient of SciPy's densities, 1 by the class's own."""
    level, x = 0.4, np.array([0.3, -0.2])
    variance = level * SPREAD**2 + 1 - level
    parts = [multivariate_normal(np.sqrt(level) * c, variance) for c in CENTERS]
    plane = live.guidance().data

    def score(log_density):
        e = 1e-5 * np.eye(2)
        return np.array([(log_density(x + d) - log_density(x - d)) / 2e-5 for d in e])

    anything = score(lambda p: np.log(sum(part.pdf(p) for part in parts)))
    one = score(parts[2].logpdf)
    for w, wanted in ((0.0, anything), (1.0, one), (3.0, anything + 3 * (one - anything))):
        noise = -np.sqrt(1 - level) * wanted
        ours = noise_of(x[None], level, 2, w)[0]
        np.testing.assert_allclose(ours, noise, atol=1e-8)  # of the numerical gradient
        np.testing.assert_allclose(call(js, "guidance", "noise", x, level, 2, w, plane), ours)


def test_page_and_python_carry_noise_to_the_same_samples(js):
    figure = live.guidance(1, w=2.5)
    for i in (0, 7):
        way = call(js, "guidance", "way", figure.data["start"][i], 1, 2.5, figure.data)
        np.testing.assert_allclose(way[-1], figure.samples()[i], atol=1e-4)  # rounded levels
    ours = call(js, "guidance", "numbers", figure.samples(), 1, figure.data)
    np.testing.assert_allclose(list(ours.values()), figure.numbers(), **CLOSE)


def test_strength_one_samples_the_class_and_more_narrows_it():
    """Sixty steps of the exact noise: the mean within the error of 80 samples, the spread too."""
    plain, strong = live.guidance(0, w=1.0).numbers(), live.guidance(0, w=4.0).numbers()
    error = SPREAD / np.sqrt(SAMPLES)
    assert plain[2] < 4 * error
    assert plain[1] == pytest.approx(SPREAD, abs=4 * error)
    assert strong[0] > plain[0]
    assert strong[1] < plain[1] - 2 * error
    assert strong[2] > plain[2] + 2 * error


def test_what_the_figures_refuse():
    layer = (np.ones((64, 2)), np.zeros(64), "linear")
    with pytest.raises(ValueError, match="step is 2"):
        live.minmax_game(step=2)
    with pytest.raises(ValueError, match="shown has 'both'"):
        live.minmax_game(shown=["both"])
    with pytest.raises(ValueError, match=r"layer 0 has weights \(64, 3\)"):
        live.latent_walk([(np.ones((64, 3)), np.zeros(64), "linear")], [[0, 0]], "1")
    with pytest.raises(ValueError, match="bends by 'gelu'"):
        live.latent_walk([(*layer[:2], "gelu")], [[0, 0]], "1")
    with pytest.raises(ValueError, match="gives 10 numbers"):
        live.latent_walk([(np.ones((10, 2)), np.zeros(10), "linear")], [[0, 0]], "1")
    with pytest.raises(ValueError, match="there are 2 labels"):
        live.latent_walk([layer], [[0, 0]], "12")
    with pytest.raises(ValueError, match="reach from -3 to 3"):
        live.latent_walk([layer], [[0, 0]], "1", z=(4, 0))
    frames = np.zeros((3, 2, 64))
    with pytest.raises(ValueError, match="3 steps and 2 shares"):
        live.denoising({"a": (frames, frames)}, {"a": [0, 1]})
    with pytest.raises(ValueError, match=r"chains of shape \(3, 2, 64\) and \(2, 2, 64\)"):
        live.denoising({"a": (frames, frames[1:])}, {"a": [0, 0.5, 1]})
    with pytest.raises(ValueError, match="step is 3"):
        live.denoising({"a": (frames, frames)}, {"a": [0, 0.5, 1]}, step=3)
    with pytest.raises(ValueError, match="w is 9"):
        live.guidance(w=9)
    with pytest.raises(ValueError, match="classes are 0 to 2"):
        live.guidance(3)
