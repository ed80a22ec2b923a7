// Temperature, top-k, top-p and min-p on next-token distributions of a real model.

export const math = {
  softmax(logits) {
    const top = Math.max(...logits);
    const raised = logits.map((z) => Math.exp(z - top)); // no exponent above zero
    const total = sum(raised);
    return raised.map((r) => r / total);
  },
  /** the share of what is kept, summing to one */
  share(p, kept) {
    const total = sum(p.map((v, i) => (kept[i] ? v : 0)));
    return p.map((v, i) => (kept[i] ? v / total : 0));
  },
  // Logits come sorted, largest first, so that each filter keeps a beginning of the list.
  topK: (p, k) => math.share(p, p.map((_, i) => i < k)),
  /** the fewest tokens whose probabilities reach `mass` */
  topP(p, mass) {
    let before = 0;
    const kept = p.map((v) => {
      const keep = v > 0 && before < mass;
      before += v;
      return keep;
    });
    return math.share(p, kept);
  },
  minP: (p, floor) => math.share(p, p.map((v) => v > 0 && v >= floor * p[0])),
  /** in this order, each on what the one before left */
  filtered: (logits, { temperature, k, mass, floor }) =>
    math.minP(math.topP(math.topK(math.softmax(logits.map((z) => z / temperature)), k), mass), floor),
  entropy: (p) => -sum(p.map((v) => (v > 0 ? v * Math.log(v) : 0))),
};

function render({ model, el }) {
  const { prompts } = model.get("data");
  const size = prompts[0].logits.length;
  const rows = prompts[0].names.length;
  const view = stage({
    model,
    el,
    title: "Choosing the next token",
    lead:
      "The bars are a language model's own probabilities for what comes next. Heat or cool them, then cut: by a count, " +
      "by a mass, or relative to the best. What is left is scaled up to one, and a token is drawn from it.",
  });
  view.radios({ name: "prompt", text: "After the words", options: prompts.map(({ text }, i) => [i, `…${text}`]) });
  view.slider({
    name: "temperature", text: "Temperature", min: -3, max: 2, step: 0.1, format: (t) => fixed(t, 2),
    position: Math.log2, value: (v) => 2 ** v,
  });
  const ladder = range(25).map((i) => Math.max(i + 1, Math.round(size ** (i / 24)))); // 1, 2, 3, … size
  view.slider({
    name: "k", text: "Top-k", min: 0, max: 24, step: 1, format: (k) => (k >= size ? "off" : `${k}`),
    position: (k) => ladder.findIndex((s) => s >= k), value: (v) => ladder[v],
  });
  view.slider({ name: "mass", text: "Top-p", min: 0.05, max: 1, step: 0.05, format: (p) => (p >= 1 ? "off" : fixed(p, 2)) });
  view.slider({ name: "floor", text: "Min-p", min: 0, max: 0.5, step: 0.01, format: (p) => (p ? fixed(p, 2) : "off") });
  const off = { temperature: 1, k: size, mass: 1, floor: 0 };
  view.buttons(
    ["Top-p 0.9", () => view.write({ ...off, mass: 0.9 })],
    ["Hot, with min-p 0.1", () => view.write({ ...off, temperature: 2, floor: 0.1 })],
    ["Greedy", () => view.write({ ...off, k: 1 })],
    ["All off", () => view.write(off)],
  );
  const show = {
    kept: view.readout("Tokens that can be drawn", "blue"),
    many: view.readout("As if so many were equally likely"),
    entropy: view.readout("Entropy"),
    tail: view.readout("Chance of a token outside the list"),
  };

  view.start((width) => {
    const [prompt, temperature, k, mass, floor] = ["prompt", "temperature", "k", "mass", "floor"].map((n) => model.get(n));
    const { names, logits, text } = prompts[prompt];
    const p = math.softmax(logits);
    const q = math.filtered(logits, { temperature, k, mass, floor });
    const kept = q.filter((v) => v > 0).length;
    const entropy = math.entropy(q);
    const tail = sum(q.slice(rows));
    show.kept(`${kept} of ${size}`);
    show.many(fixed(Math.exp(entropy), 1));
    show.entropy(`${fixed(entropy, 2)} nats`);
    show.tail(fixed(tail, 3));

    const wide = width >= 560;
    const gutter = wide ? 120 : 96;
    const bars = { left: gutter, right: width - 96 };
    const reach = Math.max(0.05, ...q, ...p);
    const long = (v) => (v / reach) * (bars.right - bars.left);
    const line = bars.left + long(floor * q[0]);
    const list = names.map((name, i) => {
      const y = 42 + 23 * i;
      const gone = q[i] === 0;
      return (
        label(gutter - 10, y + 12, name.replace(/ /g, "·"), `text-anchor="end" style="font-family:IBM Plex Mono,ui-monospace,monospace;font-size:12.5px${gone ? ";fill:var(--_muted)" : ""}"`) +
        (gone ? "" : `<rect x="${bars.left}" y="${y}" width="${place(Math.max(1, long(q[i])))}" height="15" rx="2" fill="var(--_blue)"/>`) +
        `<path d="M${place(bars.left + long(p[i]))} ${y - 2}v19" stroke="var(--_copper)" stroke-width="2.4"/>` +
        label(width - 2, y + 12, gone ? "cut" : fixed(q[i], 3), 'text-anchor="end" class="ck-tick"')
      );
    });
    const rest = 42 + 23 * rows;
    return {
      height: rest + 20,
      words:
        `After “${text}”, temperature ${fixed(temperature, 2)}, top-k ${k >= size ? "off" : k}, top-p ${mass >= 1 ? "off" : fixed(mass, 2)}, ` +
        `min-p ${floor ? fixed(floor, 2) : "off"}: ${kept} of ${size} tokens can be drawn. Likeliest: ` +
        `${names.slice(0, 4).filter((_, i) => q[i]).map((n, i) => `${n} ${fixed(q[i], 3)}`).join(", ")}. Entropy ${fixed(entropy, 2)} nats.`,
      markup:
        `<text x="0" y="14" class="ck-heading">Next token<tspan class="ck-unit" dx="7">${wide ? "copper mark: as the model gave it; dotted: min-p" : "copper: the model’s own"}</tspan></text>` +
        label(width - 2, 32, "chance", 'text-anchor="end" class="ck-tick"') +
        `<path d="M${bars.left} 36V${rest - 4}" class="ck-axis"/>` +
        list.join("") +
        (floor ? `<path d="M${place(line)} 36V${rest - 4}" stroke="var(--_ink)" stroke-dasharray="1.5 4"/>` : "") +
        label(gutter - 10, rest + 12, `${size - rows} others`, 'text-anchor="end" class="ck-tick"') +
        `<rect x="${bars.left}" y="${rest + 1}" width="${place(Math.max(0.5, Math.min(long(tail), bars.right - bars.left)))}" height="13" rx="2" fill="var(--_muted)" opacity=".6"/>` +
        label(width - 2, rest + 12, fixed(tail, 3), 'text-anchor="end" class="ck-tick"'),
    };
  });
  return view.stop;
}

export default { render };
