// A fitted scaling law: how to spend a budget of computation on a model and on its data.

export const math = {
  /** the fitted form: a floor, a price of being small, a price of having read little */
  loss: ({ E, A, B, alpha, beta }, N, D) => E + A / N ** alpha + B / D ** beta,
  /** the size that makes the loss least when six operations a weight and token are all there is */
  best({ A, B, alpha, beta }, C) {
    const N = ((alpha * A) / (beta * B)) ** (1 / (alpha + beta)) * (C / 6) ** (beta / (alpha + beta));
    return { N, D: C / (6 * N) };
  },
};

/** 1,234,567 as 1.2 M */
function count(value) {
  const units = [[1e12, " T"], [1e9, " G"], [1e6, " M"], [1e3, " k"]];
  const [scale, unit] = units.find(([s]) => value >= s * 0.9995) ?? [1, ""];
  const v = value / scale;
  return `${v >= 99.95 ? fixed(v, 0) : v >= 9.995 ? fixed(v, 0) : fixed(v, 1)}${unit}`;
}
const power = (value) => {
  const e = Math.floor(Math.log10(value) + 1e-9);
  return `${fixed(value / 10 ** e, 1)}·10${String(e).replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d])}`;
};

function render({ model, el }) {
  const { fit, runs, compute, sizes } = model.get("data");
  const view = stage({
    model,
    el,
    title: "How to spend a budget",
    lead:
      "A curve is one budget of computation. To the left the model is too small to use the data it could read; to the " +
      "right it is so large that there is little left to read. Open marks are runs that were made.",
  });
  view.slider({ name: "compute", text: "Operations, C", min: compute[0], max: compute[1], step: 0.1, format: (c) => power(10 ** c) });
  view.slider({ name: "size", text: "Weights of the model, N", min: sizes[0], max: sizes[1], step: 0.05, format: (n) => count(10 ** n) });
  const best = () => math.best(fit, 10 ** model.get("compute"));
  view.buttons(
    ["Go to the best size", () => view.glide({ size: clamp(Math.log10(best().N), ...sizes) })],
    ["Ten times the budget", () => view.write({ compute: model.get("compute") + 1 > compute[1] + 1e-9 ? compute[0] : model.get("compute") + 1 })],
  );
  const show = {
    data: view.readout("Tokens read, D"),
    ratio: view.readout("Tokens a weight"),
    loss: view.readout("Loss the fit foretells", "copper"),
    least: view.readout("Best possible at this budget", "blue"),
    where: view.readout("Best size"),
  };

  view.start((width) => {
    const [c, n] = [model.get("compute"), model.get("size")];
    const [C, N] = [10 ** c, 10 ** n];
    const D = C / (6 * N);
    const loss = math.loss(fit, N, D);
    const top = best();
    const least = math.loss(fit, top.N, top.D);
    show.data(count(D));
    show.ratio(D / N >= 10 ? fixed(D / N, 0) : fixed(D / N, 2));
    show.loss(`${fixed(loss, 3)} nats`);
    show.least(`${fixed(least, 3)} nats`);
    show.where(count(top.N));

    const budgets = range(Math.round(compute[1] - compute[0]) + 1).map((i) => compute[0] + i);
    const seen = linspace(sizes[0], sizes[1], 90);
    const curve = (budget) => seen.map((x) => [x, math.loss(fit, 10 ** x, 10 ** budget / (6 * 10 ** x))]);
    const lowest = Math.min(...budgets.map((b) => Math.min(...curve(b).map(([, y]) => y))));
    const middle = Math.min(...curve(compute[0]).map(([, y]) => y));
    const y = [lowest - 0.06 * (middle - lowest), middle + 0.75 * (middle - lowest)];
    const frame = panel(
      { x: 0, y: 0, width, height: 300 },
      {
        x: sizes, y, title: "Loss", unit: "nats a token", xlabel: "weights, N", id: view.id("law"),
        xticks: range(Math.floor(sizes[1]) - Math.ceil(sizes[0]) + 1).map((i) => {
          const at = Math.ceil(sizes[0]) + i;
          return { at, text: count(10 ** at) };
        }),
      },
    );
    const bottoms = linspace(compute[0] - 1, compute[1] + 1, 60).map((b) => {
      const { N: m, D: d } = math.best(fit, 10 ** b);
      return frame.at([Math.log10(m), math.loss(fit, m, d)]);
    });
    const marks = runs.map(([m, d, found, held]) => {
      const [x, v] = frame.at([Math.log10(m), found]);
      return held
        ? `<path d="M${place(x - 5)} ${place(v)}L${place(x)} ${place(v - 5)}L${place(x + 5)} ${place(v)}L${place(x)} ${place(v + 5)}Z" fill="var(--_paper)" stroke="var(--_ink)" stroke-width="1.8"/>`
        : dot([x, v], 3.4, 'fill="none" stroke="var(--_muted)" stroke-width="1.3"');
    });
    return {
      height: 300,
      words:
        `Budget ${power(C)} operations. A model of ${count(N)} weights reads ${count(D)} tokens and is foretold a loss of ${fixed(loss, 3)} nats. ` +
        `The best size for this budget is ${count(top.N)} with ${count(top.D)} tokens: ${fixed(least, 3)} nats.`,
      markup:
        frame.axes +
        frame.clip(
          budgets.map((b) => path(curve(b).map(frame.at), 'stroke="var(--_rule)" stroke-width="1.4"')).join("") +
            path(bottoms, 'stroke="var(--_blue)" stroke-width="1.6" stroke-dasharray="5 4"') +
            marks.join("") +
            path(curve(c).map(frame.at), 'class="ck-line" stroke="var(--_copper)"') +
            dot(frame.at([Math.log10(top.N), least]), 4.5, 'fill="var(--_blue)"') +
            dot(frame.at([n, loss]), 6.5, 'class="ck-here"'),
        ),
    };
  });
  return view.stop;
}

export default { render };
