"""Draw the landing page's board, `python book/_ext/draw_board.py`: everything on it is real.

The curve is the loss of a softmax regression on the handwritten digits, one point a step of
stochastic gradient descent; where it has settled it goes on as a copper trace; the tiles of the
chip are the pixels of a digit that it reads.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from coursekit.basics import softmax_cross_entropy, softmax_cross_entropy_gradient
from coursekit.data import load

OUT = Path(__file__).parents[1] / "_static" / "board.svg"
STEPS, BATCH, RATE = 110, 48, 1.0
LEFT, RIGHT, TOP, FLOOR = 46.0, 300.0, 40.0, 372.0  # the plot, in drawing units
DIE, TILE, GAP = (452.0, 150.0), 19.0, 3.0
PINS = 9


def losses() -> list[float]:
    """Loss of each mini-batch before its step."""
    digits = load("digits")
    X, y = np.c_[digits.X, np.ones(len(digits.y))], digits.y
    rng, W, found = np.random.default_rng(7), np.zeros((X.shape[1], 10)), []
    for _ in range(STEPS):
        rows = rng.choice(len(y), BATCH, replace=False)
        found.append(softmax_cross_entropy(X[rows] @ W, y[rows]))
        W -= RATE * X[rows].T @ softmax_cross_entropy_gradient(X[rows] @ W, y[rows])
    return found


def polyline(values: list[float]) -> str:
    """Path of the curve, loss 0 at the floor."""
    xs = np.linspace(LEFT, RIGHT, len(values))
    ys = FLOOR - (FLOOR - TOP) * np.asarray(values) / max(values)
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True))


def smooth(values: list[float], weight: float = 0.86) -> list[float]:
    """Exponential moving average, as one draws it over a noisy loss."""
    mean, found = values[0], []
    for value in values:
        mean = weight * mean + (1 - weight) * value
        found.append(mean)
    return found


def tiles() -> str:
    """The pixels of one handwritten 3, as compute tiles."""
    digits = load("digits")
    image = digits.X[np.flatnonzero(digits.y == 3)[0]].reshape(8, 8)
    squares = ""
    for (row, column), ink in np.ndenumerate(image):
        x, y = DIE[0] + column * (TILE + GAP), DIE[1] + row * (TILE + GAP)
        squares += f'<rect x="{x:g}" y="{y:g}" width="{TILE:g}" height="{TILE:g}" rx="2"'
        squares += f' fill-opacity="{0.07 + 0.93 * ink:.2f}"/>'
    return squares


def pins(side: float) -> str:
    """Short traces that leave the package on its free sides."""
    x0, y0 = DIE[0] - 24, DIE[1] - 24
    path = ""
    for i in range(PINS):
        at = 18 + i * (side - 36) / (PINS - 1)
        reach = 13 + 5 * (i % 3)
        path += f"M{x0 + at:.1f} {y0:.1f}v-{reach}M{x0 + at:.1f} {y0 + side:.1f}v{reach}"
        path += f"M{x0 + side:.1f} {y0 + at:.1f}h{reach}"
    return path


def board() -> str:
    """The whole drawing."""
    noisy = losses()
    curve = smooth(noisy)
    end_y = FLOOR - (FLOOR - TOP) * curve[-1] / max(curve)
    side = 8 * (TILE + GAP) - GAP + 48
    x0, y0 = DIE[0] - 24, DIE[1] - 24
    scale = max(noisy) / max(curve)  # both curves share one axis
    noisy_path = polyline([value / scale if scale < 1 else value for value in noisy])
    end = (RIGHT, end_y)
    run = x0 - end[0]
    rise = end_y - (y0 + side / 2)
    slant = 30.0
    trace = (
        f"M{end[0]:.1f} {end[1]:.1f}h{run / 2 - slant:.1f}l{slant:g} -{slant:g}"
        f"v-{rise - 2 * slant:.1f}l{slant:g} -{slant:g}h{run / 2 - slant:.1f}"
    )
    grid = "".join(f"M{LEFT} {y:.1f}H{RIGHT}" for y in np.linspace(TOP, FLOOR, 5)[1:-1])
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 430">
<path d="{grid}" fill="none" stroke="#d5d8d2" stroke-dasharray="2 5"/>
<path d="M{LEFT} {TOP - 14}V{FLOOR}H{RIGHT + 10}" fill="none" stroke="#5a6270" stroke-width="1.5"/>
<path d="{noisy_path}" fill="none" stroke="#2457c5" stroke-opacity=".45" stroke-width="1.4"/>
<path d="{pins(side)}" fill="none" stroke="#d5d8d2" stroke-width="3"/>
<rect x="{x0:g}" y="{y0:g}" width="{side:g}" height="{side:g}" rx="8"
 fill="#f3f4f1" stroke="#d5d8d2" stroke-width="2"/>
<g fill="#b24a12">{tiles()}</g>
<path class="ck-draw" pathLength="1" stroke-dasharray="1"
 d="{polyline(curve)}{trace.replace("M", "L", 1)}"
 fill="none" stroke="#b24a12" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/>
<circle cx="{x0:g}" cy="{y0 + side / 2:g}" r="8" fill="#fcfcfa" stroke="#b24a12" stroke-width="4"/>
</svg>
"""


if __name__ == "__main__":
    OUT.write_text(board(), encoding="utf-8")
    print(OUT)
