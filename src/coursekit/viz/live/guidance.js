// Guidance: noise is carried to samples of one of three classes, by the exact score, asked more or less strongly.

export const math = {
  /** probability of each class at x and a noise level */
  posterior([x, y], level, { centers, spread }) {
    const variance = level * spread * spread + 1 - level;
    const root = Math.sqrt(level);
    const away = centers.map(([u, v]) => ((x - root * u) ** 2 + (y - root * v) ** 2) / (2 * variance));
    const least = Math.min(...away);
    const weights = away.map((d) => Math.exp(least - d));
    const total = sum(weights);
    return weights.map((p) => p / total);
  },
  /** the guided noise: unconditional plus w times what the class adds */
  noise(x, level, chosen, w, plane) {
    const variance = level * plane.spread ** 2 + 1 - level;
    const p = math.posterior(x, level, plane);
    return [0, 1].map((j) => {
      const mean = sum(plane.centers.map((c, k) => p[k] * c[j]));
      const part = (center) => (Math.sqrt(1 - level) / variance) * (x[j] - Math.sqrt(level) * center);
      return part(mean) + w * (part(plane.centers[chosen][j]) - part(mean));
    });
  },
  /** all points of one sample's way */
  way(start, chosen, w, plane) {
    const points = [start];
    for (let k = 0; k + 1 < plane.levels.length; k++) {
      const [now, then] = [plane.levels[k], plane.levels[k + 1]];
      const x = points[k];
      const e = math.noise(x, now, chosen, w, plane);
      points.push(x.map((v, j) => (Math.sqrt(then) * (v - Math.sqrt(1 - now) * e[j])) / Math.sqrt(now) + Math.sqrt(1 - then) * e[j]));
    }
    return points;
  },
  /** how sure of the class, how wide, how far from its mean */
  numbers(samples, chosen, plane) {
    const mean = (f) => sum(samples.map(f)) / samples.length;
    const middle = [0, 1].map((j) => mean((s) => s[j]));
    const center = plane.centers[chosen];
    return {
      sure: mean((s) => math.posterior(s, 1, plane)[chosen]),
      spread: Math.sqrt(mean(([x, y]) => ((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / 2)),
      shift: Math.hypot(middle[0] - center[0], middle[1] - center[1]),
    };
  },
};

const REACH = 3.2;
const LARGEST = 8;

function render({ model, el }) {
  const plane = model.get("data");
  const view = stage({
    model,
    el,
    title: "How strongly to ask",
    lead:
      "Three classes that overlap, and samples carried there from noise by the exact score. Strength 0 does not ask " +
      "for a class, 1 samples the class as it is. Ask more strongly and see what is gained and what is lost.",
  });
  view.radios({ name: "chosen", text: "Class", options: plane.centers.map((_, k) => [k, `${k + 1}`]) });
  view.slider({ name: "w", text: "Strength w", min: 0, max: LARGEST, step: 0.25, format: (v) => fixed(v, 2) });
  view.buttons(
    ["Ask more strongly, by 1", () => view.glide({ w: model.get("w") + 1 > LARGEST ? 0 : model.get("w") + 1 })],
    ["The class as it is, or not at all", () => view.glide({ w: model.get("w") === 1 ? 0 : 1 })],
  );
  const show = {
    sure: view.readout("How sure a classifier is", "blue"),
    spread: view.readout(`Spread (of the class: ${fixed(plane.spread, 2)})`, "copper"),
    shift: view.readout("Mean, from that of the class"),
  };
  const clips = ["plane", "line"].map(view.id);
  const known = new Map();
  const at = (chosen, w) => {
    const key = `${chosen} ${w}`;
    if (!known.has(key)) known.set(key, math.numbers(plane.start.map((z) => math.way(z, chosen, w, plane).at(-1)), chosen, plane));
    return known.get(key);
  };

  view.start((width) => {
    const [chosen, w] = [model.get("chosen"), model.get("w")];
    const ways = plane.start.map((z) => math.way(z, chosen, w, plane));
    const samples = ways.map((p) => p.at(-1));
    const { sure, spread, shift } = math.numbers(samples, chosen, plane);
    show.sure(`${fixed(100 * sure, 0)} %`);
    show.spread(fixed(spread, 2));
    show.shift(fixed(shift, 2));
    const wide = width >= 560;
    const side = wide ? Math.min(360, width * 0.5) : width;
    const tall = Math.min(side, 380) + 22;
    const map = panel(
      { x: 0, y: 0, width: side, height: tall },
      { x: [-REACH, REACH], y: [-REACH, REACH], title: "Samples", unit: "lines: the ways of ten", xlabel: "x₁", id: clips[0] },
    );
    const curve = panel(
      wide ? { x: side + 18, y: 0, width: width - side - 18, height: tall } : { x: 0, y: tall + 12, width, height: 230 },
      { x: [0, LARGEST], y: [0, 1.15], title: "Gain and cost", unit: "solid: sure; dashed: spread", xlabel: "strength w", id: clips[1] },
    );
    const turn = linspace(0, 2 * Math.PI, 49);
    const rings = plane.centers.flatMap(([u, v], k) =>
      [1, 2].map((r) =>
        path(
          turn.map((a) => map.at([u + r * plane.spread * Math.cos(a), v + r * plane.spread * Math.sin(a)])),
          `stroke="var(--_${k === chosen ? "blue" : "muted"})" stroke-width="${k === chosen ? 1.8 : 1}" stroke-dasharray="${k === chosen ? "none" : "3 3"}"`,
        ),
      ),
    );
    const names = plane.centers.map(([u, v], k) => label(map.sx(u), map.sy(v) + 4, `${k + 1}`, 'text-anchor="middle" class="ck-halo"'));
    const trails = ways.slice(0, 10).map((p) => path(p.filter((_, k) => k % 3 === 0).map(map.at), 'stroke="var(--_copper)" stroke-width="1" opacity=".45"'));
    const dots = samples.map((p) => dot(map.at(p), 2.6, 'fill="var(--_copper)"'));
    const strengths = linspace(0, LARGEST, 17);
    const line = (key, tone, dashes) =>
      path(strengths.map((v) => curve.at([v, at(chosen, v)[key]])), `class="ck-line" stroke="var(--_${tone})" stroke-dasharray="${dashes}"`);
    return {
      height: wide ? tall : tall + 242,
      words:
        `Class ${chosen + 1}, strength ${fixed(w, 2)}: a classifier is ${fixed(100 * sure, 0)} % sure of the samples, their spread is ${fixed(spread, 2)} ` +
        `where the class has ${fixed(plane.spread, 2)}, and their mean lies ${fixed(shift, 2)} from that of the class.`,
      markup:
        map.axes +
        map.clip(rings.join("") + trails.join("") + dots.join("")) +
        names.join("") +
        label(map.left + 4, map.top + 6, "x₂", 'class="ck-axis-label ck-halo"') +
        curve.axes +
        curve.clip(line("sure", "blue", "none") + line("spread", "copper", "7 4")) +
        `<path d="M${place(curve.sx(w))} ${curve.top}V${curve.bottom}" class="ck-cursor"/>` +
        dot(curve.at([w, sure]), 5, 'fill="var(--_blue)"') +
        dot(curve.at([w, spread]), 5, 'class="ck-here"'),
    };
  });
  return view.stop;
}

export default { render };
