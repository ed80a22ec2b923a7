// A whole model under the roofs of real chips: training, prefill and decode, by batch and length.

const LEAST = 0.5;
const MOST = 16384;
const LARGEST_BATCH = 12; // as a power of two

export const math = {
  work: DECODER.work,
  attainable: (intensity, peak, bandwidth) => Math.min(peak, intensity * bandwidth),
  intensity(m, phase, tokens, batch) {
    const { operations, moved } = DECODER.work(m, phase, tokens, batch);
    return operations / moved;
  },
  /** the power of two of the batch whose intensity is nearest to a wanted one */
  nearest(m, phase, tokens, wanted) {
    const off = (power) => Math.abs(Math.log(math.intensity(m, phase, tokens, 2 ** power) / wanted));
    return range(LARGEST_BATCH + 1).reduce((best, power) => (off(power) < off(best) ? power : best), 0);
  },
};

function render({ model, el }) {
  const { chips, models } = model.get("data");
  const view = stage({
    model,
    el,
    title: "What limits a model on a chip",
    lead: "Drag the point along the roof, or move the sliders: the batch and the length decide where a model stands.",
  });
  const whole = (p) => (2 ** p).toLocaleString("en-US");
  view.slider({ name: "batch", text: "Sequences at a time", min: 0, max: LARGEST_BATCH, step: 1, format: whole });
  view.slider({ name: "tokens", text: "Tokens of each", min: 4, max: 17, step: 1, format: whole });
  view.radios({ name: "phase", text: "What it does", options: ["decode", "prefill", "training"].map((p) => [p, p]) });
  view.radios({ name: "model", text: "Model", options: models.map((m, i) => [i, m.name]) });
  view.radios({ name: "chip", text: "Chip", options: chips.map((c, i) => [i, c.name]) });
  const show = {
    intensity: view.readout("Operations per byte"),
    bound: view.readout("Speed at most", "copper"),
    share: view.readout("Of the arithmetic"),
    limit: view.readout("Limited by"),
  };
  const chosen = () => ({
    m: models[model.get("model")],
    chip: chips[model.get("chip")],
    phase: model.get("phase"),
    tokens: 2 ** model.get("tokens"),
    batch: 2 ** model.get("batch"),
  });
  const log = Math.log10;
  const svg = el.querySelector("svg.ck-picture");
  let frame;
  const drag = (event) => {
    if (!frame || (event.type === "pointermove" && event.buttons !== 1)) return;
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    const share = (x - frame.sx(log(LEAST))) / (frame.sx(log(MOST)) - frame.sx(log(LEAST)));
    const { m, phase, tokens } = chosen();
    view.write({ batch: math.nearest(m, phase, tokens, LEAST * (MOST / LEAST) ** clamp(share, 0, 1)) });
    event.preventDefault();
  };
  svg.addEventListener("pointerdown", drag);
  svg.addEventListener("pointermove", drag);
  view.start((width) => {
    const { m, chip, phase, tokens, batch } = chosen();
    const I = math.intensity(m, phase, tokens, batch);
    const bound = math.attainable(I, chip.peak, chip.bandwidth);
    const limit = bound < chip.peak ? "memory" : "arithmetic";
    show.intensity(fixed(I, 1));
    show.bound(`${fixed(bound, 1)} TFLOP/s`);
    show.share(`${fixed((100 * bound) / chip.peak, 1)} %`);
    show.limit(limit);
    const low = log(LEAST * Math.min(...chips.map((c) => c.bandwidth)));
    const high = log(2 * Math.max(...chips.map((c) => c.peak)));
    const decades = (a, b) => range(Math.floor(b) - Math.ceil(a) + 1).map((i) => Math.ceil(a) + i);
    const words = (e) => (e < 0 ? fixed(10 ** e, -e) : (10 ** e).toLocaleString("en-US"));
    frame = panel(
      { x: 0, y: 0, width, height: 310 },
      {
        x: [log(LEAST), log(MOST)],
        y: [low, high],
        title: "TFLOP/s at most",
        unit: "both axes logarithmic",
        xlabel: "operations per byte",
        xticks: decades(log(LEAST), log(MOST)).map((e) => ({ at: e, text: words(e) })),
        yticks: decades(low, high).map((e) => ({ at: e, text: words(e) })),
        id: view.id("roof"),
      },
    );
    const roof = (c, attributes) =>
      path(
        [LEAST, c.peak / c.bandwidth, MOST].map((x) => frame.at([log(x), log(math.attainable(x, c.peak, c.bandwidth))])),
        attributes,
      );
    const others = chips.filter((c) => c !== chip).map((c) => roof(c, 'stroke="var(--_rule)" stroke-width="1.4"'));
    const point = frame.at([log(clamp(I, LEAST, MOST)), log(bound)]);
    const ridge = chip.peak / chip.bandwidth;
    return {
      height: 310,
      words: `${m.name} on ${chip.name}, ${phase}, ${batch} sequences of ${tokens} tokens: ${fixed(I, 1)} operations per byte allow ${fixed(bound, 1)} of ${chip.peak} TFLOP/s; limited by ${limit}.`,
      markup:
        frame.axes +
        frame.clip(others.join("")) +
        roof(chip, 'stroke="var(--_ink)" stroke-width="2.4"') +
        `<path d="M${place(point[0])} ${frame.bottom}V${place(point[1])}" stroke="var(--_copper)" stroke-dasharray="4 3" fill="none"/>` +
        dot(point, 8, 'fill="var(--_copper)" style="cursor: ew-resize"') +
        label(frame.sx(log(ridge)), frame.sy(log(chip.peak)) - 8, `ridge: ${fixed(ridge, 0)}`, 'text-anchor="middle" class="ck-tick"'),
    };
  });
  return () => {
    svg.removeEventListener("pointerdown", drag);
    svg.removeEventListener("pointermove", drag);
    view.stop();
  };
}

export default { render };
