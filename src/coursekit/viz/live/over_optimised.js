// Training on a learned reward: what it says, what it stands for, and the price of moving away.

export const math = {
  /** the record at which the gold measure was highest; the first of equals */
  turningPoint: ({ gold }) => gold.indexOf(Math.max(...gold)),
};

function render({ model, el }) {
  const { prices, runs } = model.get("data");
  const view = stage({
    model,
    el,
    title: "When to stop trusting a reward",
    lead:
      "The policy was trained on the dashed line, a reward learned from comparisons. The solid one is what the comparisons " +
      "were about; no training sees it. Go along the training, and make moving away dearer.",
  });
  const longest = Math.max(...runs.map(({ kl }) => kl.length)) - 1;
  view.radios({ name: "price", text: "Price of a nat", options: prices.map((p, i) => [i, p]) });
  view.slider({ name: "step", text: "Record of the training", min: 0, max: longest, step: 1, format: (t) => `${t}` });
  const run = () => runs[model.get("price")];
  view.buttons(
    ["Stop where gold is best", () => view.write({ step: math.turningPoint(run()) })],
    ["Train to the end", () => view.write({ step: longest })],
  );
  const show = {
    kl: view.readout("Divergence"),
    learned: view.readout("Learned reward", "blue"),
    gold: view.readout("Gold measure", "copper"),
    best: view.readout("Gold at its best"),
  };
  const all = (key) => runs.flatMap((r) => r[key]);
  const reach = Math.max(...all("kl")) || 1;
  const values = [...all("learned"), ...all("gold")];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = 0.06 * (high - low || 1);

  view.start((width) => {
    const { kl, learned, gold } = run();
    const price = prices[model.get("price")];
    const t = Math.min(model.get("step"), kl.length - 1);
    const top = math.turningPoint(run());
    show.kl(`${fixed(kl[t], 2)} nats`);
    show.learned(fixed(learned[t], 2));
    show.gold(fixed(gold[t], 2));
    show.best(`${fixed(gold[top], 2)} at ${fixed(kl[top], 2)} nats`);
    const frame = panel(
      { x: 0, y: 0, width, height: 300 },
      {
        x: [0, reach * 1.03], y: [low - margin, high + margin], title: "Reward", unit: width >= 480 ? "dashed: learned; solid: gold" : "",
        xlabel: "divergence from the reference, nats", id: view.id("over"),
      },
    );
    const line = (values, upTo) => kl.slice(0, upTo + 1).map((d, i) => frame.at([d, values[i]]));
    const faint = 'stroke="var(--_rule)" stroke-width="1.4"';
    const [x, y] = frame.at([kl[top], gold[top]]);
    return {
      height: 300,
      words:
        `Price ${price}, record ${t} of ${kl.length - 1}: divergence ${fixed(kl[t], 2)} nats, learned reward ${fixed(learned[t], 2)}, gold measure ` +
        `${fixed(gold[t], 2)}. Gold was highest at ${fixed(kl[top], 2)} nats, ${fixed(gold[top], 2)}.`,
      markup:
        frame.axes +
        frame.clip(
          runs.map((r) => path(r.kl.map((d, i) => frame.at([d, r.gold[i]])), faint)).join("") +
            path(line(learned, kl.length - 1), 'stroke="var(--_blue)" stroke-width="1.2" stroke-dasharray="6 4" opacity=".5"') +
            path(line(gold, kl.length - 1), 'stroke="var(--_copper)" stroke-width="1.2" opacity=".5"') +
            path(line(learned, t), 'stroke="var(--_blue)" stroke-width="2.2" stroke-dasharray="6 4"') +
            path(line(gold, t), 'class="ck-line" stroke="var(--_copper)"') +
            `<path d="M${place(x - 6)} ${place(y)}L${place(x)} ${place(y - 6)}L${place(x + 6)} ${place(y)}L${place(x)} ${place(y + 6)}Z" fill="none" stroke="var(--_copper)" stroke-width="1.8"/>` +
            dot(frame.at([kl[t], learned[t]]), 4.5, 'fill="var(--_blue)"') +
            dot(frame.at([kl[t], gold[t]]), 6.5, 'class="ck-here"'),
        ),
    };
  });
  return view.stop;
}

export default { render };
