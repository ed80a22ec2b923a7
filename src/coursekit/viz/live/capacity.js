// Capacity: polynomials fitted to many noisy samples, and what their error is made of.

export const math = {
  truth: (x) => Math.sin(2 * Math.PI * x),

  /** m inputs, the middles of m equal parts of [0, 1] */
  inputs: (m) => range(m).map((i) => (i + 0.5) / m),

  /** a stream of standard normal numbers from a seed (mulberry32, then Box and Muller) */
  normals(seed) {
    let state = seed >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
    };
    return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  },

  /** polynomials of degree 0 … `degree` that are orthonormal over the inputs, as a function of x */
  basis(inputs, degree) {
    const dot = (a, b) => sum(a.map((v, i) => v * b[i]));
    const steps = []; // of Stieltjes' recurrence: p_k+1 = ((x - a) p_k - b p_k-1) / c
    let [previous, current] = [inputs.map(() => 0), inputs.map(() => 1 / Math.sqrt(inputs.length))];
    let b = 0;
    for (let k = 0; k < degree; k++) {
      const a = dot(current, current.map((v, i) => v * inputs[i]));
      const next = current.map((v, i) => (inputs[i] - a) * v - b * previous[i]);
      const c = Math.sqrt(dot(next, next));
      steps.push({ a, b, c });
      [previous, current, b] = [current, next.map((v) => v / c), c];
    }
    return (x) => {
      const values = [1 / Math.sqrt(inputs.length)];
      steps.forEach(({ a, b, c }, k) =>
        values.push(((x - a) * values[k] - b * (k ? values[k - 1] : 0)) / c),
      );
      return values;
    };
  },

  /** hat matrix: row per point of `grid`, column per input; a fit is this matrix times y */
  smoother(inputs, degree, grid) {
    const basis = math.basis(inputs, degree);
    const columns = inputs.map(basis);
    return grid.map((x) => {
      const row = basis(x);
      return columns.map((column) => sum(row.map((v, k) => v * column[k])));
    });
  },

  apply: (matrix, y) => matrix.map((row) => sum(row.map((v, i) => v * y[i]))),

  /** expected squared errors, averaged over `grid`, when only the noise is drawn again */
  decompose(m, degree, noise, grid) {
    const inputs = math.inputs(m);
    const f = inputs.map(math.truth);
    const hat = math.smoother(inputs, degree, grid);
    const mean = math.apply(hat, f);
    const average = (values) => sum(values) / values.length;
    const bias = average(mean.map((v, i) => (v - math.truth(grid[i])) ** 2));
    const variance = noise ** 2 * average(hat.map((row) => sum(row.map((v) => v * v))));
    const own = math.apply(math.smoother(inputs, degree, inputs), f);
    const training = average(own.map((v, i) => (v - f[i]) ** 2)) + (noise ** 2 * (m - degree - 1)) / m;
    return { bias, variance, noise: noise ** 2, total: bias + variance + noise ** 2, training };
  },
};

function render({ model, el }) {
  const { noise, sizes, highest, fits } = model.get("data");
  const test = math.inputs(100);
  const degrees = range(highest + 1);
  const kept = new Map();
  const curve = (m) => {
    if (!kept.has(m)) kept.set(m, degrees.map((d) => math.decompose(m, d, noise, test)));
    return kept.get(m);
  };
  const view = stage({
    model,
    el,
    title: "Capacity: bias, variance and their sum",
    lead:
      "Each thin curve is fitted to its own noisy sample of the same truth. Too few powers of x miss " +
      "it in the same way every time; too many follow the noise, each time another way.",
  });
  view.slider({ name: "degree", text: "Polynomial degree", min: 0, max: highest, step: 1, format: (d) => `${d}` });
  view.slider({
    name: "examples",
    text: "Training examples m",
    min: 0,
    max: sizes.length - 1,
    step: 1,
    format: (m) => `${m}`,
    value: (i) => sizes[i],
    position: (m) => sizes.indexOf(m),
  });
  const lowest = (m) => {
    const totals = curve(m).map((e) => e.total);
    return totals.indexOf(Math.min(...totals));
  };
  view.buttons(
    ["Go to the lowest expected error", () => view.write({ degree: lowest(model.get("examples")) })],
    ["Draw new samples", () => view.write({ seed: model.get("seed") + 1 })],
  );
  view.follow("seed", () => {});
  const show = {
    bias: view.readout("Bias²", "copper"),
    variance: view.readout("Variance", "teal"),
    noise: view.readout("Noise, cannot be reduced", "muted"),
    total: view.readout("Expected test error", "blue"),
    training: view.readout("Expected training error", "violet"),
  };
  const clips = ["fits", "errors"].map(view.id);

  view.start((width) => {
    const [degree, m, seed] = [model.get("degree"), model.get("examples"), model.get("seed")];
    const errors = curve(m);
    const now = errors[degree];
    for (const [name, write] of Object.entries(show)) write(fixed(now[name], 3));

    const wide = width >= 560;
    const side = wide ? (width - 22) / 2 : width;
    const grid = linspace(0, 1, 81);
    const inputs = math.inputs(m);
    const normal = math.normals(seed * 7919 + m);
    const hat = math.smoother(inputs, degree, grid);
    const samples = range(fits).map(() => inputs.map((x) => math.truth(x) + noise * normal()));
    const curves = samples.map((y) => math.apply(hat, y));
    const mean = grid.map((_, i) => sum(curves.map((c) => c[i])) / fits);

    const left = panel(
      { x: 0, y: 0, width: side, height: 316 },
      { x: [0, 1], y: [-1.9, 1.9], title: `${fits} fits`, unit: "dots: one of the samples", xlabel: "x", id: clips[0] },
    );
    const trace = (values, attributes) => path(values.map((v, i) => left.at([grid[i], v])), attributes);
    const picture =
      curves.map((c) => trace(c, 'class="ck-thin" stroke="var(--_blue)" opacity=".38"')).join("") +
      trace(grid.map(math.truth), 'class="ck-line" stroke="var(--_ink)" stroke-dasharray="7 4"') +
      trace(mean, 'class="ck-line" stroke="var(--_copper)"') +
      samples[0].map((y, i) => dot(left.at([inputs[i], y]), 2.8, 'fill="var(--_ink)" stroke="var(--_paper)"')).join("");
    const key = [
      ["truth", "ink", '7 4', 2.4],
      ["mean of the fits", "copper", "none", 2.4],
    ].map(([words, tone, dashes, weight], i) => {
      const [x, y] = [left.left + 8 + i * 84, left.bottom - 10];
      return `<path d="M${x} ${y}h24" stroke="var(--_${tone})" stroke-width="${weight}" stroke-dasharray="${dashes}"/>` + label(x + 30, y + 4, words, 'class="ck-halo"');
    });

    const top = wide ? { x: side + 22, y: 0 } : { x: 0, y: 330 };
    const ceiling = 0.72;
    const right = panel(
      { ...top, width: side, height: 316 },
      { x: [-0.5, highest + 0.5], y: [0, ceiling], title: "Expected error", unit: "noise + bias² + variance", xlabel: "degree", xticks: degrees.filter((d) => d % 2 === 0).map((d) => ({ at: d, text: `${d}` })), id: clips[1] },
    );
    const half = 0.36;
    const columns = errors.map((e, d) => {
      let base = 0;
      return [["noise", "muted", 0.45], ["bias", "copper", 1], ["variance", "teal", 1]]
        .map(([part, tone, opacity]) => {
          const [y0, y1] = [right.sy(base), right.sy(base + e[part])];
          base += e[part];
          const dim = d === degree ? opacity : opacity * 0.42;
          return `<rect x="${place(right.sx(d - half))}" y="${place(y1)}" width="${place(right.sx(half) - right.sx(-half))}" height="${place(y0 - y1)}" fill="var(--_${tone})" opacity="${dim.toFixed(2)}"/>`;
        })
        .join("");
    });
    const totals = errors.map((e, d) => right.at([d, e.total]));
    const trained = errors.map((e, d) => right.at([d, e.training]));
    const here = right.at([degree, Math.min(now.total, ceiling)]);
    return {
      height: wide ? 316 : 646,
      words:
        `Polynomials of degree ${degree} fitted to ${m} examples: bias squared ${fixed(now.bias, 3)}, variance ${fixed(now.variance, 3)}, ` +
        `noise ${fixed(now.noise, 3)}, expected test error ${fixed(now.total, 3)}, training error ${fixed(now.training, 3)}. ` +
        `The lowest expected test error for ${m} examples is at degree ${lowest(m)}.`,
      markup:
        left.axes +
        left.clip(picture) +
        key.join("") +
        right.axes +
        right.clip(
          columns.join("") +
            path(trained, 'class="ck-line" stroke="var(--_violet)" stroke-dasharray="1.5 4"') +
            path(totals, 'class="ck-line" stroke="var(--_blue)"') +
            dot(here, 6, 'fill="var(--_blue)" stroke="var(--_paper)" stroke-width="2"'),
        ) +
        label(right.right, right.top + 8, "line: test error; dotted: training error", 'text-anchor="end" class="ck-axis-label"'),
    };
  });
  return view.stop;
}

export default { render };
