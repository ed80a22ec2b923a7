// Two groups with one threshold each: what can be made equal, and what that pulls apart.

const BINS = 40;

export const math = {
  /** Rates of a group if the bins from `first` on are accepted; a share of nobody is null. */
  rates({ good, bad }, first) {
    const [positives, negatives] = [sum(good), sum(bad)];
    const [hit, wrong] = [sum(good.slice(first)), sum(bad.slice(first))];
    const share = (part, whole) => (whole ? part / whole : null);
    return {
      accepted: share(hit + wrong, positives + negatives),
      tpr: share(hit, positives),
      fpr: share(wrong, negatives),
      ppv: share(hit, hit + wrong),
      right: share(hit + negatives - wrong, positives + negatives),
    };
  },
  /** The threshold of the second group whose rate is nearest to the first one's. */
  match(groups, first, name) {
    const goal = math.rates(groups[0], first)[name];
    const away = range(BINS + 1).map((t) => {
      const found = math.rates(groups[1], t)[name];
      return found === null || goal === null ? Infinity : Math.abs(found - goal);
    });
    return away.indexOf(Math.min(...away));
  },
};

const MEASURES = [
  ["accepted", "Accepted"],
  ["tpr", "True-positive rate"],
  ["fpr", "False-positive rate"],
  ["ppv", "Accepted that end well"],
  ["right", "Decided rightly"],
];

function render({ model, el }) {
  const { groups } = model.get("data");
  const percent = (v) => (v === null ? "nobody" : `${fixed(100 * v, 0)} %`);
  const view = stage({
    model,
    el,
    title: "Two groups, two thresholds",
    lead: "Everyone right of the line is accepted. Filled bars end well, hollow ones badly. Make one measure equal, and watch the others.",
  });
  const score = (t) => fixed(t / BINS, 3);
  view.slider({ name: "first", text: `Threshold of ${groups[0].name}`, min: 0, max: BINS, step: 1, format: score });
  view.slider({ name: "second", text: `Threshold of ${groups[1].name}`, min: 0, max: BINS, step: 1, format: score });
  const equal = (name) => () => view.write({ second: math.match(groups, model.get("first"), name) });
  view.buttons(
    ["Equal shares accepted", equal("accepted")],
    ["Equal true-positive rates", equal("tpr")],
    ["Equal false-positive rates", equal("fpr")],
    ["One threshold", () => view.write({ second: model.get("first") })],
  );
  const show = Object.fromEntries(MEASURES.map(([name, text]) => [name, view.readout(text, "", "ck-wide")]));

  view.start((width) => {
    const lines = [model.get("first"), model.get("second")];
    const found = groups.map((group, i) => math.rates(group, lines[i]));
    for (const [name] of MEASURES) {
      const [a, b] = found.map((r) => r[name]);
      const gap = a === null || b === null ? "" : `, gap ${fixed(100 * Math.abs(a - b), 0)} points`;
      show[name](`${percent(a)} and ${percent(b)}${gap}`);
    }
    const wide = width >= 560;
    const most = Math.max(...groups.flatMap(({ good, bad }) => good.map((v, i) => v + bad[i])));
    const size = { width: wide ? (width - 16) / 2 : width, height: 230 };
    const panels = groups.map((group, i) => {
      const box = { x: wide ? i * (size.width + 16) : 0, y: wide ? 0 : i * (size.height + 8), ...size };
      const frame = panel(box, {
        x: [0, 1],
        y: [0, most * 1.04],
        title: group.name,
        unit: "people",
        xlabel: "score",
        xticks: [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, text: `${at}` })),
        id: view.id("scores"),
      });
      const bar = (from, to, b, look) => {
        const [x, y] = frame.at([b / BINS, to]);
        const [right, bottom] = frame.at([(b + 1) / BINS, from]);
        return to > from ? `<rect x="${place(x + 0.5)}" y="${place(y)}" width="${place(right - x - 1)}" height="${place(bottom - y)}" ${look}/>` : "";
      };
      const bars = range(BINS).map(
        (b) =>
          bar(0, group.good[b], b, `fill="var(--_blue)"${b < lines[i] ? ' opacity="0.35"' : ""}`) +
          bar(group.good[b], group.good[b] + group.bad[b], b, `fill="none" stroke="var(--_copper)"${b < lines[i] ? ' opacity="0.45"' : ""}`),
      );
      const x = frame.sx(lines[i] / BINS);
      const line = `<path d="M${place(x)} ${frame.top - 4}V${frame.bottom}" stroke="var(--_ink)" stroke-width="2"/>`;
      return frame.axes + bars.join("") + line;
    });
    const said = groups.map(
      (group, i) =>
        `${group.name} from ${score(lines[i])}: ${percent(found[i].accepted)} accepted, true-positive rate ${percent(found[i].tpr)}, false-positive rate ${percent(found[i].fpr)}, ${percent(found[i].ppv)} of the accepted end well`,
    );
    return { height: wide ? size.height : 2 * size.height + 8, words: `${said.join("; ")}.`, markup: panels.join("") };
  });
  return view.stop;
}

export default { render };
