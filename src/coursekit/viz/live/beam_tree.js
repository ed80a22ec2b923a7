// Beam search, step by step, in a language small enough to try every sentence.

export const math = {
  /** a sentence's score: log-probability over a penalty that grows with its length, the end included */
  score: (logp, length, alpha) => logp / ((5 + length) / 6) ** alpha,

  /**
   * All steps of a beam search. `logs[a][b]` is log p(b | a); word 0 starts, the last one ends.
   * A step has every candidate, sorted, those kept marked; finished sentences leave the beam
   * and make it narrower.
   */
  search(logs, width, length, alpha) {
    const end = logs.length - 1;
    let beam = [{ words: [0], logp: 0, parent: -1 }];
    const steps = [];
    const finished = [];
    for (let t = 1; t <= length && beam.length; t++) {
      const all = beam.flatMap(({ words, logp }, parent) =>
        logs[words[words.length - 1]].map((l, b) => ({ words: [...words, b], logp: logp + l, parent })),
      ).filter(({ words, logp }) => Number.isFinite(logp) && words[t] !== 0 && (t < length || words[t] === end));
      all.sort((a, b) => b.logp - a.logp);
      all.forEach((candidate, rank) => (candidate.kept = rank < width - finished.length));
      const kept = all.filter((c) => c.kept);
      finished.push(...kept.filter(({ words }) => words[t] === end));
      beam = kept.filter(({ words }) => words[t] !== end);
      steps.push(all);
    }
    const best = finished.length ? finished.reduce((a, b) => (math.score(b.logp, b.words.length - 1, alpha) > math.score(a.logp, a.words.length - 1, alpha) ? b : a)) : null;
    return { steps, finished, best };
  },

  /** every sentence up to `length` words, the end included: the oracle */
  everything(logs, length, alpha) {
    return math.search(logs, Infinity, length, alpha);
  },
};

function render({ model, el }) {
  const { tokens, logs, length } = model.get("data");
  const table = logs.map((row) => row.map((l) => (l === null ? -Infinity : l)));
  const end = tokens.length - 1;
  const say = (c) => c.words.slice(1).filter((w) => w !== end).map((w) => tokens[w]).join(" ");
  const view = stage({
    model,
    el,
    title: "Beam search, step by step",
    lead:
      "At each step every kept beginning is continued with every word, and only the best few are kept. " +
      "This language is small enough to try all sentences, so you can see what the search misses.",
  });
  view.slider({ name: "width", text: "Beam width", min: 1, max: 4, step: 1, format: (k) => (k === 1 ? "1, greedy" : `${k}`) });
  view.slider({ name: "step", text: "Step", min: 1, max: length, step: 1, format: (t) => `${t} of ${length}` });
  view.slider({ name: "alpha", text: "Length penalty α", min: 0, max: 1.5, step: 0.1, format: (a) => fixed(a, 1) });
  const next = (by) => () => view.write({ step: clamp(model.get("step") + by, 1, length) });
  view.buttons(["Next step", next(1)], ["Step back", next(-1)]);
  const show = {
    found: view.readout("Best sentence found", "copper", "ck-broad"),
    score: view.readout("its score"),
    best: view.readout("Best sentence of all", "", "ck-broad"),
    top: view.readout("its score"),
    work: view.readout("Beginnings scored"),
  };

  view.start((width) => {
    const [k, step, alpha] = ["width", "step", "alpha"].map((name) => model.get(name));
    const { steps, finished, best } = math.search(table, k, length, alpha);
    const all = math.everything(table, length, alpha);
    const points = (c) => (c ? fixed(math.score(c.logp, c.words.length - 1, alpha), 3) : "none");
    const done = finished.filter((c) => c.words.length - 1 <= step);
    const over = step >= steps.length;
    show.found(over ? (best ? say(best) : "no sentence ended") : "not yet known");
    show.score(over ? points(best) : "not yet known");
    show.best(say(all.best));
    show.top(points(all.best));
    show.work(`${sum(steps.slice(0, step).map((s) => s.length))} of ${sum(all.steps.map((s) => s.length))}`);

    const most = Math.max(...steps.map((s) => s.length));
    const wide = width >= 560;
    const each = 22;
    const column = (width - 30) / length;
    const shown = steps.slice(0, step);
    const at = (t, rank) => ({ x: 26 + column * t, y: 56 + each * rank });
    const start = { x: 8, y: 56 + each * Math.min(2, (most - 1) / 2) };
    const edges = [];
    const marks = [dot([start.x, start.y - 4], 4, 'fill="var(--_ink)"')];
    let places = [start];
    shown.forEach((list, t) => {
      const after = [];
      list.forEach((c, rank) => {
        const { x, y } = at(t, rank);
        const from = places[c.parent];
        const tone = c.kept ? (best && over && best.words.slice(0, t + 2).join() === c.words.join() ? "copper" : "blue") : "muted";
        edges.push(path([[from.x, from.y - 4], [x - 4, y - 4]], `stroke="var(--_${c.kept ? tone : "rule"})" stroke-width="${c.kept ? 2 : 1}"`));
        const word = c.words[t + 1] === end ? "[end]" : tokens[c.words[t + 1]];
        const figures = wide ? ` ${fixed(math.score(c.logp, t + 1, alpha), 2)}` : "";
        marks.push(
          `<text x="${place(x)}" y="${y}" class="${c.kept ? "ck-heading" : "ck-tick"} ck-halo" style="font-size:12px;fill:var(--_${tone})">${esc(word)}<tspan class="ck-unit" style="font-size:11px">${esc(figures)}</tspan></text>`,
        );
        if (c.kept && c.words[t + 1] !== end) after.push({ x: Math.min(x + 7.2 * word.length + (wide ? 36 : 2), x + column - 10), y });
      });
      places = after;
    });
    const heads = shown.map((list, t) => {
      const best = fixed(math.score(list[0].logp, t + 1, alpha), 2);
      return label(26 + column * t, 32, wide ? `word ${t + 1}` : best, 'class="ck-tick"');
    });
    return {
      height: 62 + each * most,
      words:
        `Beam width ${k}, step ${step} of ${length}, length penalty ${fixed(alpha, 1)}. Kept: ` +
        `${shown[shown.length - 1].filter((c) => c.kept).map((c) => `${say(c) || "nothing"}${c.words[c.words.length - 1] === end ? ", ended," : ""} ${fixed(c.logp, 2)}`).join("; ")}. ` +
        `${done.length} finished. ${over ? `Best found: ${best ? say(best) : "none"}, score ${points(best)}; ` : ""}best of all: ${say(all.best)}, score ${points(all.best)}.`,
      markup:
        `<text x="0" y="14" class="ck-heading">Every beginning, best first${wide ? '<tspan class="ck-unit" dx="7">with log p over the length penalty; bold: kept</tspan>' : ""}</text>` +
        heads.join("") + edges.join("") + marks.join(""),
    };
  });
  return view.stop;
}

export default { render };
