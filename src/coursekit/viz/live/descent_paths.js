// Descent: four optimisers from one start, on a surface and with learning rates of the reader's choice.

export const math = {
  /** losses with kappa the steepness across the valley, and their gradients */
  surfaces: {
    quadratic: {
      loss: (k, [u, v]) => (u * u + k * v * v) / 2,
      gradient: (k, [u, v]) => [u, k * v],
    },
    rosenbrock: {
      loss: (k, [u, v]) => (1 - u) ** 2 + k * (v - u * u) ** 2,
      gradient: (k, [u, v]) => [-2 * (1 - u) - 4 * k * u * (v - u * u), 2 * k * (v - u * u)],
    },
    wells: {
      loss: (k, [u, v]) => ((u * u - 1) ** 2 + k * v * v) / 2,
      gradient: (k, [u, v]) => [2 * u * (u * u - 1), k * v],
    },
  },

  /** what one step takes from theta; each optimiser keeps what it remembers in `m` and `s` */
  optimisers: {
    sgd: (g, { eta }) => eta * g,
    momentum: (g, { eta, mu }, memory) => eta * (memory.m = mu * memory.m + g),
    rmsprop(g, { scaled }, memory) {
      memory.s = 0.99 * memory.s + 0.01 * g * g;
      return (scaled * g) / (Math.sqrt(memory.s) + 1e-8);
    },
    adam(g, { scaled }, memory, k) {
      memory.m = 0.9 * memory.m + 0.1 * g;
      memory.s = 0.999 * memory.s + 0.001 * g * g;
      const [m, s] = [memory.m / (1 - 0.9 ** k), memory.s / (1 - 0.999 ** k)];
      return (scaled * m) / (Math.sqrt(s) + 1e-8);
    },
  },

  /** theta_0, theta_1, …; ends early at a point farther out than 1000 */
  path(optimiser, surface, kappa, start, settings, steps) {
    const memory = start.map(() => ({ m: 0, s: 0 }));
    const points = [start];
    for (let k = 1; k <= steps && Math.hypot(...points[k - 1]) <= 1000; k++) {
      const slope = math.surfaces[surface].gradient(kappa, points[k - 1]);
      const update = math.optimisers[optimiser];
      points.push(points[k - 1].map((t, i) => t - update(slope[i], settings, memory[i], k)));
    }
    return points;
  },

  /** factor per step by which the distance to 0 shrinks: least squares on its logarithm, second half */
  measuredRate(points) {
    const tail = points.map((p, k) => [k, Math.log(Math.hypot(...p))]).slice(Math.floor(points.length / 2));
    const pairs = tail.filter(([, d]) => d > -600); // what is smaller nears the least number there is
    if (pairs.length < 2) return 0;
    const [x, y] = [0, 1].map((i) => sum(pairs.map((p) => p[i])) / pairs.length);
    const rise = sum(pairs.map(([a, b]) => (a - x) * (b - y)));
    return Math.exp(rise / sum(pairs.map(([a]) => (a - x) ** 2)));
  },

  /** spectral radius of heavy ball on curvatures 1 and kappa; without momentum that of plain descent */
  theoryRate(kappa, eta, mu) {
    const radius = (curvature) => {
      const b = 1 + mu - eta * curvature; // roots of x² - b x + mu
      const d = b * b - 4 * mu;
      return d < 0 ? Math.sqrt(mu) : (Math.abs(b) + Math.sqrt(d)) / 2;
    };
    return Math.max(radius(1), radius(kappa));
  },
  bestSgd: (kappa) => ({ eta: 2 / (kappa + 1), rate: (kappa - 1) / (kappa + 1) }),
  bestMomentum(kappa) {
    const rate = (Math.sqrt(kappa) - 1) / (Math.sqrt(kappa) + 1);
    return { eta: (2 / (Math.sqrt(kappa) + 1)) ** 2, mu: rate ** 2, rate };
  },

  /** segments of the contour f = level over a grid: linear along the edges of its cells */
  contour(values, xs, ys, level) {
    const segments = [];
    for (let j = 0; j + 1 < ys.length; j++)
      for (let i = 0; i + 1 < xs.length; i++) {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
        const crossings = [];
        corners.forEach(([a, b], n) => {
          const [c, d] = corners[(n + 1) % 4];
          const [p, q] = [values[b][a] - level, values[d][c] - level];
          if (p < 0 === q < 0) return;
          const t = p / (p - q);
          crossings.push([xs[a] + t * (xs[c] - xs[a]), ys[b] + t * (ys[d] - ys[b])]);
        });
        for (let n = 0; n + 1 < crossings.length; n += 2) segments.push([crossings[n], crossings[n + 1]]);
      }
    return segments;
  },
};

const SURFACES = {
  quadratic: { words: "Quadratic", formula: "½ (u² + κ v²)", across: [-2.25, 2.25], up: [-1.5, 1.5], minima: [[0, 0]], good: { kappa: 25, eta: 0.07, mu: 0.7, scaled: 0.1, u: -2, v: 1 } },
  rosenbrock: { words: "Rosenbrock", formula: "(1 − u)² + κ (v − u²)²", across: [-2.25, 2.25], up: [-1, 2], minima: [[1, 1]], good: { kappa: 20, eta: 0.005, mu: 0.9, scaled: 0.1, u: -1.5, v: 1 } },
  wells: { words: "Two wells and a saddle", formula: "½ ((u² − 1)² + κ v²)", across: [-2.25, 2.25], up: [-1.5, 1.5], minima: [[-1, 0], [1, 0]], good: { kappa: 10, eta: 0.1, mu: 0.8, scaled: 0.05, u: 0.05, v: 1 } },
};
const OPTIMISERS = {
  sgd: { words: "gradient descent", tone: "blue", dashes: "none", shape: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z" },
  momentum: { words: "momentum", tone: "copper", dashes: "7 4", shape: "M-4.5 -4.5h9v9h-9Z" },
  rmsprop: { words: "RMSProp", tone: "teal", dashes: "1.5 3.5", shape: "M0 -6L5.5 4.5H-5.5Z" },
  adam: { words: "Adam", tone: "violet", dashes: "9 3 2 3", shape: "M0 -6.5L5.5 0L0 6.5L-5.5 0Z" },
};
const MOST = 150;
const capital = (words) => words[0].toUpperCase() + words.slice(1);

function render({ model, el }) {
  const view = stage({
    model,
    el,
    dense: true,
    title: "Descent: four optimisers from one start",
    lead:
      "All four see the same exact gradient. Gradient descent and momentum multiply it by their " +
      "learning rate; RMSProp and Adam divide it by its own size first, so that their rate is a distance. κ is how much steeper the valley is across than along.",
  });
  view.radios({ name: "surface", text: "Surface", options: Object.entries(SURFACES).map(([key, s]) => [key, s.words]) });
  view.checks({
    name: "shown",
    text: "Optimisers",
    options: Object.entries(OPTIMISERS).map(([key, o]) => [key, capital(o.words), o.tone, o.dashes]),
  });
  const three = (value) => Number(value.toPrecision(3));
  const rate = (name, text) =>
    view.slider({ name, text, min: -3, max: 0, step: 0.02, format: (v) => `${three(v)}`, value: (v) => three(10 ** v), position: Math.log10 });
  view.slider({ name: "kappa", text: "Steepness κ", min: 2, max: 100, step: 1, format: (v) => `${v}` });
  rate("eta", "Learning rate η");
  view.slider({ name: "mu", text: "Momentum μ", min: 0, max: 0.99, step: 0.01, format: (v) => fixed(v, 3) });
  rate("scaled", "η, RMSProp and Adam");
  view.slider({ name: "u", text: "Start, u", min: -2, max: 2, step: 0.05, format: (v) => fixed(v, 2) });
  view.slider({ name: "v", text: "Start, v", min: -1, max: 1.5, step: 0.05, format: (v) => fixed(v, 2) });
  view.slider({ name: "steps", text: "Steps k", min: 1, max: MOST, step: 1, format: (v) => `${v}` });
  let before = model.get("surface");
  const suit = () => view.write(SURFACES[(before = model.get("surface"))].good);
  view.follow("surface", () => before === model.get("surface") || suit());
  const tune = (best) => {
    const kappa = model.get("kappa"); // a change of surface would set its own
    const { rate: _, ...goal } = best(kappa);
    view.write({ surface: "quadratic", kappa, ...goal });
  };
  view.buttons(
    ["Quadratic: best η and μ for momentum", () => tune(math.bestMomentum)],
    ["Quadratic: best η for gradient descent", () => tune(math.bestSgd)],
    ["Reset values", suit],
  );
  const show = Object.fromEntries(
    Object.entries(OPTIMISERS).map(([key, o]) => [key, view.readout(`Loss, ${o.words}`, o.tone)]),
  );
  const rates = {
    sgd: view.readout("Distance per step, gradient descent", "", "ck-broad"),
    momentum: view.readout("Distance per step, momentum", "", "ck-broad"),
    best: view.readout("Best for momentum, (√κ − 1) / (√κ + 1)"),
  };
  const drawn = new Map();
  const rings = (surface, kappa) => {
    const key = `${surface} ${kappa}`;
    if (!drawn.has(key)) {
      const [xs, ys] = [linspace(...SURFACES[surface].across, 91), linspace(...SURFACES[surface].up, 61)];
      const heights = ys.map((v) => xs.map((u) => math.surfaces[surface].loss(kappa, [u, v])));
      const top = Math.max(...heights.flat());
      drawn.set(key, range(9).map((n) => math.contour(heights, xs, ys, top * ((n + 0.6) / 9) ** 3)));
    }
    return drawn.get(key);
  };
  const clips = ["surface", "loss"].map(view.id);

  view.start((width) => {
    const [surface, kappa, mu, steps, shown] = ["surface", "kappa", "mu", "steps", "shown"].map((n) => model.get(n));
    const settings = { eta: model.get("eta"), scaled: model.get("scaled"), mu };
    const start = [model.get("u"), model.get("v")];
    const { across, up, minima, formula, words } = SURFACES[surface];
    const loss = (point) => math.surfaces[surface].loss(kappa, point);
    const runs = Object.entries(OPTIMISERS).map(([key, look]) => {
      const points = math.path(key, surface, kappa, start, settings, MOST);
      const losses = points.map(loss);
      const lost = points.length <= steps;
      const reading = lost ? `diverges, gone at step ${points.length - 1}` : short(losses[steps]);
      const rising = !lost && losses[steps] > losses[0];
      show[key](rising ? `${reading}, above the start` : reading);
      return { key, ...look, points, losses, lost, reading, here: points[Math.min(steps, points.length - 1)] };
    });
    const factor = (key, theory) => {
      const run = runs.find((r) => r.key === key);
      const measured = math.measuredRate(run.points.slice(0, steps + 1));
      return `× ${fixed(measured, 3)}, theory × ${fixed(theory, 3)}${theory > 1 ? ": it grows" : ""}`;
    };
    const only = "on the quadratic only";
    rates.sgd(surface === "quadratic" ? factor("sgd", math.theoryRate(kappa, settings.eta, 0)) : only);
    rates.momentum(surface === "quadratic" ? factor("momentum", math.theoryRate(kappa, settings.eta, mu)) : only);
    rates.best(surface === "quadratic" ? `× ${fixed(math.bestMomentum(kappa).rate, 3)}` : only);

    const wide = width >= 560;
    const side = wide ? width * 0.58 : width;
    const tall = ((side - 50) * (up[1] - up[0])) / (across[1] - across[0]) + 72; // one scale for u and v
    const left = { x: 0, y: 0, width: side, height: tall };
    const right = wide
      ? { x: side + 22, y: 0, width: width - side - 22, height: tall }
      : { x: 0, y: tall + 14, width, height: 240 };
    const map = panel(left, { x: across, y: up, title: words, unit: formula, xlabel: "u", id: clips[0] });
    const sheet = rings(surface, kappa).map(
      (segments, n) =>
        `<path d="${segments.map((s) => polyline(s.map(map.at))).join("")}" class="ck-thin" stroke="var(--_muted)" opacity="${(0.75 - 0.05 * n).toFixed(2)}"/>`,
    );
    const lowest = minima.map((p) => `<path d="M${place(map.sx(p[0]))} ${place(map.sy(p[1]))}m-5 0h10m-5 -5v10" class="ck-cursor"/>`);
    const seen = runs.filter((r) => shown.includes(r.key));
    const marker = ([x, y], { shape, tone }) =>
      `<path d="${shape}" transform="translate(${place(x)} ${place(y)})" fill="var(--_${tone})" stroke="var(--_paper)" stroke-width="1.5"/>`;
    const far = (p) => map.at(p.map((t) => clamp(t, -50, 50)));
    const trails = seen.map((r) => {
      const trail = r.points.slice(0, steps + 1).map(far);
      return (
        path(trail, `class="ck-line" stroke="var(--_${r.tone})" stroke-dasharray="${r.dashes}"`) +
        trail.map((p) => dot(p, 2, `fill="var(--_${r.tone})"`)).join("")
      );
    });
    const ends = seen.map((r) => marker(far(r.here), r));
    const origin = map.at(start);

    const exponents = [-12, -9, -6, -3, 0, 3];
    const curve = panel(right, {
      x: [0, MOST],
      y: [-12.5, 4],
      title: "Loss",
      unit: "log scale",
      xlabel: "step",
      yticks: exponents.map((e) => ({ at: e, text: `10${superscript(e)}` })),
      id: clips[1],
    });
    const level = (value) => clamp(Math.log10(Math.max(value, 1e-30)), -20, 20);
    const traces = seen.map((r) =>
      path(r.losses.map((v, k) => curve.at([k, level(v)])), `class="ck-line" stroke="var(--_${r.tone})" stroke-dasharray="${r.dashes}"`),
    );
    const spots = seen.filter((r) => !r.lost).map((r) => marker(curve.at([steps, Math.max(level(r.losses[steps]), -12.5)]), r));
    const gone = seen.filter((r) => r.points.length <= MOST).map((r, n) => {
      const x = Math.min(curve.sx(r.points.length - 1) + 6, curve.right - 150);
      return label(x, curve.top + 12 + 16 * n, `${capital(r.words)} diverges`, `class="ck-halo" style="fill:var(--_${r.tone})"`);
    });
    return {
      height: right.y + right.height,
      words:
        `${words}, steepness ${kappa}, from (${start.map((t) => fixed(t, 2)).join(", ")}), learning rate ${three(settings.eta)}, momentum ${fixed(mu, 3)}, ` +
        `learning rate of RMSProp and Adam ${three(settings.scaled)}. Loss at the start ${short(loss(start))}, after ${steps} steps: ` +
        (seen.map((r) => `${r.words} ${r.reading}`).join("; ") || "no optimiser is shown") + ".",
      markup:
        map.axes +
        map.clip(
          sheet.join("") + lowest.join("") + trails.join("") + ends.join("") +
            dot(origin, 5, 'fill="var(--_paper)" stroke="var(--_ink)" stroke-width="1.8"'),
        ) +
        label(map.left + 4, map.top + 6, "v", 'class="ck-axis-label ck-halo"') +
        label(origin[0] + 9, origin[1] - 8, "start", 'class="ck-halo"') +
        curve.axes +
        curve.clip(traces.join("")) +
        `<path d="M${place(curve.sx(steps))} ${curve.top}V${curve.bottom}" class="ck-cursor"/>` +
        spots.join("") +
        gone.join(""),
    };
  });
  return view.stop;
}

export default { render };
