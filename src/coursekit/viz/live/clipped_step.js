// The clipped objective of one token: what it earns as its probability moves, and where that stops.

export const math = {
  /** the smaller of the ratio's earning and that of the ratio held within its limits */
  objective: (ratio, { advantage, low, high }) =>
    Math.min(ratio * advantage, clamp(ratio, 1 - low, 1 + high) * advantage),
  /** what a small step still gains: nothing where the token has moved far enough the right way */
  slope: (ratio, { advantage, low, high }) =>
    (advantage > 0 ? ratio > 1 + high : ratio < 1 - low) ? 0 : advantage,
};

const [LEAST, MOST] = [0.4, 1.8];

function render({ model, el }) {
  const view = stage({
    model,
    el,
    title: "How far may a token move?",
    lead:
      "One token of an answer, drawn by the old policy. Move its probability. The dashed line pays for any move; the solid " +
      "one stops paying at a limit, on the side where the token has already gone the way it should.",
  });
  view.radios({ name: "advantage", text: "The token was", options: [[1, "better than expected"], [-1, "worse than expected"]] });
  view.slider({ name: "ratio", text: "New probability over old", min: LEAST, max: MOST, step: 0.01, format: (r) => fixed(r, 2) });
  view.slider({ name: "low", text: "May fall by", min: 0.05, max: 0.5, step: 0.05, format: (v) => fixed(v, 2) });
  view.slider({ name: "high", text: "May rise by", min: 0.05, max: 0.5, step: 0.05, format: (v) => fixed(v, 2) });
  view.buttons(
    ["Far the right way", () => view.glide({ ratio: model.get("advantage") > 0 ? 1.5 : 0.55 })],
    ["Far the wrong way", () => view.glide({ ratio: model.get("advantage") > 0 ? 0.55 : 1.5 })],
    ["Where it was drawn", () => view.glide({ ratio: 1 })],
  );
  const show = {
    earns: view.readout("Earns", "copper"),
    slope: view.readout("Slope: what a small step gains"),
    verdict: view.readout("The token"),
  };

  view.start((width) => {
    const ratio = model.get("ratio");
    const knobs = Object.fromEntries(["advantage", "low", "high"].map((name) => [name, model.get(name)]));
    const { advantage, low, high } = knobs;
    const earned = math.objective(ratio, knobs);
    const slope = math.slope(ratio, knobs);
    const verdict = slope === 0 ? "has moved far enough" : (ratio - 1) * advantage < 0 ? "is pulled back" : "is pushed on";
    show.earns(fixed(earned, 2));
    show.slope(fixed(slope, 1));
    show.verdict(verdict);

    const ratios = linspace(LEAST, MOST, 141);
    const ends = [LEAST * advantage, MOST * advantage];
    const y = [Math.min(...ends) - 0.1, Math.max(...ends) + 0.1];
    const frame = panel(
      { x: 0, y: 0, width, height: 290 },
      { x: [LEAST, MOST], y, title: "What the token earns", unit: width >= 480 ? "shaded: within the limits" : "", xlabel: "new probability over old", id: view.id("clip") },
    );
    const [left, right] = [frame.sx(1 - low), frame.sx(1 + high)];
    return {
      height: 290,
      words:
        `A token ${advantage > 0 ? "better" : "worse"} than expected, at ratio ${fixed(ratio, 2)}, limits ${fixed(1 - low, 2)} and ${fixed(1 + high, 2)}: ` +
        `it earns ${fixed(earned, 2)}, the slope is ${fixed(slope, 1)}, it ${verdict}.`,
      markup:
        `<rect x="${place(left)}" y="${frame.top}" width="${place(right - left)}" height="${frame.bottom - frame.top}" fill="var(--_rule)" opacity=".45"/>` +
        frame.axes +
        frame.clip(
          path(ratios.map((r) => frame.at([r, r * advantage])), 'stroke="var(--_muted)" stroke-width="1.5" stroke-dasharray="6 4"') +
            path(ratios.map((r) => frame.at([r, math.objective(r, knobs)])), 'class="ck-line" stroke="var(--_copper)"') +
            `<path d="M${place(frame.sx(1))} ${frame.top}V${frame.bottom}" stroke="var(--_ink)" stroke-dasharray="1.5 4"/>` +
            dot(frame.at([ratio, earned]), 6.5, 'class="ck-here"'),
        ),
    };
  });
  return view.stop;
}

export default { render };
