// Dies on a wafer under defects: how many there are, how many are whole, what formulas say.

const RADIUS = 150;
const EDGE = 3;
const SCRIBE = 0.1;

export const math = {
  /** Lower left corners of square dies: the best of four symmetric grids. */
  placed(area) {
    const side = Math.sqrt(area);
    const reach = RADIUS - EDGE;
    const pitch = side + SCRIBE;
    const n = Math.ceil(reach / pitch) + 1;
    let best = [];
    for (const [u, v] of [[0, 0], [0, 0.5], [0.5, 0], [0.5, 0.5]]) {
      const found = [];
      for (let j = -n; j <= n; j += 1)
        for (let i = -n; i <= n; i += 1) {
          const x = (i - u) * pitch + SCRIBE / 2;
          const y = (j - v) * pitch + SCRIBE / 2;
          const far = [Math.max(Math.abs(x), Math.abs(x + side)), Math.max(Math.abs(y), Math.abs(y + side))];
          if (far[0] ** 2 + far[1] ** 2 <= reach ** 2) found.push([x, y]);
        }
      if (found.length > best.length) best = found;
    }
    return best;
  },
  /** How many of all places are taken at a density on a square centimetre. */
  thrown: (density) => Math.round(density * Math.PI * (RADIUS / 10) ** 2),
  counts(corners, area, points) {
    const side = Math.sqrt(area);
    return corners.map(([x, y]) => points.filter(([a, b]) => a >= x && a < x + side && b >= y && b < y + side).length);
  },
  models(area, density) {
    const load = (area * density) / 100;
    return [Math.exp(-load), (-Math.expm1(-load) / load) ** 2, (1 + load / 3) ** -3];
  },
};

function render({ model, el }) {
  const { even, clustered, price } = model.get("data");
  const view = stage({
    model,
    el,
    title: "What defects leave of a wafer",
    lead: "Blue dies can be sold, grey ones cannot; a cross is a defect. The wafer is 300 mm across.",
  });
  view.slider({ name: "area", text: "Area of a die", min: 50, max: 858, step: 8, format: (a) => `${a} mm²` });
  view.slider({ name: "density", text: "Defects on a cm²", min: 0.02, max: 0.6, step: 0.02, format: (d) => fixed(d, 2) });
  view.radios({
    name: "clustered",
    text: "Defects fall",
    options: [
      [false, "evenly"],
      [true, "in clusters"],
    ],
  });
  view.radios({ name: "spare", text: "A die may have", options: [[0, "no defect"], [1, "one"], [2, "two"]] });
  const show = {
    dies: view.readout("Dies"),
    good: view.readout("Sold", "blue"),
    share: view.readout("Yield here", "blue"),
    cost: view.readout("Cost of one sold", "copper"),
    poisson: view.readout("Poisson: whole"),
    murphy: view.readout("Murphy"),
    binomial: view.readout("Negative binomial"),
  };
  view.start((width) => {
    const [area, density, inClusters, spare] = ["area", "density", "clustered", "spare"].map((key) => model.get(key));
    const points = (inClusters ? clustered : even).slice(0, math.thrown(density));
    const corners = math.placed(area);
    const counts = math.counts(corners, area, points);
    const good = counts.filter((n) => n <= spare).length;
    const percent = (share) => `${fixed(100 * share, 0)} %`;
    const formulas = math.models(area, density);
    show.dies(`${corners.length}`);
    show.good(`${good}`);
    show.share(percent(good / corners.length));
    show.cost(good ? `$${Math.round(price / good).toLocaleString("en-US")}` : "none is sold");
    [show.poisson, show.murphy, show.binomial].forEach((set, i) => set(percent(formulas[i])));
    const size = Math.min(width, 420);
    const scale = size / (2 * RADIUS + 8);
    const at = ([x, y]) => [width / 2 + x * scale, size / 2 - y * scale];
    const side = Math.sqrt(area) * scale;
    const dies = corners.map((corner, i) => {
      const [x, y] = at(corner);
      const whole = counts[i] <= spare;
      const look = whole ? 'fill="var(--_blue)"' : 'fill="var(--_panel)" stroke="var(--_muted)" stroke-width="0.8"';
      return `<rect x="${place(x + 0.4)}" y="${place(y - side + 0.4)}" width="${place(side - 0.8)}" height="${place(side - 0.8)}" ${look}/>`;
    });
    const crosses = points.map((point) => {
      const [x, y] = at(point).map(place);
      return `M${place(x - 2.5)} ${place(y - 2.5)}l5 5m0 -5l-5 5`;
    });
    const words = `${good} of ${corners.length} dies of ${area} mm² are sold at ${fixed(density, 2)} defects on a cm², ${percent(good / corners.length)}; Poisson says ${percent(formulas[0])} without a defect, Murphy ${percent(formulas[1])}.`;
    return {
      height: size + 18,
      words,
      markup:
        dot([width / 2, size / 2], place(RADIUS * scale), 'fill="none" stroke="var(--_muted)" stroke-width="1.2"') +
        dies.join("") +
        `<path d="${crosses.join("")}" stroke="var(--_copper)" stroke-width="1.5" fill="none"/>` +
        label(width / 2, size + 12, "one wafer, 300 mm", 'text-anchor="middle" class="ck-tick"'),
    };
  });
  return view.stop;
}

export default { render };
