// Ridge and lasso: how the weights shrink, which vanish, and what that does to the error.

export const math = {
  /** solve A w = b for a symmetric positive definite A, by Gaussian elimination */
  solve(A, b) {
    const rows = A.map((row, i) => [...row, b[i]]);
    const n = b.length;
    for (let k = 0; k < n; k++)
      for (let i = k + 1; i < n; i++) {
        const factor = rows[i][k] / rows[k][k];
        for (let j = k; j <= n; j++) rows[i][j] -= factor * rows[k][j];
      }
    const w = Array(n).fill(0);
    for (let i = n - 1; i >= 0; i--)
      w[i] = (rows[i][n] - sum(range(n).map((j) => (j > i ? rows[i][j] * w[j] : 0)))) / rows[i][i];
    return w;
  },

  /** minimiser of mean squared error + gamma |w|^2, from G = X'X/m and c = X'y/m */
  ridge: (G, c, gamma) =>
    math.solve(G.map((row, i) => row.map((g, j) => g + (i === j ? gamma : 0))), c),

  /** minimiser of mean squared error + gamma |w|_1, by coordinate descent from `start` */
  lasso(G, c, gamma, start) {
    const w = start ? [...start] : c.map(() => 0);
    for (let sweep = 0; sweep < 5000; sweep++) {
      let moved = 0;
      for (let j = 0; j < c.length; j++) {
        const rho = c[j] - sum(G[j].map((g, k) => (k === j ? 0 : g * w[k])));
        const next = (Math.sign(rho) * Math.max(0, Math.abs(rho) - gamma / 2)) / G[j][j];
        moved = Math.max(moved, Math.abs(next - w[j]));
        w[j] = next;
      }
      if (moved < 1e-10) break;
    }
    return w;
  },

  /** mean squared error of the weights on the data behind {G, c, yy} */
  error: ({ G, c, yy }, w) =>
    yy - 2 * sum(w.map((v, i) => v * c[i])) + sum(w.map((v, i) => v * sum(w.map((u, j) => G[i][j] * u)))),

  /** the weights for each gamma, from the largest down, each started at its neighbour */
  path(kind, { G, c }, gammas) {
    const weights = Array(gammas.length);
    let w = c.map(() => 0);
    for (let k = gammas.length - 1; k >= 0; k--)
      weights[k] = w = kind === "lasso" ? math.lasso(G, c, gammas[k], w) : math.ridge(G, c, gammas[k]);
    return weights;
  },

  /** points of the ellipse on which a two-weight error stands `rise` above its minimum */
  ellipse(G, centre, rise, n = 72) {
    const [a, b, d] = [G[0][0], G[0][1], G[1][1]];
    const l11 = Math.sqrt(a); // G = L L', and the ellipse is centre + sqrt(rise) L'^-1 (cos, sin)
    const l21 = b / l11;
    const l22 = Math.sqrt(d - l21 * l21);
    return range(n + 1).map((i) => {
      const angle = (2 * Math.PI * i) / n;
      const v = (Math.sqrt(rise) * Math.sin(angle)) / l22;
      const u = (Math.sqrt(rise) * Math.cos(angle) - l21 * v) / l11;
      return [centre[0] + u, centre[1] + v];
    });
  },

  /** points of the ball |w| <= radius in the norm of the regulariser */
  ball: (kind, radius, n = 72) =>
    kind === "lasso"
      ? [[radius, 0], [0, radius], [-radius, 0], [0, -radius], [radius, 0]]
      : range(n + 1).map((i) => [radius * Math.cos((2 * Math.PI * i) / n), radius * Math.sin((2 * Math.PI * i) / n)]),
};

const COLOURS = ["blue", "copper", "teal", "violet", "gold", "rose"];

/** Push labels apart until each has room, keeping their order and the limits. */
function spread(positions, gap, top, bottom) {
  const order = positions.map((y, i) => [y, i]).sort((a, b) => a[0] - b[0]);
  let last = top - gap;
  for (const entry of order) last = entry[0] = Math.max(entry[0], last + gap);
  last = bottom + gap;
  for (const entry of order.reverse()) last = entry[0] = Math.min(entry[0], last - gap);
  const placed = Array(positions.length);
  for (const [y, i] of order) placed[i] = y;
  return placed;
}

function render({ model, el }) {
  const { names, train, validation, pair, low, high } = model.get("data");
  const exponents = linspace(low, high, 91);
  const gammas = exponents.map((e) => 10 ** e);
  const kinds = Object.fromEntries(
    ["ridge", "lasso"].map((kind) => {
      const weights = math.path(kind, train, gammas);
      return [kind, {
        weights,
        train: weights.map((w) => math.error(train, w)),
        validation: weights.map((w) => math.error(validation, w)),
      }];
    }),
  );
  const all = Object.values(kinds);
  const reach = Math.max(...all.flatMap((k) => k.weights.flat().map(Math.abs))) * 1.08;
  const errors = all.flatMap((k) => [...k.train, ...k.validation]);
  const room = (Math.max(...errors) - Math.min(...errors)) * 0.08;
  const two = {
    G: pair.map((i) => pair.map((j) => train.G[i][j])),
    c: pair.map((i) => train.c[i]),
    yy: train.yy,
  };
  const centre = math.solve(two.G, two.c);

  const view = stage({
    model,
    el,
    title: "Ridge and lasso: the price of large weights",
    lead:
      "Raise γ and watch the weights shrink. Ridge pulls all of them towards zero; lasso sets one " +
      "after the other to zero, at the corners of its ball.",
  });
  view.radios({ name: "kind", text: "Regulariser", options: [["ridge", "ridge, γ‖w‖²"], ["lasso", "lasso, γ‖w‖₁"]] });
  view.slider({
    name: "exponent",
    text: "Regularisation weight, log₁₀ γ",
    min: low,
    max: high,
    step: 0.05,
    format: (e) => `${fixed(e, 2)}, γ = ${(10 ** e).toPrecision(2)}`,
  });
  const valley = () => {
    const curve = kinds[model.get("kind")].validation;
    return exponents[curve.indexOf(Math.min(...curve))];
  };
  view.buttons(["Go to the lowest validation error", () => view.glide({ exponent: valley() })]);
  const show = {
    count: view.readout("Weights that are not zero"),
    train: view.readout("Training error", "blue"),
    validation: view.readout("Validation error", "copper"),
    best: view.readout("Lowest validation error, at log₁₀ γ"),
  };
  const clips = ["path", "error", "ball"].map(view.id);

  view.start((width) => {
    const [kind, exponent] = [model.get("kind"), model.get("exponent")];
    const gamma = 10 ** exponent;
    const w = math[kind](train.G, train.c, gamma);
    const error = [math.error(train, w), math.error(validation, w)];
    const alive = w.filter((v) => Math.abs(v) > 1e-9).length;
    const { weights, ...curves } = kinds[kind];
    const best = valley();
    show.count(`${alive} of ${w.length}`);
    show.train(fixed(error[0], 3));
    show.validation(fixed(error[1], 3));
    show.best(`${fixed(Math.min(...curves.validation), 3)}, at ${fixed(best, 2)}`);

    const wide = width >= 560;
    const side = wide ? width * 0.56 : width;
    const square = (wide ? width - side - 22 : width) + 22; // makes the ball's panel square inside
    const boxes = wide
      ? {
          path: { x: 0, y: 0, width: side, height: square },
          ball: { x: side + 22, y: 0, width: width - side - 22, height: square },
          error: { x: 0, y: square + 14, width, height: 190 },
        }
      : {
          path: { x: 0, y: 0, width, height: 280 },
          ball: { x: 0, y: 290, width, height: square },
          error: { x: 0, y: 304 + square, width, height: 190 },
        };
    const gutter = wide ? 0.6 : 0.85; // room for the names, in decades
    const across = { x: [low - gutter, high], xlabel: "log₁₀ γ", xticks: ticks(low, high, 5) };
    const paths = panel(boxes.path, { ...across, y: [-reach, reach], title: "Weights", unit: "standardised features", id: clips[0] });
    const cursor = (p) => `<path d="M${place(p.sx(exponent))} ${p.top}V${p.bottom}" class="ck-cursor"/>`;
    const tint = (j) => `var(--_${COLOURS[j % 6]})`;
    const dash = (j) => (j < 6 ? "" : ' stroke-dasharray="6 3"');
    const lines = names.map((_, j) =>
      path(weights.map((row, k) => paths.at([exponents[k], row[j]])), `class="ck-line" stroke="${tint(j)}"${dash(j)}`),
    );
    const marks = w.map((v, j) => dot(paths.at([exponent, v]), 4, `fill="${tint(j)}" stroke="var(--_paper)" stroke-width="1.5"`));
    const strong = range(names.length).sort((a, b) => Math.abs(weights[0][b]) - Math.abs(weights[0][a])).slice(0, wide ? 10 : 8);
    const heights = spread(strong.map((j) => paths.sy(weights[0][j]) + 4), 14, paths.top + 8, paths.bottom - 8);
    const tags = strong.map((j, k) => label(paths.sx(low) - 6, heights[k], names[j], `text-anchor="end" style="fill:${tint(j)}"`));

    const loss = panel(boxes.error, {
      ...across,
      x: [low, high],
      y: [Math.min(...errors) - room, Math.max(...errors) + room],
      title: "Error",
      unit: "mean square, 1 = predict the mean",
      id: clips[1],
    });
    const errorCurve = (values, colour, extra = "") =>
      path(values.map((v, k) => loss.at([exponents[k], v])), `class="ck-line" stroke="var(--_${colour})" ${extra}`);

    const solution = math[kind](two.G, two.c, gamma);
    const size = kind === "lasso" ? sum(solution.map(Math.abs)) : Math.hypot(...solution);
    const extent = 1.15 * Math.max(sum(centre.map(Math.abs)), 0.05);
    const ball = panel(boxes.ball, {
      x: [-extent, extent],
      y: [-extent, extent],
      title: "Two weights alone",
      unit: "ball meets contour",
      xlabel: names[pair[0]],
      id: clips[2],
    });
    const rise = math.error(two, solution) - math.error(two, centre);
    const far = two.yy - math.error(two, centre); // how far the error rises on the way to zero
    const rings = [0.04, 0.16, 0.36, 0.64, 1].map((s) =>
      path(math.ellipse(two.G, centre, far * s).map(ball.at), 'class="ck-thin" stroke="var(--_muted)" opacity=".55"'),
    );
    const touching = path(math.ellipse(two.G, centre, Math.max(rise, 1e-9)).map(ball.at), 'class="ck-line" stroke="var(--_ink)"');
    const shape = polyline(math.ball(kind, size).map(ball.at));
    return {
      height: boxes.error.y + boxes.error.height,
      words:
        `${kind === "lasso" ? "Lasso" : "Ridge"} at log10 gamma ${fixed(exponent, 2)}: ${alive} of ${w.length} weights are not zero, ` +
        `training error ${fixed(error[0], 3)}, validation error ${fixed(error[1], 3)}. ` +
        `The lowest validation error is at ${fixed(best, 2)}.`,
      markup:
        paths.axes +
        paths.clip(lines.join("")) +
        tags.join("") +
        cursor(paths) +
        marks.join("") +
        loss.axes +
        loss.clip(errorCurve(curves.train, "blue") + errorCurve(curves.validation, "copper", 'stroke-dasharray="7 3"')) +
        cursor(loss) +
        label(loss.left + 8, loss.top + 12, "training", 'style="fill:var(--_blue)"') +
        label(loss.left + 72, loss.top + 12, "validation, dashed", 'style="fill:var(--_copper)"') +
        dot(loss.at([best, Math.min(...curves.validation)]), 4, 'fill="none" stroke="var(--_copper)" stroke-width="1.6"') +
        dot(loss.at([exponent, error[0]]), 4.5, 'fill="var(--_blue)" stroke="var(--_paper)" stroke-width="1.5"') +
        dot(loss.at([exponent, error[1]]), 4.5, 'fill="var(--_copper)" stroke="var(--_paper)" stroke-width="1.5"') +
        ball.axes +
        ball.clip(
          `<path d="M${ball.left} ${place(ball.sy(0))}H${ball.right}M${place(ball.sx(0))} ${ball.top}V${ball.bottom}" class="ck-axis"/>` +
            `<path d="${shape}Z" fill="var(--_teal)" fill-opacity=".2" stroke="var(--_teal)" class="ck-line"/>` +
            rings.join("") +
            touching +
            dot(ball.at(centre), 3.5, 'fill="var(--_ink)"') +
            label(ball.sx(centre[0]) + 9, ball.sy(centre[1]) - 3, "γ = 0", 'class="ck-halo"') +
            dot(ball.at(solution), 6, 'class="ck-here"'),
        ) +
        label(ball.sx(0) + 6, ball.top + 8, names[pair[1]], 'class="ck-axis-label ck-halo"'),
    };
  });
  return view.stop;
}

export default { render };
