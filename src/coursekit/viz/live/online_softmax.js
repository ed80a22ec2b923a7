// Scores read tile by tile: a running peak, a running sum, a running average.

export const math = {
  /** The state after `read` tiles of `tile` scores; without `shrink`, as the mistake leaves it. */
  running(scores, values, tile, read, shrink = true) {
    let state = { peak: -Infinity, total: 0, out: 0, factor: 1, seen: 0 };
    for (let first = 0; first < Math.min(tile * read, scores.length); first += tile) {
      const here = scores.slice(first, first + tile);
      const peak = Math.max(state.peak, ...here);
      const factor = shrink ? Math.exp(state.peak - peak) : 1;
      const weights = here.map((s) => Math.exp(s - peak));
      state = {
        peak,
        factor,
        total: state.total * factor + sum(weights),
        out: state.out * factor + sum(weights.map((w, i) => w * values[first + i])),
        seen: Math.min(first + tile, scores.length),
      };
    }
    return state;
  },
  average(scores, values) {
    const peak = Math.max(...scores);
    const weights = scores.map((s) => Math.exp(s - peak));
    return sum(weights.map((w, i) => w * values[i])) / sum(weights);
  },
};

function render({ model, el }) {
  const { scores: given, values } = model.get("data");
  const n = given.length;
  const view = stage({
    model,
    el,
    title: "A softmax that reads its scores once",
    lead:
      "Read one tile of scores after another. A new peak makes every weight so far too large by the " +
      "same factor; one multiplication mends the sum and the average. Switch it off and see.",
  });
  view.slider({ name: "read", text: "Tiles read", min: 0, max: n, step: 1, format: (r) => `${r}` });
  view.slider({ name: "tile", text: "Scores in a tile", min: 1, max: 6, step: 1, format: (t) => `${t}` });
  view.slider({
    name: "steepness",
    text: "Scores times",
    min: 0.2,
    max: 3,
    step: 0.1,
    format: (s) => fixed(s, 1),
  });
  view.radios({
    name: "shrink",
    text: "When the peak moves",
    options: [
      [true, "shrink what was summed"],
      [false, "leave it (the mistake)"],
    ],
  });
  view.buttons(["Read one more tile", () => view.write({ read: Math.min(model.get("read") + 1, n) })]);
  const show = {
    peak: view.readout("Peak so far", "copper"),
    total: view.readout("Sum of weights"),
    factor: view.readout("Last factor"),
    running: view.readout("Running average", "blue"),
    exact: view.readout("Average over all scores"),
  };
  view.start((width) => {
    const [tile, read, steepness, shrink] = ["tile", "read", "steepness", "shrink"].map((name) => model.get(name));
    const scores = given.map((s) => s * steepness);
    const state = math.running(scores, values, tile, read, shrink);
    const exact = math.average(scores, values);
    const some = state.seen > 0;
    show.peak(some ? fixed(state.peak, 2) : "none yet");
    show.total(fixed(state.total, 3));
    show.factor(some ? fixed(state.factor, 3) : "none yet");
    show.running(some ? fixed(state.out / state.total, 3) : "none yet");
    show.exact(fixed(exact, 3));
    const wide = width >= 560;
    const each = wide ? width / 2 - 8 : width;
    const low = Math.min(0, ...scores);
    const high = Math.max(...scores) * 1.08;
    const columns = range(n).filter((k) => k % 3 === 2).map((k) => ({ at: k + 1, text: `${k + 1}` }));
    const left = panel(
      { x: 0, y: 0, width: each, height: 250 },
      { x: [0.4, n + 0.6], y: [low, high], title: "Scores", unit: "copper: the peak so far", xlabel: "key", xticks: columns, id: view.id("s") },
    );
    const right = panel(
      wide ? { x: each + 16, y: 0, width: each, height: 250 } : { x: 0, y: 262, width: each, height: 250 },
      { x: [0.4, n + 0.6], y: [0, 1.05], title: "Weights", unit: "of the scores read", xlabel: "key", xticks: columns, id: view.id("w") },
    );
    const bar = (frame, k, value, attributes) => {
      const [x0, x1] = [frame.sx(k + 0.65), frame.sx(k + 1.35)];
      const [y0, y1] = [frame.sy(0), frame.sy(value)];
      return `<rect x="${place(x0)}" y="${place(Math.min(y0, y1))}" width="${place(x1 - x0)}" height="${place(Math.abs(y1 - y0))}" ${attributes}/>`;
    };
    const fresh = (k) => k >= state.seen - (((state.seen - 1) % tile) + 1) && k < state.seen;
    const bars = scores.map((s, k) =>
      bar(left, k, s, k < state.seen ? `fill="var(--_blue)" opacity="${fresh(k) ? 1 : 0.55}"` : 'fill="var(--_rule)"'),
    );
    const weights = scores
      .slice(0, state.seen)
      .map((s, k) => bar(right, k, Math.exp(s - state.peak), `fill="var(--_blue)" opacity="${fresh(k) ? 1 : 0.55}"`));
    const line = some
      ? `<path d="M${left.left} ${place(left.sy(state.peak))}H${left.right}" stroke="var(--_copper)" stroke-width="2" stroke-dasharray="6 3" fill="none"/>`
      : "";
    return {
      height: wide ? 250 : 512,
      words: some
        ? `${state.seen} of ${n} scores are read. Peak ${fixed(state.peak, 2)}, sum ${fixed(state.total, 3)}, running average ${fixed(state.out / state.total, 3)}; over all scores ${fixed(exact, 3)}.`
        : `No score of ${n} is read yet; the average over all is ${fixed(exact, 3)}.`,
      markup: left.axes + bars.join("") + line + right.axes + weights.join(""),
    };
  });
  return view.stop;
}

export default { render };
