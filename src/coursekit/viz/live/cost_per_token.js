// What a million tokens cost: the chip's price against the batch, and where memory ends the curve.

const RESERVE = 0.1; // of the memory, for everything else

export const math = {
  weights: DECODER.weights,
  /** seconds of a step: arithmetic, or weights once and every cache */
  step(m, chip, s, batch) {
    const bytes = (DECODER.weights(m) * s.bits) / 8 + DECODER.cache(m, s.tokens, batch, s.bits === 16 ? 2 : 1);
    const { operations } = DECODER.work(m, "decode", s.tokens, batch);
    const together = s.chips * s.share;
    return Math.max(operations / (chip.peak * 1e12 * together), bytes / (chip.bandwidth * 1e12 * together));
  },
  seats(m, chip, s) {
    const held = ((DECODER.weights(m) + m.vocab * m.heads * m.width) * s.bits) / 8;
    const left = (1 - RESERVE) * s.chips * chip.memory * 1e9 - held;
    return left < 0 ? 0 : Math.floor(left / DECODER.cache(m, s.tokens, 1, s.bits === 16 ? 2 : 1));
  },
  cost: (m, chip, s, batch) => (1e6 * s.chips * s.price * math.step(m, chip, s, batch)) / 3600 / batch,
};

function render({ model, el }) {
  const { chips, models } = model.get("data");
  const view = stage({
    model,
    el,
    title: "What a million tokens cost",
    lead: "The price of the chips, shared by all who are served at the same time. The curve ends where their memories are full.",
  });
  const whole = (p) => (2 ** p).toLocaleString("en-US");
  view.slider({ name: "batch", text: "Sequences at a time", min: 0, max: 12, step: 1, format: whole });
  view.slider({ name: "tokens", text: "Tokens of each", min: 7, max: 17, step: 1, format: whole });
  view.slider({ name: "price", text: "Price of a chip-hour", min: 0.5, max: 10, step: 0.5, format: (p) => `$${fixed(p, 2)}` });
  view.slider({ name: "share", text: "Of the roofline reached", min: 0.1, max: 1, step: 0.05, format: (p) => `${fixed(100 * p, 0)} %` });
  view.radios({ name: "chips", text: "Chips", options: [1, 2, 4, 8].map((n) => [n, `${n}`]) });
  view.radios({ name: "bits", text: "Weights and cache", options: [[16, "16 bits"], [8, "8 bits"], [4, "4 bits, cache 8"]] });
  view.radios({ name: "model", text: "Model", options: models.map((m, i) => [i, m.name]) });
  view.radios({ name: "chip", text: "Chip", options: chips.map((c, i) => [i, c.name]) });
  const show = {
    cost: view.readout("A million tokens", "copper"),
    each: view.readout("Tokens a second, each"),
    all: view.readout("Tokens a second, all"),
    seats: view.readout("Sequences that fit"),
  };
  view.start((width) => {
    const m = models[model.get("model")];
    const chip = chips[model.get("chip")];
    const s = { chips: model.get("chips"), bits: model.get("bits"), tokens: 2 ** model.get("tokens"), share: model.get("share"), price: model.get("price") };
    const batch = 2 ** model.get("batch");
    const seats = math.seats(m, chip, s);
    const fits = batch <= seats;
    const seconds = math.step(m, chip, s, batch);
    const cost = math.cost(m, chip, s, batch);
    const dollars = (v) => `$${v < 0.1 ? fixed(v, 3) : fixed(v, 2)}`;
    show.cost(fits ? dollars(cost) : "does not fit");
    show.each(fits ? fixed(1 / seconds, 1) : "does not fit");
    show.all(fits ? Math.round(batch / seconds).toLocaleString("en-US") : "does not fit");
    show.seats(seats.toLocaleString("en-US"));
    const log = Math.log10;
    const y = [-3, 2.5];
    const frame = panel(
      { x: 0, y: 0, width, height: 300 },
      {
        x: [0, log(4096)],
        y,
        title: "Dollars a million tokens",
        unit: "logarithmic",
        xlabel: "sequences at a time",
        xticks: range(7).map((i) => ({ at: log(4 ** i), text: (4 ** i).toLocaleString("en-US") })),
        yticks: range(6).map((i) => ({ at: i - 3, text: i < 3 ? fixed(10 ** (i - 3), 3 - i) : `${10 ** (i - 3)}` })),
        id: view.id("cost"),
      },
    );
    const curve = (last) =>
      linspace(0, log(last), 60).map((b) => frame.at([b, clamp(log(math.cost(m, chip, s, 10 ** b)), ...y)]));
    const beyond = path(curve(4096), 'stroke="var(--_rule)" stroke-width="2" stroke-dasharray="3 4"');
    const inside = seats >= 1 ? path(curve(Math.min(seats, 4096)), 'stroke="var(--_blue)" stroke-width="2.6"') : "";
    const edge = seats >= 1 && seats < 4096 ? `<path d="M${place(frame.sx(log(seats)))} ${frame.top}V${frame.bottom}" stroke="var(--_muted)" stroke-dasharray="2 4" fill="none"/>` : "";
    const point = frame.at([log(batch), clamp(log(cost), ...y)]);
    return {
      height: 300,
      words:
        `${m.name} in ${s.bits} bits on ${s.chips} x ${chip.name} at $${fixed(s.price, 2)} an hour each, ${fixed(100 * s.share, 0)} % of the roofline: ${batch} sequences of ${s.tokens} tokens ` +
        (fits
          ? `cost ${dollars(cost)} a million tokens, ${fixed(1 / seconds, 1)} tokens a second each.`
          : `do not fit; ${seats} do.`),
      markup: frame.axes + beyond + edge + inside + dot(point, 7, fits ? 'fill="var(--_copper)"' : 'fill="none" stroke="var(--_copper)" stroke-width="2"'),
    };
  });
  return view.stop;
}

export default { render };
