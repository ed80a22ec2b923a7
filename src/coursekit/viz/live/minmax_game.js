// A min-max game of two numbers: x lowers and y raises c x y + k (x² − y²) / 2, by three kinds of steps.

export const math = {
  /** the direction in which both want to go */
  field: ({ curvature: k, coupling: c }, [x, y]) => [-k * x - c * y, c * x - k * y],
  step(method, game, [x, y]) {
    const { step } = game;
    const along = (from, [u, v]) => [from[0] + step * u, from[1] + step * v];
    if (method === "simultaneous") return along([x, y], math.field(game, [x, y]));
    if (method === "extragradient") return along([x, y], math.field(game, along([x, y], math.field(game, [x, y]))));
    const moved = x + step * math.field(game, [x, y])[0];
    return [moved, y + step * math.field(game, [moved, y])[1]];
  },
  path(method, game, start, steps) {
    const points = [start];
    while (points.length <= steps && Math.hypot(...points.at(-1)) <= 1000) points.push(math.step(method, game, points.at(-1)));
    return points;
  },
  /** eigenvalues of the linear step: their greatest size, and the angle of a complex pair in degrees */
  eigen(method, game) {
    const [a, c] = math.step(method, game, [1, 0]);
    const [b, d] = math.step(method, game, [0, 1]);
    const [half, det] = [(a + d) / 2, a * d - b * c];
    const under = half * half - det;
    if (under < 0) return { size: Math.sqrt(det), turn: (Math.acos(clamp(half / Math.sqrt(det), -1, 1)) * 180) / Math.PI };
    return { size: Math.abs(half) + Math.sqrt(under), turn: 0 };
  },
};

const METHODS = {
  simultaneous: { words: "both at once", tone: "blue", dashes: "none", shape: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z" },
  alternating: { words: "one after the other", tone: "copper", dashes: "7 4", shape: "M-4.5 -4.5h9v9h-9Z" },
  extragradient: { words: "looking ahead", tone: "teal", dashes: "1.5 3.5", shape: "M0 -6L5.5 4.5H-5.5Z" },
};
const MOST = 120;

function render({ model, el }) {
  const { start } = model.get("data");
  const view = stage({
    model,
    el,
    dense: true,
    title: "A min-max game of two numbers",
    lead:
      "x lowers f = c·x·y + k·(x² − y²)/2 and y raises it. The solution is the middle. Where the players only pull on " +
      "each other (k = 0) the arrows turn around it and never point at it.",
  });
  view.checks({
    name: "shown",
    text: "Steps",
    options: Object.entries(METHODS).map(([key, m]) => [key, m.words, m.tone, m.dashes]),
  });
  const two = (v) => fixed(v, 2);
  view.slider({ name: "coupling", text: "Pull on each other, c", min: 0.1, max: 2, step: 0.05, format: two });
  view.slider({ name: "curvature", text: "Held back alone, k", min: 0, max: 1, step: 0.02, format: two });
  view.slider({ name: "step", text: "Step size η", min: 0.02, max: 0.8, step: 0.02, format: two });
  view.slider({ name: "steps", text: "Steps", min: 1, max: MOST, step: 1, format: (v) => `${v}` });
  view.buttons(
    ["Take one step more", () => view.write({ steps: (model.get("steps") % MOST) + 1 })],
    ["Back to the first step", () => view.write({ steps: 1 })],
  );
  const show = Object.fromEntries(Object.entries(METHODS).map(([key, m]) => [key, view.readout(`Distance a step, ${m.words}`, m.tone)]));
  const turn = view.readout("Turn a step, both at once");
  const clips = ["plane", "line"].map(view.id);

  view.start((width) => {
    const [shown, coupling, curvature, step, steps] = ["shown", "coupling", "curvature", "step", "steps"].map((n) => model.get(n));
    const game = { coupling, curvature, step };
    const runs = Object.entries(METHODS).map(([key, look]) => {
      const { size, turn } = math.eigen(key, game);
      const points = math.path(key, game, start, MOST);
      const verdict = Math.abs(size - 1) < 5e-4 ? "stays" : size > 1 ? "grows" : "shrinks";
      show[key](`× ${fixed(size, 3)}: ${verdict}`);
      return { key, ...look, turn, points, verdict, trail: points.slice(0, steps + 1) };
    });
    turn(`${fixed(runs[0].turn, 1)}°`);
    const seen = runs.filter((r) => shown.includes(r.key));
    const wide = width >= 560;
    const side = wide ? Math.min(350, width * 0.5) : width;
    const tall = wide ? side + 22 : Math.min(width + 22, 380);
    const plane = panel(
      { x: 0, y: 0, width: side, height: tall },
      { x: [-2, 2], y: [-2, 2], title: "The two players", unit: "ring: the start", xlabel: "x, lowers f", id: clips[0] },
    );
    const curve = panel(
      wide ? { x: side + 18, y: 0, width: width - side - 18, height: tall } : { x: 0, y: tall + 12, width, height: 230 },
      {
        x: [0, MOST],
        y: [-3, 3],
        title: "Distance from the solution",
        unit: "log scale",
        xlabel: "step",
        yticks: [-3, -2, -1, 0, 1, 2, 3].map((e) => ({ at: e, text: `10${superscript(e)}` })),
        id: clips[1],
      },
    );
    const grid = linspace(-1.8, 1.8, 10);
    const longest = Math.hypot(...math.field(game, [1.8, 1.8]));
    const arrows = grid.flatMap((x) =>
      grid.map((y) => {
        const [u, v] = math.field(game, [x, y]).map((t) => (t / longest) * 0.34);
        const [from, to] = [plane.at([x, y]), plane.at([x + u, y + v])];
        return path([from, to], 'stroke="var(--_muted)" stroke-width="1" opacity=".7"') + dot(to, 1.6, 'fill="var(--_muted)"');
      }),
    );
    const marker = ([x, y], { shape, tone }) =>
      `<path d="${shape}" transform="translate(${place(x)} ${place(y)})" fill="var(--_${tone})" stroke="var(--_paper)" stroke-width="1.5"/>`;
    const near = (p) => plane.at(p.map((t) => clamp(t, -30, 30)));
    const trails = seen.map((r) => path(r.trail.map(near), `class="ck-line" stroke="var(--_${r.tone})" stroke-dasharray="${r.dashes}"`));
    const ends = seen.map((r) => marker(near(r.trail.at(-1)), r));
    const level = (p) => Math.log10(Math.max(Math.hypot(...p), 1e-12));
    const traces = seen.map((r) =>
      path(r.points.map((p, k) => curve.at([k, level(p)])), `class="ck-line" stroke="var(--_${r.tone})" stroke-dasharray="${r.dashes}"`),
    );
    const spots = seen.map((r) => marker(curve.at([r.trail.length - 1, clamp(level(r.trail.at(-1)), -3, 3)]), r));
    const begun = plane.at(start);
    return {
      height: wide ? tall : tall + 242,
      words:
        `Pull ${two(coupling)}, held back ${two(curvature)}, step size ${two(step)}. Distance from the solution, ${fixed(Math.hypot(...start), 2)} at the start, after ${steps} steps: ` +
        (seen.map((r) => `${r.words} ${short(Math.hypot(...r.trail.at(-1)))}, it ${r.verdict}`).join("; ") || "nothing is shown") + ".",
      markup:
        plane.axes +
        plane.clip(arrows.join("") + trails.join("") + ends.join("") + dot(begun, 5, 'fill="var(--_paper)" stroke="var(--_ink)" stroke-width="1.8"')) +
        `<path d="M${place(plane.sx(0))} ${place(plane.sy(0))}m-6 0h12m-6 -6v12" class="ck-cursor"/>` +
        label(plane.left + 4, plane.top + 6, "y, raises f", 'class="ck-axis-label ck-halo"') +
        curve.axes +
        curve.clip(traces.join("")) +
        spots.join(""),
    };
  });
  return view.stop;
}

export default { render };
