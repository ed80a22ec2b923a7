// Positions: the score of one query and one key, content fixed, as their places in the text move.

export const math = {
  frequencies: (d, base) => range(d / 2).map((k) => base ** ((-2 * k) / d)),
  /** a vector whose pairs (2k, 2k + 1) are turned by the angle place * frequency */
  rotate: (v, at, base) =>
    math.frequencies(v.length, base).flatMap((f, k) => {
      const [c, s] = [Math.cos(at * f), Math.sin(at * f)];
      return [c * v[2 * k] - s * v[2 * k + 1], s * v[2 * k] + c * v[2 * k + 1]];
    }),
  sinusoidal: (at, d, base) => math.frequencies(d, base).flatMap((f) => [Math.sin(at * f), Math.cos(at * f)]),
  /** the vector that enters the inner product */
  placed(scheme, v, at, base) {
    if (scheme === "rotary") return math.rotate(v, at, base);
    if (scheme === "sinusoidal") return math.sinusoidal(at, v.length, base).map((p, i) => v[i] + p);
    return v;
  },
  score(scheme, q, k, i, j, base, slope) {
    const [a, b] = [math.placed(scheme, q, i, base), math.placed(scheme, k, j, base)];
    const inner = sum(a.map((v, n) => v * b[n])) / Math.sqrt(q.length);
    return scheme === "alibi" ? inner - slope * Math.abs(i - j) : inner;
  },
};

const SCHEMES = [
  ["none", "none"],
  ["sinusoidal", "sinusoidal, added"],
  ["rotary", "rotary"],
  ["alibi", "ALiBi"],
];

function render({ model, el }) {
  const { q, k, base, slope, places } = model.get("data");
  const view = stage({
    model,
    el,
    title: "Positions: what a score knows about place",
    lead:
      "One query and one key, their content fixed. Move them through the text. Where a scheme knows only the " +
      "distance, the map is striped along the diagonal, and moving both together changes nothing.",
  });
  view.radios({ name: "scheme", text: "Positions", options: SCHEMES });
  view.slider({ name: "i", text: "Place of the query, i", min: 0, max: places - 1, step: 1, format: (v) => `${v}` });
  view.slider({ name: "j", text: "Place of the key, j", min: 0, max: places - 1, step: 1, format: (v) => `${v}` });
  const together = (by) => () => {
    const [i, j] = [model.get("i"), model.get("j")];
    const step = by > 0 ? Math.min(by, places - 1 - Math.max(i, j)) : Math.max(by, -Math.min(i, j));
    view.write({ i: i + step, j: j + step });
  };
  view.buttons(["Move both up by 3", together(3)], ["Move both down by 3", together(-3)]);
  const show = {
    score: view.readout("Score of this pair", "copper"),
    offset: view.readout("Distance i − j"),
    spread: view.readout("Spread of the score at this distance"),
  };
  const clip = view.id("line");

  view.start((width) => {
    const [scheme, i, j] = ["scheme", "i", "j"].map((n) => model.get(n));
    const score = (a, b) => math.score(scheme, q, k, a, b, base, slope);
    const here = score(i, j);
    const gap = i - j;
    const shifts = range(places - Math.abs(gap)).map((s) => [s + Math.max(gap, 0), s + Math.max(-gap, 0)]);
    const along = shifts.map(([a, b]) => [a, score(a, b)]);
    const heights = along.map(([, v]) => v);
    const spread = Math.max(...heights) - Math.min(...heights);
    show.score(fixed(here, 3));
    show.offset(fixed(gap, 0));
    show.spread(spread < 1e-9 ? "none: only the distance counts" : fixed(spread, 3));

    const wide = width >= 560;
    const side = wide ? Math.min(300, width * 0.44) : Math.min(300, width);
    const cell = (side - 26) / places;
    const all = range(places).map((a) => range(places).map((b) => score(a, b)));
    const most = Math.max(...all.flat().map(Math.abs));
    const map = all
      .map((row, a) =>
        row
          .map(
            (v, b) =>
              `<rect x="${place(26 + b * cell)}" y="${place(26 + a * cell)}" width="${place(cell + 0.3)}" height="${place(cell + 0.3)}" fill="var(--_${v < 0 ? "copper" : "blue"})" opacity="${fixed(Math.abs(v) / most, 2).replace("−", "-")}"/>`,
          )
          .join(""),
      )
      .join("");
    const marks = [0, places >> 1, places - 1]
      .map(
        (t) =>
          label(20, 26 + (t + 0.5) * cell + 4, t, 'text-anchor="end" class="ck-tick"') +
          label(26 + (t + 0.5) * cell, 26 + places * cell + 14, t, 'text-anchor="middle" class="ck-tick"'),
      )
      .join("");
    const low = Math.min(...all.flat());
    const high = Math.max(...all.flat());
    const room = Math.max(0.1 * (high - low), 0.2);
    const frame = panel(
      { x: wide ? side + 20 : 0, y: wide ? 0 : side + 42, width: wide ? width - side - 20 : width, height: 200 },
      { x: [0, places - 1], y: [low - room, high + room], title: "Both moved together", unit: "same distance", xlabel: "place of the query, i", id: clip },
    );
    const [a, b] = [math.placed(scheme, q, i, base), math.placed(scheme, k, j, base)];
    const pairs = q.length / 2;
    const dials = { top: wide ? Math.max(side + 40, 230) : side + 270, each: Math.min(150, width / pairs) };
    const r = dials.each / 2 - 12;
    const long = Math.max(...range(pairs).flatMap((p) => [a, b].map((v) => Math.hypot(v[2 * p], v[2 * p + 1]))), 2.2);
    const hand = (middle, v, p, tone, dashes) =>
      path([middle, [middle[0] + (v[2 * p] / long) * r, middle[1] - (v[2 * p + 1] / long) * r]], `stroke="var(--_${tone})" stroke-width="2.6" stroke-linecap="round" stroke-dasharray="${dashes}"`);
    const faces = range(pairs)
      .map((p) => {
        const middle = [dials.each * (p + 0.5), dials.top + 30 + r];
        const turn = math.frequencies(q.length, base)[p];
        return (
          `<circle cx="${place(middle[0])}" cy="${place(middle[1])}" r="${place(r)}" fill="none" class="ck-axis"/>` +
          hand(middle, a, p, "copper", "none") +
          hand(middle, b, p, "blue", "1 5") +
          label(middle[0], dials.top + 2 * r + 48, `${+turn.toPrecision(2)} rad`, 'text-anchor="middle" class="ck-tick"')
        );
      })
      .join("");
    return {
      height: dials.top + 2 * r + 56,
      words:
        `Positions ${SCHEMES.find(([name]) => name === scheme)[1]}: query at ${i}, key at ${j}, score ${fixed(here, 3)}. ` +
        (spread < 1e-9 ? "Moving both together changes nothing." : `Moving both together changes the score within ${fixed(spread, 3)}.`),
      markup:
        `<text x="0" y="14" class="ck-heading">Score<tspan class="ck-unit" dx="7">row i, column j; copper: below zero</tspan></text>` +
        map +
        marks +
        path(
          shifts.map(([s, t]) => [26 + (t + 0.5) * cell, 26 + (s + 0.5) * cell]),
          'stroke="var(--_ink)" stroke-width="1" stroke-dasharray="2 3"',
        ) +
        `<rect x="${place(26 + j * cell - 1)}" y="${place(26 + i * cell - 1)}" width="${place(cell + 2)}" height="${place(cell + 2)}" fill="none" stroke="var(--_ink)" stroke-width="2.2"/>` +
        frame.axes +
        frame.clip(path(along.map(frame.at), 'class="ck-line" stroke="var(--_blue)"') + dot(frame.at([i, here]), 5, 'class="ck-here"')) +
        `<text x="0" y="${place(dials.top + 14)}" class="ck-heading">The pairs that are compared<tspan class="ck-unit" dx="7">${wide ? "solid: query, dotted: key; below: turn per place" : ""}</tspan></text>` +
        faces,
    };
  });
  return view.stop;
}

export default { render };
