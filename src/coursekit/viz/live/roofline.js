// Attention under the roof of a chip: operations per byte against what they allow.

const LEAST = 0.25;
const MOST = 16384;

export const math = {
  /** Operations per byte: 2 bytes a number, the table moved `passes` times through memory. */
  intensity(power, width, passes, decoding) {
    const keys = 2 ** power;
    const queries = decoding ? 1 : keys;
    const moved = 2 * ((2 * queries + 2 * keys) * width + passes * queries * keys);
    return (4 * queries * keys * width) / moved;
  },
  attainable: (intensity, peak, bandwidth) => Math.min(peak, intensity * bandwidth),
};

function render({ model, el }) {
  const { peak, bandwidth, name } = model.get("data");
  const view = stage({
    model,
    el,
    title: "What limits attention: arithmetic or memory?",
    lead: `Under the slope memory decides, under the flat roof arithmetic. ${name}: ${peak} TFLOP/s, ${bandwidth} TB/s.`,
  });
  view.slider({ name: "power", text: "Keys", min: 7, max: 17, step: 1, format: (p) => (2 ** p).toLocaleString("en-US") });
  view.slider({ name: "passes", text: "Times the table moves", min: 0, max: 8, step: 1, format: (p) => `${p}` });
  view.radios({ name: "width", text: "Width of a head", options: [64, 128, 256].map((d) => [d, `${d}`]) });
  view.radios({
    name: "decoding",
    text: "Queries",
    options: [
      [false, "as many as keys"],
      [true, "one (decoding)"],
    ],
  });
  const show = {
    intensity: view.readout("Operations per byte"),
    bound: view.readout("Speed at most", "copper"),
    share: view.readout("Of the arithmetic"),
    limit: view.readout("Limited by"),
  };
  view.start((width) => {
    const [power, d, passes, decoding] = ["power", "width", "passes", "decoding"].map((key) => model.get(key));
    const I = math.intensity(power, d, passes, decoding);
    const bound = math.attainable(I, peak, bandwidth);
    const limit = bound < peak ? "memory" : "arithmetic";
    show.intensity(fixed(I, 1));
    show.bound(`${fixed(bound, 1)} TFLOP/s`);
    show.share(`${fixed((100 * bound) / peak, 1)} %`);
    show.limit(limit);
    const log = Math.log10;
    const decades = (low, high) => range(Math.floor(high) - Math.ceil(low) + 1).map((i) => Math.ceil(low) + i);
    const words = (e) => (e < 0 ? fixed(10 ** e, -e) : (10 ** e).toLocaleString("en-US"));
    const lowest = log(LEAST * bandwidth);
    const frame = panel(
      { x: 0, y: 0, width, height: 300 },
      {
        x: [log(LEAST), log(MOST)],
        y: [lowest, log(peak * 2)],
        title: "TFLOP/s at most",
        unit: "both axes logarithmic",
        xlabel: "operations per byte",
        xticks: decades(log(LEAST), log(MOST)).map((e) => ({ at: e, text: words(e) })),
        yticks: decades(lowest, log(peak * 2)).map((e) => ({ at: e, text: words(e) })),
        id: view.id("roof"),
      },
    );
    const ridge = peak / bandwidth;
    const roof = [LEAST, ridge, MOST].map((x) => frame.at([log(x), log(math.attainable(x, peak, bandwidth))]));
    const point = frame.at([log(clamp(I, LEAST, MOST)), log(bound)]);
    const foot = `<path d="M${place(point[0])} ${frame.bottom}V${place(point[1])}" stroke="var(--_copper)" stroke-dasharray="4 3" fill="none"/>`;
    return {
      height: 300,
      words: `${fixed(I, 1)} operations per byte allow ${fixed(bound, 1)} of ${peak} TFLOP/s; limited by ${limit}.`,
      markup:
        frame.axes +
        path(roof, 'stroke="var(--_ink)" stroke-width="2.4"') +
        frame.clip(foot) +
        dot(point, 7, 'fill="var(--_copper)"') +
        label(frame.sx(log(ridge)), frame.sy(log(peak)) - 8, `ridge: ${fixed(ridge, 0)}`, 'text-anchor="middle" class="ck-tick"'),
    };
  });
  return view.stop;
}

export default { render };
