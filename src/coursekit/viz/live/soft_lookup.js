// Attention as a soft lookup: one query, a few keys in the plane, the weights and the mean they make.

export const math = {
  /** weights of the keys that may be seen; zero for the others, and all zero if there is none */
  weights(query, keys, sharpness, seen) {
    const scores = keys.map((k, j) => (seen[j] ? sharpness * (query[0] * k[0] + query[1] * k[1]) : -Infinity));
    const top = Math.max(...scores);
    if (top === -Infinity) return scores.map(() => 0);
    const raised = scores.map((s) => Math.exp(s - top)); // no exponent above zero
    const total = sum(raised);
    return raised.map((r) => r / total);
  },
  entropy: (weights) => -sum(weights.map((w) => (w > 0 ? w * Math.log(w) : 0))),
  output: (weights, values) => sum(weights.map((w, j) => w * values[j])),
};

function render({ model, el }) {
  const { names, keys, values } = model.get("data");
  const view = stage({
    model,
    el,
    title: "Attention: a lookup that gives a mean",
    lead:
      "Turn and stretch the query. Each key's weight grows with its inner product with the query; the output " +
      "is the mean of the values under these weights. A key that may not be seen gets weight zero.",
  });
  view.slider({ name: "angle", text: "Direction of the query", min: -180, max: 180, step: 5, format: (v) => `${fixed(v, 0)}°` });
  view.slider({ name: "length", text: "Its length", min: 0, max: 3, step: 0.1, format: (v) => fixed(v, 1) });
  view.slider({
    name: "sharpness",
    text: "Scale of the scores",
    min: -3,
    max: 4,
    step: 0.25,
    format: (v) => `× ${fixed(v, 2)}`,
    position: Math.log2,
    value: (v) => 2 ** v,
  });
  view.checks({ name: "seen", text: "Keys that may be seen", options: names.map((n, j) => [j, n, "blue", "none"]) });
  view.buttons(
    ["A query of length 0", () => view.glide({ length: 0 })],
    ["Back to the start", () => view.glide({ angle: 20, length: 1.5, sharpness: 1 })],
  );
  const show = {
    output: view.readout("Output: mean of the values", "copper"),
    entropy: view.readout("Entropy of the weights"),
    many: view.readout("As if so many keys shared equally"),
    first: view.readout("Largest weight"),
  };

  view.start((width) => {
    const [angle, length, sharpness, list] = ["angle", "length", "sharpness", "seen"].map((n) => model.get(n));
    const turn = (angle * Math.PI) / 180;
    const query = [length * Math.cos(turn), length * Math.sin(turn)];
    const w = math.weights(query, keys, sharpness, names.map((_, j) => list.includes(j)));
    const output = math.output(w, values);
    const entropy = math.entropy(w);
    const best = w.indexOf(Math.max(...w));
    const none = list.length === 0;
    show.output(none ? "0, nothing to see" : fixed(output, 2));
    show.entropy(`${fixed(entropy, 3)} nats`);
    show.many(none ? "none" : fixed(Math.exp(entropy), 2));
    show.first(none ? "none" : `${names[best]}, ${fixed(w[best], 3)}`);

    const wide = width >= 560;
    const side = wide ? Math.min(320, width * 0.46) : Math.min(300, width);
    const reach = 3;
    const at = ([x, y]) => [side / 2 + (x / reach) * (side / 2 - 8), 24 + side / 2 - (y / reach) * (side / 2 - 8)];
    const origin = at([0, 0]);
    const tip = at(query);
    const arrow = (from, to, attributes) => {
      const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
      const far = Math.hypot(dx, dy);
      if (far < 3) return "";
      const [ux, uy] = [dx / far, dy / far];
      const wing = (s) => [to[0] - 8 * ux + s * 4.5 * uy, to[1] - 8 * uy - s * 4.5 * ux];
      return path([from, to], attributes) + path([wing(1), to, wing(-1)], attributes);
    };
    const plane = keys
      .map((k, j) => {
        const p = at(k);
        const tone = list.includes(j) ? "blue" : "muted";
        const above = k[1] >= 0 ? -1 : 1;
        return (
          path([origin, p], `stroke="var(--_${tone})" stroke-width="1.2" stroke-dasharray="2 4"`) +
          dot(p, place(3 + 13 * Math.sqrt(w[j])), `fill="var(--_${tone})" opacity=".85"`) +
          label(p[0], p[1] + above * (10 + 13 * Math.sqrt(w[j])) + (above > 0 ? 8 : 0), names[j], 'text-anchor="middle" class="ck-halo"')
        );
      })
      .join("");
    const bars = { left: wide ? side + 110 : 74, right: width - 96, top: wide ? 40 : side + 66 };
    const each = 34;
    const rows = names
      .map((name, j) => {
        const y = bars.top + each * j;
        const end = bars.left + w[j] * (bars.right - bars.left);
        return (
          label(bars.left - 10, y + 15, name, 'text-anchor="end"') +
          `<rect x="${bars.left}" y="${y}" width="${place(bars.right - bars.left)}" height="20" rx="3" fill="var(--_rule)" opacity=".45"/>` +
          `<rect x="${bars.left}" y="${y}" width="${place(Math.max(0.5, end - bars.left))}" height="20" rx="3" fill="var(--_blue)"/>` +
          label(bars.right + 8, y + 15, list.includes(j) ? fixed(w[j], 3) : "masked", 'class="ck-tick"') +
          label(width - 4, y + 15, fixed(values[j], 0), 'text-anchor="end" style="fill:var(--_copper)"')
        );
      })
      .join("");
    const heading = (x, y, words, unit) =>
      `<text x="${place(x)}" y="${y}" class="ck-heading">${esc(words)}<tspan class="ck-unit" dx="7">${esc(unit)}</tspan></text>`;
    const bottom = bars.top + each * names.length;
    return {
      height: Math.max(bottom + 30, wide ? side + 34 : 0),
      words: none
        ? "No key may be seen; the output is zero."
        : `Query of length ${fixed(length, 1)} at ${fixed(angle, 0)} degrees, scores times ${fixed(sharpness, 2)}. Weights: ` +
          `${names.map((n, j) => `${n} ${fixed(w[j], 3)}`).join(", ")}. Output ${fixed(output, 2)}, entropy ${fixed(entropy, 3)} nats.`,
      markup:
        heading(0, 14, "Query and keys", "dot: the weight") +
        `<path d="M${place(at([-reach, 0])[0])} ${place(origin[1])}H${place(at([reach, 0])[0])}M${place(origin[0])} ${place(at([0, reach])[1])}V${place(at([0, -reach])[1])}" class="ck-grid"/>` +
        plane +
        arrow(origin, tip, 'stroke="var(--_copper)" stroke-width="2.6" stroke-linecap="round"') +
        dot(origin, 2.5, 'fill="var(--_ink)"') +
        heading(wide ? side + 30 : 0, bars.top - 22, "Weights", "sum to 1") +
        label(width - 4, bars.top - 22, "value", 'text-anchor="end" style="fill:var(--_copper)"') +
        rows +
        label(width - 4, bottom + 16, none ? "output 0" : `output ${fixed(output, 2)}`, 'text-anchor="end" style="fill:var(--_copper)"'),
    };
  });
  return view.stop;
}

export default { render };
