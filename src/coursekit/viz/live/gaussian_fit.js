// Fit a Gaussian by hand: the likelihood of the data, and the distance to the best fit.

export const math = {
  logDensity: (x, mean, deviation) =>
    -0.5 * Math.log(2 * Math.PI) - Math.log(deviation) - (x - mean) ** 2 / (2 * deviation ** 2),

  /** log-likelihood divided by the number of examples, in nats */
  logLikelihood: (data, mean, deviation) =>
    sum(data.map((x) => math.logDensity(x, mean, deviation))) / data.length,

  /** the mean and standard deviation of highest likelihood */
  bestFit(data) {
    const mean = sum(data) / data.length;
    return { mean, deviation: Math.sqrt(sum(data.map((x) => (x - mean) ** 2)) / data.length) };
  },

  klDivergence: (p, q) =>
    Math.log(q.deviation / p.deviation) +
    (p.deviation ** 2 + (p.mean - q.mean) ** 2) / (2 * q.deviation ** 2) -
    0.5,

  /** average of log p - log q over draws of p, which are p.mean + p.deviation * noise */
  klMonteCarlo(p, q, noise) {
    const terms = noise.map((z) => {
      const x = p.mean + p.deviation * z;
      return math.logDensity(x, p.mean, p.deviation) - math.logDensity(x, q.mean, q.deviation);
    });
    const estimate = sum(terms) / terms.length;
    const variance = sum(terms.map((t) => (t - estimate) ** 2)) / (terms.length - 1);
    return { estimate, error: Math.sqrt(variance / terms.length) };
  },

  /** height of each bar: share of the data over the width of the bin */
  histogram(data, edges) {
    const bins = edges.length - 1;
    const counts = Array(bins).fill(0);
    for (const x of data) {
      const bin = edges.findIndex((edge, i) => i < bins && (x < edges[i + 1] || i === bins - 1));
      counts[bin] += 1;
    }
    return counts.map((n, i) => n / (data.length * (edges[i + 1] - edges[i])));
  },
};

function render({ model, el }) {
  const { values, edges, noise, quantity, sliders } = model.get("data");
  const best = math.bestFit(values);
  const top = math.logLikelihood(values, best.mean, best.deviation);
  const bars = math.histogram(values, edges);
  const digits = sliders.digits;
  const trail = [];

  const view = stage({
    model,
    el,
    title: "Fit a Gaussian by hand",
    lead:
      "Move the curve until the log-likelihood is as high as it goes. What it still lacks is the " +
      "Kullback-Leibler divergence from the best fit.",
  });
  view.slider({ name: "mean", text: "Mean μ", ...sliders.mean, format: (v) => fixed(v, digits) });
  view.slider({ name: "deviation", text: "Standard deviation σ", ...sliders.deviation, format: (v) => fixed(v, digits) });
  const forget = () => {
    trail.length = 0;
    view.request();
  };
  view.buttons(["Go to the maximum-likelihood fit", () => view.glide(best)], ["Clear the trail", forget]);
  const show = {
    likelihood: view.readout("Log-likelihood per example", "blue"),
    gap: view.readout("Below the maximum by", "copper"),
    exact: view.readout("KL from the best fit, closed form"),
    sampled: view.readout(`The same by Monte Carlo, ${noise.length} draws`),
  };
  const clips = [view.id("data"), view.id("trail")];

  view.start((width) => {
    const q = { mean: model.get("mean"), deviation: model.get("deviation") };
    const level = math.logLikelihood(values, q.mean, q.deviation);
    const kl = math.klMonteCarlo(best, q, noise);
    const exact = math.klDivergence(best, q);
    const last = trail.at(-1);
    if (!last || last[0] !== q.mean || last[1] !== level) trail.push([q.mean, level]);
    if (trail.length > 150) trail.shift();
    show.likelihood(`${fixed(level, 3)} nats`);
    show.gap(`${fixed(top - level, 3)} nats`);
    show.exact(`${fixed(exact, 3)} nats`);
    show.sampled(`${fixed(kl.estimate, 3)} ± ${fixed(kl.error, 3)} nats`);

    const wide = width >= 560;
    const left = { x: 0, y: 0, width: wide ? width * 0.56 : width, height: wide ? 320 : 250 };
    const right = wide
      ? { x: left.width + 22, y: 0, width: width - left.width - 22, height: 320 }
      : { x: 0, y: 266, width, height: 220 };
    const density = (x) => Math.exp(math.logDensity(x, q.mean, q.deviation));
    const ceiling = 1.25 * Math.max(...bars, 1 / (best.deviation * Math.sqrt(2 * Math.PI)));
    const data = panel(left, { x: sliders.window, y: [0, ceiling], title: "Data and density", xlabel: quantity, id: clips[0] });
    const grid = linspace(...sliders.window, 161);
    const curve = grid.map((x) => data.at([x, density(x)]));
    const rectangles = bars.map((height, i) => {
      const [x0, x1] = [data.sx(edges[i]), data.sx(edges[i + 1])];
      return `<rect x="${place(x0 + 0.5)}" y="${place(data.sy(height))}" width="${place(x1 - x0 - 1)}" height="${place(data.bottom - data.sy(height))}" class="ck-bar"/>`;
    });
    const rug = values.map((x) => `M${place(data.sx(x))} ${data.bottom - 1}v-8`).join("");
    const heights = values.length <= 80 ? values.map((x) => dot(data.at([x, density(x)]), 2.4, 'class="ck-mark"')) : [];

    const span = [sliders.mean.min, sliders.mean.max];
    const score = panel(right, {
      x: span,
      y: [top - 4, top + 0.3],
      title: "Log-likelihood",
      unit: "nats per example",
      xlabel: "mean μ",
      id: clips[1],
    });
    const parabola = linspace(...span, 81).map((m) => score.at([m, math.logLikelihood(values, m, q.deviation)]));
    const spots = trail.slice(0, -1).map((p, i) => dot(score.at(p), 2.6, `fill="var(--_copper)" opacity="${place(0.2 + (0.5 * i) / trail.length)}"`));
    const inside = level >= top - 4;
    const here = score.at([q.mean, Math.max(level, top - 4)]);
    const marker = inside
      ? dot(here, 6, 'class="ck-here"')
      : `<path d="M${here[0] - 6} ${here[1] - 12}h12l-6 10z" fill="var(--_copper)"/>`;
    return {
      height: wide ? 320 : 486,
      words:
        `Gaussian with mean ${fixed(q.mean, digits)} and standard deviation ${fixed(q.deviation, digits)} over ${values.length} examples. ` +
        `Log-likelihood ${fixed(level, 3)} nats per example, ${fixed(top - level, 3)} below the maximum.`,
      markup:
        data.axes +
        data.clip(
          rectangles.join("") +
            `<path d="${rug}" class="ck-rug"/>` +
            `<path d="${polyline([[data.left, data.bottom], ...curve, [data.right, data.bottom]])}Z" fill="var(--_blue)" opacity=".1"/>` +
            path(curve, 'class="ck-line" stroke="var(--_blue)"') +
            heights.join(""),
        ) +
        score.axes +
        score.clip(
          path(parabola, 'class="ck-thin" stroke="var(--_blue)"') +
            path([here, score.at([q.mean, top])], 'class="ck-thin" stroke="var(--_copper)"') + spots.join("") + marker,
        ) +
        `<path d="M${score.left} ${place(score.sy(top))}H${score.right}" class="ck-thin" stroke="var(--_teal)" stroke-dasharray="6 3"/>` +
        label(score.left + 5, score.sy(top) - 6, "highest possible", 'style="fill:var(--_teal)"'),
    };
  });
  return view.stop;
}

export default { render };
