// Logits to probabilities, and what the right class's probability costs.

export const math = {
  logSoftmax(logits, temperature) {
    const scaled = logits.map((z) => z / temperature);
    const top = Math.max(...scaled); // no exponent above zero, so nothing overflows
    const total = top + Math.log(sum(scaled.map((z) => Math.exp(z - top))));
    return scaled.map((z) => z - total);
  },
  softmax: (logits, temperature) => math.logSoftmax(logits, temperature).map(Math.exp),
  crossEntropy: (logits, temperature, label) => -math.logSoftmax(logits, temperature)[label],
  /** of the cross-entropy, with respect to the logits */
  gradient: (logits, temperature, label) =>
    math.softmax(logits, temperature).map((p, k) => (p - (k === label ? 1 : 0)) / temperature),
};

function render({ model, el }) {
  const { names } = model.get("data");
  const view = stage({
    model,
    el,
    title: "Softmax: from scores to probabilities",
    lead:
      "Raise one logit and every probability moves. The loss looks at the right class alone; its " +
      "gradient pulls that logit up and pushes the others down, each by its probability.",
  });
  names.forEach((name, k) =>
    view.slider({
      name: "logits",
      text: `Logit of ${name}`,
      min: -5,
      max: 5,
      step: 0.1,
      format: (z) => fixed(z[k], 1),
      position: (z) => z[k],
      value: (v) => model.get("logits").map((z, i) => (i === k ? v : z)),
    }),
  );
  view.slider({
    name: "temperature",
    text: "Temperature",
    min: -3,
    max: 3,
    step: 0.1,
    format: (t) => fixed(t, 2),
    position: Math.log2,
    value: (v) => 2 ** v,
  });
  view.radios({ name: "label", text: "Right class", options: names.map((name, k) => [k, name]) });
  const step = () => {
    const slope = math.gradient(model.get("logits"), model.get("temperature"), model.get("label"));
    view.write({ logits: model.get("logits").map((z, k) => clamp(z - slope[k], -5, 5)) });
  };
  view.buttons(["One gradient step on the logits", step]);
  const show = {
    loss: view.readout("Cross-entropy", "copper"),
    right: view.readout("Probability of the right class"),
    uniform: view.readout("Loss of equal probabilities"),
  };
  view.start((width) => {
    const [logits, temperature, right] = ["logits", "temperature", "label"].map((name) => model.get(name));
    const p = math.softmax(logits, temperature);
    const slope = math.gradient(logits, temperature, right);
    const loss = math.crossEntropy(logits, temperature, right);
    show.loss(`${fixed(loss, 3)} nats`);
    show.right(fixed(p[right], 3));
    show.uniform(`${fixed(Math.log(names.length), 3)} nats`);

    const gutter = Math.min(130, 20 + 8 * Math.max(...names.map((n) => n.length)));
    const wide = width >= 560;
    const first = wide ? width * 0.6 : width - 8;
    const rows = { top: 34, each: 36 };
    const height = rows.top + rows.each * names.length + 8;
    const bars = { left: gutter, right: first - 54 };
    const pulls = wide ? { left: first + 24, right: width - 10, top: 0 } : { left: gutter, right: width - 50, top: height + 14 };
    const middle = (pulls.left + pulls.right) / 2;
    const reach = Math.max(1, ...slope.map(Math.abs));
    const marks = names.map((name, k) => {
      const y = rows.top + rows.each * k;
      const tone = k === right ? "copper" : "blue";
      const end = bars.left + p[k] * (bars.right - bars.left);
      const pull = (-slope[k] / reach) * ((pulls.right - pulls.left) / 2 - 40);
      const low = pulls.top + y + 11;
      const tip = middle + pull;
      const head = Math.abs(pull) > 3 ? `M${place(tip - 5 * Math.sign(pull))} ${low - 5}L${place(tip)} ${low}l${-5 * Math.sign(pull)} 5` : "";
      return (
        label(gutter - 10, y + 15, name, 'text-anchor="end"') +
        (wide ? "" : label(gutter - 10, low + 4, name, 'text-anchor="end"')) +
        `<rect x="${bars.left}" y="${y}" width="${place(bars.right - bars.left)}" height="22" rx="3" fill="var(--_rule)" opacity=".45"/>` +
        `<rect x="${bars.left}" y="${y}" width="${place(Math.max(1, end - bars.left))}" height="22" rx="3" fill="var(--_${tone})"/>` +
        label(bars.right + 8, y + 15, fixed(p[k], 3), 'class="ck-tick"') +
        `<path d="M${place(middle)} ${low}H${place(tip)}${head}" fill="none" stroke="var(--_${tone})" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/>` +
        label(tip + (pull < 0 ? -8 : 8), low + 4, `${slope[k] < 0 ? "+" : ""}${fixed(-slope[k], 2)}`, `text-anchor="${pull < 0 ? "end" : "start"}" class="ck-tick"`)
      );
    });
    const heading = (x, y, words, unit) =>
      `<text x="${place(x)}" y="${y + 14}" class="ck-heading">${esc(words)}<tspan class="ck-unit" dx="7">${esc(unit)}</tspan></text>`;
    return {
      height: wide ? height : 2 * height + 14,
      words:
        `Probabilities at temperature ${fixed(temperature, 2)}: ${names.map((n, k) => `${n} ${fixed(p[k], 3)}`).join(", ")}. ` +
        `The right class is ${names[right]}; the cross-entropy is ${fixed(loss, 3)} nats.`,
      markup:
        heading(0, 0, "Probability", "copper: the right class") +
        heading(wide ? pulls.left : 0, pulls.top, "Pull on each logit", "minus the gradient") +
        `<path d="M${place(middle)} ${pulls.top + rows.top - 4}v${rows.each * names.length}" class="ck-axis"/>` +
        marks.join(""),
    };
  });
  return view.stop;
}

export default { render };
