// Attention as an alignment: source words, target words, and how much each looks at each.

export const math = {
  /** weights with their logarithms divided by a temperature, each row a distribution again */
  sharpen(row, temperature) {
    const scores = row.map((a) => Math.log(Math.max(a, 1e-12)) / temperature);
    const top = Math.max(...scores);
    const exps = scores.map((s) => Math.exp(s - top));
    const total = sum(exps);
    return exps.map((e) => e / total);
  },
  argmax: (row) => row.indexOf(Math.max(...row)),
  /** exp of the entropy: how many words a row looks at */
  effective: (row) => Math.exp(-sum(row.map((a) => (a > 0 ? a * Math.log(a) : 0)))),
  /** pairs of target words whose source words stand in the other order */
  crossings(rows) {
    const at = rows.map(math.argmax);
    return sum(at.map((j, t) => at.slice(t + 1).filter((k) => k < j).length));
  },
};

function render({ model, el }) {
  const { pairs } = model.get("data");
  const longest = Math.max(...pairs.map((p) => p.target.length));
  const view = stage({
    model,
    el,
    title: "Attention as alignment",
    lead:
      "Each French word, as it is written, looks at the English words. A thick line is a large weight. " +
      "Where lines cross, the two languages order their words differently.",
  });
  view.radios({ name: "pair", text: "Sentence", options: pairs.map((p, k) => [k, p.source.filter((w) => !w.startsWith("<")).join(" ")]) });
  view.slider({
    name: "word",
    text: "French word",
    min: 1,
    max: longest,
    step: 1,
    format: (k) => {
      const words = pairs[model.get("pair")].target;
      const at = clamp(k, 1, words.length);
      return `${at} of ${words.length}: ${words[at - 1]}`;
    },
  });
  view.slider({ name: "temperature", text: "Temperature of the softmax", min: -2, max: 3, step: 0.1, format: (t) => fixed(t, 2), position: Math.log2, value: (v) => 2 ** v });
  const show = {
    looks: view.readout("Looks most at", "copper"),
    weight: view.readout("with weight"),
    width: view.readout("Number of words it looks at, exp of the entropy", "", "ck-broad"),
    cross: view.readout("Crossings among the strongest lines"),
  };

  view.start((width) => {
    const { source, target, weights } = pairs[model.get("pair")];
    const rows = weights.map((row) => math.sharpen(row, model.get("temperature")));
    const t = clamp(model.get("word"), 1, target.length) - 1;
    const best = math.argmax(rows[t]);
    show.looks(source[best]);
    show.weight(fixed(rows[t][best], 3));
    show.width(fixed(math.effective(rows[t]), 2));
    show.cross(`${math.crossings(rows)}`);

    const wide = width >= 600;
    const each = 30;
    const high = 34 + each * Math.max(source.length, target.length);
    const span = wide ? width * 0.5 : width;
    const gutter = (words) => Math.min(span * 0.34, 14 + 7.6 * Math.max(6, ...words.map((w) => w.length)));
    const left = gutter(source);
    const right = span - gutter(target);
    const y = (k, n) => 44 + each * (k + (Math.max(source.length, target.length) - n) / 2);
    const lines = rows.flatMap((row, k) =>
      row.map((a, j) =>
        a < 0.02 ? "" : path(
          [[left, y(j, source.length) - 4], [right, y(k, target.length) - 4]],
          `stroke="var(--_${k === t ? "copper" : "blue"})" stroke-width="${place(1 + 6 * a)}" opacity="${k === t ? 1 : place(0.08 + 0.3 * a)}" stroke-linecap="round"`,
        ),
      ),
    );
    const bold = (on) => (on ? 'class="ck-heading" style="fill:var(--_copper)"' : "");
    const words =
      source.map((w, j) => label(left - 8, y(j, source.length), w, `text-anchor="end" ${bold(j === best)}`)).join("") +
      target.map((w, k) => label(right + 8, y(k, target.length), w, bold(k === t))).join("");

    const grid = wide ? { x: width * 0.56, y: 0 } : { x: 0, y: high + 18 };
    const side = Math.min(26, (width - grid.x - gutter(target) - 10) / source.length);
    const origin = { x: grid.x + gutter(target), y: grid.y + 34 };
    const cells = rows.flatMap((row, k) =>
      row.map((a, j) =>
        `<rect x="${place(origin.x + side * j)}" y="${place(origin.y + 26 * k)}" width="${place(side - 1.5)}" height="24.5" fill="var(--_${k === t ? "copper" : "blue"})" opacity="${Math.round(100 * (0.05 + 0.95 * a)) / 100}"/>`,
      ),
    );
    const names =
      target.map((w, k) => label(origin.x - 7, origin.y + 26 * k + 17, w, `text-anchor="end" ${bold(k === t)}`)).join("") +
      source.map((_, j) => label(origin.x + side * (j + 0.5) - 1, origin.y + 26 * target.length + 16, `${j + 1}`, `text-anchor="middle" class="ck-tick" ${j === best ? 'style="fill:var(--_copper)"' : ""}`)).join("");
    const bottom = origin.y + 26 * target.length + 24;
    return {
      height: Math.max(high + 14, bottom),
      words:
        `${source.join(" ")} becomes ${target.join(" ")}. The word ${target[t]} looks at ` +
        `${rows[t].map((a, j) => [a, source[j]]).filter(([a]) => a >= 0.02).map(([a, w]) => `${w} ${fixed(a, 2)}`).join(", ")}. ` +
        `${math.crossings(rows)} crossings among the strongest lines; temperature ${fixed(model.get("temperature"), 2)}.`,
      markup:
        label(0, 14, "English", 'class="ck-heading"') +
        label(right + 8, 14, "French", 'class="ck-heading"') +
        lines.join("") + words +
        `<text x="${place(grid.x)}" y="${grid.y + 14}" class="ck-heading">Weights<tspan class="ck-unit" dx="7">columns: English words</tspan></text>` +
        cells.join("") + names,
    };
  });
  return view.stop;
}

export default { render };
