"""The mathematics in the figures' JavaScript against NumPy, SciPy and scikit-learn.

Run in Chromium, as a reader's browser runs it, and in Node where there is one.
"""

import importlib
import json

import numpy as np
import pytest
from scipy import special, stats
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso, Ridge
from sklearn.preprocessing import StandardScaler

from coursekit.viz import live

# in coursekit.viz.live these names are those of the functions
descent = importlib.import_module("coursekit.viz.live.descent_paths")
signals = importlib.import_module("coursekit.viz.live.signal_depth")
CLOSE = {"rtol": 1e-9, "atol": 1e-12}  # float64 sums of at most some thousand terms


def call(js, name, function, *arguments):
    words = ", ".join(
        json.dumps(np.asarray(a).tolist()) if _array(a) else json.dumps(a) for a in arguments
    )
    return js(name, f"math.{function}({words})")


def _array(value) -> bool:
    return isinstance(value, np.ndarray)


def test_log_likelihood_is_scipys(js, rng):
    x = rng.normal(3, 2, 40)
    for mean, deviation in ((3.0, 2.0), (-1.0, 0.3), (10.0, 7.0)):
        ours = call(js, "gaussian_fit", "logLikelihood", x, mean, deviation)
        np.testing.assert_allclose(ours, stats.norm.logpdf(x, mean, deviation).mean(), **CLOSE)


def test_best_fit_is_scipys(js, rng):
    x = rng.normal(3, 2, 40)
    best = call(js, "gaussian_fit", "bestFit", x)
    np.testing.assert_allclose([best["mean"], best["deviation"]], stats.norm.fit(x), **CLOSE)


def test_closed_form_divergence_is_the_integral(js):
    from scipy.integrate import quad

    p, q = {"mean": 1.0, "deviation": 0.7}, {"mean": -0.4, "deviation": 1.9}
    one, two = (stats.norm(d["mean"], d["deviation"]) for d in (p, q))
    integral, _ = quad(lambda x: one.pdf(x) * (one.logpdf(x) - two.logpdf(x)), -12, 14)
    np.testing.assert_allclose(call(js, "gaussian_fit", "klDivergence", p, q), integral, rtol=1e-7)


def test_monte_carlo_divergence_and_its_error(js, rng):
    p, q = {"mean": 1.0, "deviation": 0.7}, {"mean": 0.4, "deviation": 1.2}
    z = rng.standard_normal(500)
    one, two = (stats.norm(d["mean"], d["deviation"]) for d in (p, q))
    terms = one.logpdf(1.0 + 0.7 * z) - two.logpdf(1.0 + 0.7 * z)
    ours = call(js, "gaussian_fit", "klMonteCarlo", p, q, z)
    np.testing.assert_allclose(ours["estimate"], terms.mean(), **CLOSE)
    np.testing.assert_allclose(ours["error"], stats.sem(terms), **CLOSE)


def test_what_the_likelihood_lacks_is_the_divergence_from_the_best_fit(js, rng):
    x = rng.gamma(2, 1, 60)
    best = call(js, "gaussian_fit", "bestFit", x)
    q = {"mean": 0.3, "deviation": 2.2}
    top = call(js, "gaussian_fit", "logLikelihood", x, best["mean"], best["deviation"])
    level = call(js, "gaussian_fit", "logLikelihood", x, q["mean"], q["deviation"])
    np.testing.assert_allclose(
        top - level, call(js, "gaussian_fit", "klDivergence", best, q), **CLOSE
    )


def test_histogram_is_numpys_with_both_ends(js, rng):
    x = np.round(rng.normal(0, 1, 70), 1)
    edges = np.linspace(x.min(), x.max(), 9)
    heights, _ = np.histogram(x, edges, density=True)
    np.testing.assert_allclose(call(js, "gaussian_fit", "histogram", x, edges), heights, **CLOSE)


@pytest.fixture(scope="module")
def regression():
    X, y = load_diabetes(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    y = (y - y.mean()) / y.std()
    return (
        X,
        y,
        {"G": (X.T @ X / len(y)).tolist(), "c": (X.T @ y / len(y)).tolist(), "yy": y @ y / len(y)},
    )


@pytest.mark.parametrize("gamma", [1e-3, 0.1, 3.0])
def test_ridge_is_scikit_learns(js, regression, gamma):
    X, y, data = regression
    theirs = Ridge(alpha=gamma * len(y), fit_intercept=False).fit(X, y).coef_
    ours = call(js, "regularisation_path", "ridge", data["G"], data["c"], gamma)
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("gamma", [1e-3, 0.1, 0.5, 3.0])
def test_lasso_is_scikit_learns(js, regression, gamma):
    X, y, data = regression
    theirs = (
        Lasso(alpha=gamma / 2, fit_intercept=False, tol=1e-12, max_iter=200_000).fit(X, y).coef_
    )
    ours = call(js, "regularisation_path", "lasso", data["G"], data["c"], gamma)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert [w != 0 for w in ours] == [abs(w) > 1e-9 for w in theirs]


@pytest.mark.parametrize("kind", ["ridge", "lasso"])
def test_a_path_is_its_points(js, regression, kind):
    data = regression[2]
    gammas = [0.001, 0.05, 0.4]
    path = call(js, "regularisation_path", "path", kind, data, gammas)
    for gamma, weights in zip(gammas, path, strict=True):
        alone = call(js, "regularisation_path", kind, data["G"], data["c"], gamma)
        np.testing.assert_allclose(weights, alone, atol=1e-7)


def test_error_from_moments_is_the_mean_square(js, regression, rng):
    X, y, data = regression
    w = rng.normal(size=X.shape[1])
    ours = call(js, "regularisation_path", "error", data, w)
    np.testing.assert_allclose(ours, np.mean((X @ w - y) ** 2), **CLOSE)


def test_the_ellipse_is_a_contour(js):
    G, centre, rise = [[1.0, 0.6], [0.6, 0.9]], [0.3, -0.2], 0.7
    points = np.array(call(js, "regularisation_path", "ellipse", G, centre, rise)) - centre
    np.testing.assert_allclose(np.einsum("ni,ij,nj->n", points, G, points), rise, **CLOSE)
    assert len(np.unique(np.round(points, 6), axis=0)) == len(points) - 1


@pytest.mark.parametrize(("kind", "order"), [("ridge", 2), ("lasso", 1)])
def test_the_ball_has_its_radius(js, kind, order):
    points = np.array(call(js, "regularisation_path", "ball", kind, 0.8))
    np.testing.assert_allclose(np.linalg.norm(points, order, axis=1), 0.8, **CLOSE)


@pytest.mark.parametrize("degree", [0, 1, 4, 10])
def test_a_fit_is_least_squares(js, rng, degree):
    x, grid = (np.arange(15) + 0.5) / 15, np.linspace(0, 1, 21)
    y = rng.normal(size=15)
    hat = np.array(call(js, "capacity", "smoother", x, degree, grid))
    theirs = np.polynomial.Polynomial.fit(x, y, degree)(grid)
    # float64 least squares in a well-conditioned basis; the ends extrapolate by up to 1e3
    np.testing.assert_allclose(hat @ y, theirs, rtol=1e-7, atol=1e-8)


def test_bias_and_variance_are_those_of_repeated_fits(js, rng):
    m, degree, noise, repeats = 20, 3, 0.3, 4000
    x, grid = (np.arange(m) + 0.5) / m, (np.arange(100) + 0.5) / 100
    samples = np.sin(2 * np.pi * x)[:, None] + noise * rng.standard_normal((m, repeats))
    weights = np.polynomial.polynomial.polyfit(x, samples, degree)
    fits = np.polynomial.polynomial.polyval(grid, weights).T  # (100, repeats)
    truth = np.sin(2 * np.pi * grid)
    ours = call(js, "capacity", "decompose", m, degree, noise, grid)
    # a variance from 4000 fits has a relative error of about sqrt(2 / 4000 / 4) = 1 %
    np.testing.assert_allclose(ours["variance"], fits.var(axis=1).mean(), rtol=0.05)
    np.testing.assert_allclose(ours["bias"], np.mean((fits.mean(axis=1) - truth) ** 2), rtol=0.1)
    fresh = np.mean((fits - truth[:, None]) ** 2) + noise**2
    np.testing.assert_allclose(ours["total"], fresh, rtol=0.02)
    own = np.polynomial.polynomial.polyval(x, weights).T
    np.testing.assert_allclose(ours["training"], np.mean((own - samples) ** 2), rtol=0.02)


def test_drawn_noise_is_standard_normal_and_repeats(js):
    expression = (
        "(() => { const draw = math.normals(7); return Array.from({length: 4000}, draw); })()"
    )
    draws = js("capacity", expression)
    assert draws == js("capacity", expression)
    assert stats.kstest(draws, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 4 / np.sqrt(len(draws))


@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
def test_softmax_is_scipys_even_for_huge_logits(js, temperature):
    from scipy.special import log_softmax, softmax

    for logits in ([2.0, 1.0, -1.0], [800.0, 0.0, -800.0]):
        scaled = np.array(logits) / temperature
        ours = call(js, "softmax", "softmax", logits, temperature)
        np.testing.assert_allclose(ours, softmax(scaled), **CLOSE)
        for k in range(3):
            loss = call(js, "softmax", "crossEntropy", logits, temperature, k)
            np.testing.assert_allclose(loss, -log_softmax(scaled)[k], **CLOSE)


def test_gradient_is_that_of_the_cross_entropy(js):
    logits, temperature, label, step = np.array([1.2, -0.3, 0.4]), 0.8, 1, 1e-6

    def loss(z):
        return call(js, "softmax", "crossEntropy", z, temperature, label)

    slopes = [(loss(logits + step * e) - loss(logits - step * e)) / (2 * step) for e in np.eye(3)]
    ours = call(js, "softmax", "gradient", logits, temperature, label)
    np.testing.assert_allclose(ours, slopes, atol=1e-8)


SURFACES = ["quadratic", "rosenbrock", "wells"]
SETTINGS = {"eta": 0.02, "mu": 0.8, "scaled": 0.05}


@pytest.mark.parametrize("surface", SURFACES)
def test_slopes_are_those_of_the_surface(js, surface):
    point, kappa, step = np.array([-0.7, 0.4]), 12.0, 1e-5

    def height(theta):
        return js("descent_paths", f"math.surfaces.{surface}.loss({kappa}, {theta.tolist()})")

    slopes = [(height(point + step * e) - height(point - step * e)) / (2 * step) for e in np.eye(2)]
    ours = js("descent_paths", f"math.surfaces.{surface}.gradient({kappa}, {point.tolist()})")
    np.testing.assert_allclose(ours, slopes, rtol=1e-7)
    np.testing.assert_allclose(height(point), descent.loss(surface, kappa, point), **CLOSE)
    np.testing.assert_allclose(ours, descent.gradient(surface, kappa, point), **CLOSE)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("name", ["sgd", "momentum", "rmsprop", "adam"])
def test_paths_are_those_of_torch(js, surface, name):
    torch = pytest.importorskip("torch")
    theta = torch.tensor([-1.2, 0.8], dtype=torch.float64, requires_grad=True)
    optimiser = {
        "sgd": lambda: torch.optim.SGD([theta], lr=0.02),
        "momentum": lambda: torch.optim.SGD([theta], lr=0.02, momentum=0.8),
        "rmsprop": lambda: torch.optim.RMSprop([theta], lr=0.05),
        "adam": lambda: torch.optim.Adam([theta], lr=0.05),
    }[name]()
    points = [theta.detach().clone()]
    for _ in range(40):
        optimiser.zero_grad()
        descent.loss(surface, 12.0, theta).backward()
        optimiser.step()
        points.append(theta.detach().clone())
    theirs = torch.stack(points).numpy()
    ours = call(js, "descent_paths", "path", name, surface, 12.0, [-1.2, 0.8], SETTINGS, 40)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10)
    figure = live.descent_paths(
        surface, kappa=12, learning_rate=0.02, momentum=0.8, adaptive_learning_rate=0.05,
        start=(-1.2, 0.8), steps=40,
    )  # fmt: skip
    np.testing.assert_allclose(figure.path(name), theirs, rtol=1e-9, atol=1e-10)


def test_a_path_that_diverges_ends(js):
    settings = SETTINGS | {"eta": 0.9}
    points = call(js, "descent_paths", "path", "sgd", "quadratic", 25, [-2, 1], settings, 150)
    assert len(points) < 10
    assert np.hypot(*points[-2]) <= 1000 < np.hypot(*points[-1])
    figure = live.descent_paths(learning_rate=0.9)
    np.testing.assert_allclose(figure.path("sgd"), points, **CLOSE)
    assert f"gradient descent diverges, gone at step {len(points) - 1}" in figure.description()


@pytest.mark.parametrize(("eta", "mu"), [(0.07, 0.0), (0.03, 0.5), (0.07, 0.9), (0.12, 0.3)])
def test_the_theory_is_the_spectral_radius_of_the_iteration(js, eta, mu):
    kappa = 25.0
    radii = [
        np.abs(np.linalg.eigvals([[1 + mu - eta * curvature, -mu], [1.0, 0.0]])).max()
        for curvature in (1.0, kappa)
    ]
    ours = call(js, "descent_paths", "theoryRate", kappa, eta, mu)
    np.testing.assert_allclose(ours, max(radii), rtol=1e-9)


@pytest.mark.parametrize("kappa", [2.0, 25.0, 100.0])
def test_no_setting_beats_the_best_and_the_best_has_its_rate(js, kappa):
    grid = np.stack(np.meshgrid(np.linspace(0.001, 2, 80), np.linspace(0, 0.99, 80)), -1)
    pairs = json.dumps(grid.reshape(-1, 2).tolist())
    rates = js("descent_paths", f"{pairs}.map(([e, m]) => math.theoryRate({kappa}, e, m))")
    plain = np.reshape(rates, (80, 80))[0]  # momentum 0
    best = call(js, "descent_paths", "bestMomentum", kappa)
    root = np.sqrt(kappa)
    np.testing.assert_allclose(best["rate"], (root - 1) / (root + 1), **CLOSE)
    # the radius is a double root there, so that rounding of 1e-16 shows as its square root
    reached = call(js, "descent_paths", "theoryRate", kappa, best["eta"], best["mu"])
    np.testing.assert_allclose(reached, best["rate"], rtol=1e-7)
    assert min(rates) >= best["rate"] - 1e-9
    sgd = call(js, "descent_paths", "bestSgd", kappa)
    np.testing.assert_allclose(
        call(js, "descent_paths", "theoryRate", kappa, sgd["eta"], 0), sgd["rate"], **CLOSE
    )
    assert min(plain) >= sgd["rate"] - 1e-9


@pytest.mark.parametrize("name", ["sgd", "momentum"])
def test_the_measured_rate_is_near_the_theory(js, name):
    settings = {"eta": 0.07, "mu": 0.7, "scaled": 0.1}
    points = call(js, "descent_paths", "path", name, "quadratic", 25, [-2, 1], settings, 150)
    measured = call(js, "descent_paths", "measuredRate", points)
    theory = call(js, "descent_paths", "theoryRate", 25, 0.07, 0.7 if name == "momentum" else 0)
    assert measured == pytest.approx(theory, rel=0.01)  # an oscillation remains on the slope


def test_a_geometric_path_measures_its_ratio_until_it_vanishes(js):
    points = [[0.9**k * 3, 0.0] for k in range(60)]
    measured = call(js, "descent_paths", "measuredRate", points)
    assert measured == pytest.approx(0.9, rel=1e-12)
    assert call(js, "descent_paths", "measuredRate", [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]) == 0


def test_a_contour_lies_at_its_level(js):
    xs, ys = np.linspace(-2, 2, 41), np.linspace(-1, 1, 31)
    values = xs[None, :] + 2 * ys[:, None]  # linear, so that interpolation is exact
    segments = np.array(call(js, "descent_paths", "contour", values, xs, ys, 0.33))
    np.testing.assert_allclose(segments[..., 0] + 2 * segments[..., 1], 0.33, rtol=1e-9)
    length = np.linalg.norm(segments[:, 0] - segments[:, 1], axis=1).sum()
    ends = np.array([[2, (0.33 - 2) / 2], [-1.67, 1.0]])  # where the line leaves the window
    assert length == pytest.approx(np.linalg.norm(ends[0] - ends[1]), rel=1e-9)


PHI = {
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "sigmoid": (special.expit, lambda z: special.expit(z) * special.expit(-z)),
    "linear": (lambda z: z, np.ones_like),
}


def drawn_numbers(js, seed, depth):
    draw = f"const d = math.draw({seed}, {depth})"
    lists = "[d.x, d.top, ...d.weights].map((a) => [...a])"
    return js("signal_depth", f"(() => {{ {draw}; return {lists}; }})()")


def test_python_and_page_draw_the_same_normal_numbers(js):
    ours = js("signal_depth", "[...math.normals(11, 500)]")
    np.testing.assert_allclose(signals.normals(11, 500), ours, **CLOSE)
    many = signals.normals(11, 20_000)
    assert stats.kstest(many, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(many[:-1], many[1:])[0, 1]) < 4 / np.sqrt(len(many))
    assert not np.allclose(signals.normals(12, 500), ours)


@pytest.mark.parametrize("name", PHI)
def test_scales_are_those_of_the_network_in_numpy(js, name):
    gain, depth, n, m = 1.3, 6, 48, 16
    value, slope = PHI[name]
    drawn = drawn_numbers(js, 5, 6)
    X, G = (np.reshape(part, (m, n)) for part in drawn[:2])
    W = [gain / np.sqrt(n) * np.reshape(part, (n, n)) for part in drawn[2:]]
    outputs, inputs = [X], []
    for weights in W:
        inputs.append(np.einsum("ji,mi->mj", weights, outputs[-1]))
        outputs.append(value(inputs[-1]))
    grads = [G]
    for weights, Z in zip(W[::-1], inputs[::-1], strict=True):
        grads.append(np.einsum("ji,mj->mi", weights, slope(Z) * grads[-1]))
    forward = [np.sqrt(np.mean(o**2)) for o in outputs]
    backward = [np.sqrt(np.mean(g**2)) for g in grads[::-1]]
    ours = js("signal_depth", f"math.scales('{name}', {gain}, {depth}, math.draw(5, {depth}))")
    np.testing.assert_allclose(ours["forward"], forward, rtol=1e-9)
    np.testing.assert_allclose(ours["backward"], backward, rtol=1e-9)
    assert ours["flat"] == pytest.approx(np.mean([slope(Z) < 0.01 for Z in inputs]), abs=1e-12)
    figure = live.signal_depth(name, gain=gain, depth=depth, seed=5)
    np.testing.assert_allclose(figure.signals().forward, forward, rtol=1e-9)
    np.testing.assert_allclose(figure.signals().backward, backward, rtol=1e-9)


@pytest.mark.parametrize("name", PHI)
def test_the_gradient_sent_back_is_the_slope_of_what_went_forward(js, name):
    """The signal that goes back is the transpose of how the signal goes forward."""
    torch = pytest.importorskip("torch")
    depth, gain = 3, 1.1
    parts = drawn_numbers(js, 2, 3)
    x, top = (torch.tensor(p, dtype=torch.float64).reshape(16, 48) for p in parts[:2])
    x.requires_grad_()
    phi = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "linear": lambda z: z}
    o = x
    for part in parts[2:]:
        o = phi[name](
            o @ (gain / 48**0.5 * torch.tensor(part, dtype=torch.float64).reshape(48, 48)).T
        )
    (top * o).sum().backward()
    ours = js("signal_depth", f"math.scales('{name}', {gain}, {depth}, math.draw(2, {depth}))")
    np.testing.assert_allclose(ours["backward"][0], x.grad.pow(2).mean().sqrt(), rtol=1e-9)


@pytest.mark.parametrize("name", PHI)
@pytest.mark.parametrize("gain", [0.7, 1.5, 3.0])
def test_the_theory_of_wide_layers_is_the_gaussian_integral(js, name, gain):
    from scipy.integrate import quad

    value, slope = PHI[name]

    def mean(f, deviation):
        parts = [
            quad(lambda t: stats.norm.pdf(t) * f(np.array(deviation * t)), low, high)[0]
            for low, high in ((-9, 0), (0, 9))
        ]
        return sum(parts)

    forward, factors = [1.0], []
    for _ in range(3):
        deviation = gain * forward[-1]
        forward.append(np.sqrt(mean(lambda z: value(z) ** 2, deviation)))
        factors.append(gain * np.sqrt(mean(lambda z: slope(z) ** 2, deviation)))
    ours = call(js, "signal_depth", "theory", name, gain, 3, 1.0, 2.0)
    np.testing.assert_allclose(ours["forward"], forward, rtol=1e-5)
    wanted = 2.0 * np.cumprod([1.0, *factors[::-1]])[::-1]
    np.testing.assert_allclose(ours["backward"], wanted, rtol=1e-5)


@pytest.mark.parametrize(("name", "gain"), [("relu", np.sqrt(2)), ("linear", 1.0)])
def test_the_right_gain_keeps_the_scale_of_wide_layers(js, name, gain):
    ours = call(js, "signal_depth", "theory", name, gain, 40, 1.0, 1.0)
    np.testing.assert_allclose(ours["forward"], 1, rtol=1e-6)
    np.testing.assert_allclose(ours["backward"], 1, rtol=1e-6)


@pytest.mark.parametrize("y", [1.0, 0.25])
def test_both_passes_are_those_of_the_course(js, rng, y):
    from coursekit.backprop import SQUARED_ERROR, Activation, Affine, Network, gradient

    w, x = rng.uniform(-2, 2, 9), np.array([0.7, -1.1])
    ours = call(js, "backprop_graph", "run", w, x, y)
    layers = [Affine(w[:4].reshape(2, 2), w[4:6]), Activation("sigmoid")]
    layers += [Affine(w[6:8].reshape(1, 2), w[8:]), Activation("sigmoid")]
    theirs = gradient(Network(layers), x, [y], SQUARED_ERROR)
    flat = np.concatenate([p.ravel() for p in theirs.parameters])
    np.testing.assert_allclose(ours["loss"], theirs.loss, **CLOSE)
    np.testing.assert_allclose(ours["gx"], theirs.x, **CLOSE)
    np.testing.assert_allclose(call(js, "backprop_graph", "gradient", ours), flat, **CLOSE)
    figure = live.backprop_graph(w, x=x, y=y)
    np.testing.assert_allclose(figure.numbers().gradient, flat, **CLOSE)
    np.testing.assert_allclose(figure.numbers().loss, theirs.loss, **CLOSE)


def test_each_gradient_is_the_slope_of_the_loss(js):
    w, x, y, step = np.array(live.backprop_graph().weights), [1.0, -0.5], 1.0, 1e-5

    def losses(points):
        runs = f"{json.dumps(np.array(points).tolist())}.map((w) => math.run(w, {x}, {y}).loss)"
        return np.array(js("backprop_graph", runs))

    up, down = (losses(w + sign * step * np.eye(9)) for sign in (1, -1))
    run = call(js, "backprop_graph", "run", w, x, y)
    ours = call(js, "backprop_graph", "gradient", run)
    # central differences: an error of step² and of rounding over step, both near 1e-10
    np.testing.assert_allclose(ours, (up - down) / (2 * step), atol=1e-9)


def test_values_of_the_forward_pass_are_numpys(js):
    w = np.array(live.backprop_graph().weights)
    run = call(js, "backprop_graph", "run", w, [1.0, -0.5], 1.0)
    z1 = w[:4].reshape(2, 2) @ [1.0, -0.5] + w[4:6]
    np.testing.assert_allclose(run["z1"], z1, **CLOSE)
    np.testing.assert_allclose(run["o1"], special.expit(z1), **CLOSE)
    np.testing.assert_allclose(run["z2"], w[6:8] @ special.expit(z1) + w[8], **CLOSE)
    np.testing.assert_allclose(run["o2"], special.expit(run["z2"]), **CLOSE)
    figure = live.backprop_graph()
    np.testing.assert_allclose(figure.numbers().z1, z1, **CLOSE)
    np.testing.assert_allclose(figure.numbers().o2, run["o2"], **CLOSE)
