// Chips in the plane of total processing performance and performance density, by date.

const LEAST = 100;
const MOST = 200000;
const WORDS = {
  free: "no licence",
  notification: "notice, then exception",
  "case-by-case": "licence, case by case",
  licence: "licence, denial presumed",
};
const TONES = { free: "blue", notification: "teal", "case-by-case": "violet", licence: "copper" };

export const math = {
  /** What the rules announced until a date say of a chip for data centres. */
  verdict(tpp, area, linked, date, t) {
    const density = tpp / area;
    if (date < "2023-10-17") return date >= "2022-10-07" && tpp >= t.tpp && linked ? "licence" : "free";
    if (tpp >= t.tpp || (tpp >= t.low_tpp && density >= t.dense))
      return date >= "2026-01-15" && tpp < t.eased_tpp ? "case-by-case" : "licence";
    const between = tpp >= t.mid_tpp && density >= t.thin;
    const above = tpp >= t.low_tpp && density >= t.mid;
    return between || above ? "notification" : "free";
  },
  /** TPP from the place of a slider, and back. */
  fromPlace: (p) => Math.round(LEAST * (MOST / LEAST) ** (p / 600)),
  toPlace: (tpp) => (600 * Math.log(tpp / LEAST)) / Math.log(MOST / LEAST),
};

/** The mark of a verdict, so that no reader depends on colour. */
function mark(kind, [x, y], r) {
  const [a, b] = [place(x), place(y)];
  const look = kind === "free" ? `fill="var(--_paper)" stroke="var(--_${TONES[kind]})" stroke-width="1.6"` : `fill="var(--_${TONES[kind]})"`;
  if (kind === "notification") return `<path d="M${a} ${b - r}l${r} ${1.8 * r}h${-2 * r}z" ${look}/>`;
  if (kind === "case-by-case") return `<path d="M${a} ${b - r}l${r} ${r}l${-r} ${r}l${-r} ${-r}z" ${look}/>`;
  if (kind === "licence") return `<rect x="${a - r * 0.85}" y="${b - r * 0.85}" width="${1.7 * r}" height="${1.7 * r}" ${look}/>`;
  return dot([x, y], r * 0.9, look);
}

function render({ model, el }) {
  const { chips, thresholds: t, stops } = model.get("data");
  const view = stage({
    model,
    el,
    title: "Which chips a rule catches",
    lead: "Each mark is an accelerator; the ring is your chip. Lines are the rule of the date. A chip for data centres, on its way to China.",
  });
  const dates = ["before", "7 Oct 2022", "17 Oct 2023", "2 Dec 2024", "15 Jan 2026"];
  view.slider({ name: "stop", text: "Rules until", min: 0, max: stops.length - 1, step: 1, format: (i) => dates[i] });
  view.slider({ name: "start", text: "Start from", min: 0, max: chips.length - 1, step: 1, format: (i) => chips[i].name });
  view.slider({
    name: "tpp",
    text: "Your chip's TPP",
    min: 0,
    max: 600,
    step: 1,
    value: math.fromPlace,
    position: math.toPlace,
    format: (v) => Math.round(v).toLocaleString("en-US"),
  });
  view.slider({ name: "area", text: "Its dies together", min: 50, max: 1700, step: 1, format: (v) => `${Math.round(v)} mm²` });
  view.radios({
    name: "linked",
    text: "Its links to other chips",
    options: [
      [true, `${t.link} GB/s or more`],
      [false, "less"],
    ],
  });
  let begun = model.get("start");
  view.follow("start", () => {
    const chosen = model.get("start");
    if (chosen === begun) return;
    begun = chosen;
    view.write({ tpp: chips[chosen].tpp, area: clamp(chips[chosen].area, 50, 1700) });
  });
  const show = {
    density: view.readout("Performance density"),
    verdict: view.readout("Your chip", "copper", "ck-wide"),
    free: view.readout("Free"),
    notice: view.readout("Notice"),
    cases: view.readout("Case by case"),
    licence: view.readout("Denial presumed"),
  };
  view.start((width) => {
    const [stop, tpp, area, linked] = ["stop", "tpp", "area", "linked"].map((key) => model.get(key));
    const verdict = math.verdict(tpp, area, linked, stops[stop], t);
    const count = (kind) => chips.filter((chip) => chip.verdicts[stop] === kind).length;
    show.density(fixed(tpp / area, 2));
    show.verdict(WORDS[verdict]);
    show.free(`${count("free")}`);
    show.notice(`${count("notification")}`);
    show.cases(`${count("case-by-case")}`);
    show.licence(`${count("licence")}`);
    const log = Math.log10;
    const decades = [100, 1000, 10000, 100000].map((v) => ({ at: log(v), text: v.toLocaleString("en-US") }));
    const height = 340;
    const frame = panel(
      { x: 0, y: 0, width, height },
      {
        x: [log(LEAST), log(MOST)],
        y: [log(0.5), 2],
        title: "Performance density",
        unit: "TPP per mm²",
        xlabel: "TPP, both axes logarithmic",
        xticks: decades,
        yticks: [1, 10, 100].map((v) => ({ at: log(v), text: `${v}` })),
        id: view.id("plane"),
      },
    );
    const at = (x, y) => frame.at([log(x), log(y)]);
    const line = (points) => path(points.map(([x, y]) => at(x, y)), 'stroke="var(--_ink)" stroke-width="1.4"');
    const walls = [];
    if (stop >= 1) walls.push(line([[t.tpp, 0.5], [t.tpp, 100]]));
    if (stop >= 2) {
      walls.push(line([[t.low_tpp, 100], [t.low_tpp, t.mid], [t.mid_tpp, t.mid], [t.mid_tpp, t.thin], [t.tpp, t.thin]]));
      walls.push(line([[t.low_tpp, t.dense], [t.tpp, t.dense]]));
    }
    if (stop >= 4) walls.push(line([[t.eased_tpp, 0.5], [t.eased_tpp, 100]]));
    const marks = chips.map((chip) => {
      const kind = chip.verdicts[stop];
      const spot = at(clamp(chip.tpp, LEAST, MOST), clamp(chip.density, 0.5, 100));
      return `<g><title>${esc(chip.name)}</title>${kind in TONES ? mark(kind, spot, 4.6) : label(spot[0], spot[1] + 4, "?", 'text-anchor="middle"')}</g>`;
    });
    const here = at(clamp(tpp, LEAST, MOST), clamp(tpp / area, 0.5, 100));
    return {
      height,
      words: `Rules until ${dates[stop]}: your chip with TPP ${Math.round(tpp).toLocaleString("en-US")} and density ${fixed(tpp / area, 2)}: ${WORDS[verdict]}. Of ${chips.length} accelerators ${count("free")} are free.`,
      markup:
        frame.axes +
        frame.clip(walls.join("") + marks.join("")) +
        mark(verdict, here, 6) +
        dot(here, 10, 'fill="none" stroke="var(--_ink)" stroke-width="2"'),
    };
  });
  return view.stop;
}

export default { render };
