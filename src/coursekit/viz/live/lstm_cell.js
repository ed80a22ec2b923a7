// One LSTM cell of width one, its gates under the reader's hand, beside a plain recurrent unit.

const LOGISTIC = (z) => 1 / (1 + Math.exp(-z));

export const math = {
  /** gates, memory and output of the cell; weights are b_i, w_i, b_f, w_f, b_o */
  lstm([bi, wi, bf, wf, bo], values, flags) {
    const gates = flags.map((u) => ({ i: LOGISTIC(bi + wi * u), f: LOGISTIC(bf + wf * u), o: LOGISTIC(bo) }));
    const c = [];
    gates.forEach(({ i, f }, t) => c.push(f * (c[t - 1] ?? 0) + i * Math.tanh(values[t])));
    return { gates, c, h: c.map((v, t) => gates[t].o * Math.tanh(v)) };
  },

  /** the plain unit h_t = tanh(w h_{t-1} + x_t), which has no gate and hears everything */
  rnn(w, values) {
    const h = [];
    values.forEach((x, t) => h.push(Math.tanh(w * (h[t - 1] ?? 0) + x)));
    return h;
  },

  /** slope of the last memory in the one at each time: products of forget gates, back from the end */
  carried: (gates) => math.backwards(gates.map(({ f }) => f)),
  /** the same for the plain unit: products of w (1 - h²) */
  carriedPlain: (w, h) => math.backwards(h.map((v) => w * (1 - v * v))),

  /** from factors a_1 … a_T the products a_{t+1} … a_T, for every t */
  backwards(factors) {
    const out = factors.map(() => 1);
    for (let t = factors.length - 2; t >= 0; t--) out[t] = factors[t + 1] * out[t + 1];
    return out;
  },
};

const GATE_LINES = [
  ["i", "input i", "blue", ""],
  ["f", "forget f", "copper", "7 3"],
  ["o", "output o", "teal", "2 3"],
];
const SLIDERS = ["b_i: input gate, always", "w_i: input gate, at a flag", "b_f: forget gate, always", "w_f: forget gate, at a flag", "b_o: output gate, always"];
const CELLS = {
  "Keep what was flagged": [-6, 12, 6, -12, 6],
  "Add everything up": [6, 0, 6, 0, 6],
  "Leak": [-6, 12, 1.2, -1.2, 6],
};

function render({ model, el }) {
  const { values, flags } = model.get("data");
  const T = values.length;
  const last = flags.lastIndexOf(1);
  const view = stage({
    model,
    el,
    dense: true,
    title: "An LSTM cell: move its gates, watch its memory",
    lead:
      "Numbers arrive one at a time; a flag marks those that matter. A gate is a number from 0 (shut) to 1 (open): " +
      "σ(b) without a flag, σ(b + w) with one.",
  });
  SLIDERS.forEach((text, k) =>
    view.slider({
      name: "weights",
      text,
      min: -15,
      max: 15,
      step: 0.2,
      format: (w) => fixed(w[k], 1),
      position: (w) => w[k],
      value: (v) => model.get("weights").map((old, i) => (i === k ? v : old)),
    }),
  );
  view.slider({ name: "recurrent", text: "w of the plain unit", min: 0, max: 2, step: 0.05, format: (w) => fixed(w, 2) });
  view.buttons(...Object.entries(CELLS).map(([words, weights]) => [words, () => view.write({ weights })]));
  const show = {
    memory: view.readout("Memory at the end", "copper"),
    wanted: view.readout("tanh of the last flagged number"),
    gated: view.readout("Slope of the end's memory in the flagged one", "copper", "ck-broad"),
    plain: view.readout("The same slope in the plain unit", "violet", "ck-broad"),
  };

  view.start((width) => {
    const weights = model.get("weights");
    const w = model.get("recurrent");
    const { gates, c, h } = math.lstm(weights, values, flags);
    const plain = math.rnn(w, values);
    const slope = math.carried(gates)[last];
    const slopePlain = math.carriedPlain(w, plain)[last];
    show.memory(fixed(c[T - 1], 3));
    show.wanted(fixed(Math.tanh(values[last]), 3));
    show.gated(short(slope));
    show.plain(short(slopePlain));

    const reach = Math.max(1.2, ...c.map((v) => Math.abs(v) * 1.1));
    const box = (y, height) => ({ x: 0, y, width, height });
    const xticks = range(Math.ceil(T / 4)).map((k) => ({ at: 4 * k + 1, text: `${4 * k + 1}` }));
    const across = { x: [0.4, T + 0.6], xlabel: "time t", xticks };
    const top = panel(box(0, 150), { ...across, y: [-1.6, 1.6], title: "What arrives", unit: "copper with a flag", yticks: ticks(-1, 1, 2), id: view.id("in") });
    const middle = panel(box(154, 158), { ...across, y: [-0.05, 1.05], title: "Gates", yticks: ticks(0, 1, 2), id: view.id("gates") });
    const low = panel(box(336, 214), { ...across, y: [-reach, reach], title: "What is remembered", id: view.id("memory") });
    const bars = values.map((x, t) => {
      const [u, v] = top.at([t + 1, x]);
      const half = Math.min(9, (top.right - top.left) / T / 3);
      const tone = flags[t] ? "copper" : "muted";
      const flag = flags[t] ? `<path d="M${place(u)} ${place(top.sy(1.58))}v12m0 -12l9 4l-9 4" fill="var(--_copper)" stroke="var(--_copper)" stroke-width="1.6"/>` : "";
      return `<rect x="${place(u - half)}" y="${place(Math.min(v, top.sy(0)))}" width="${place(2 * half)}" height="${place(Math.max(1, Math.abs(v - top.sy(0))))}" fill="var(--_${tone})"/>${flag}`;
    });
    const line = (on, list, tone, dashes) =>
      path(list.map((v, t) => on.at([t + 1, v])), `class="ck-line" stroke="var(--_${tone})" stroke-dasharray="${dashes}"`);
    const key = (items, y) => {
      let x = 0;
      return items.map(([words, tone, dashes]) => {
        const here = x;
        x += 6.3 * words.length + 46;
        return `<path d="M${place(here)} ${y}h22" stroke="var(--_${tone})" stroke-width="2.4" stroke-dasharray="${dashes}"/>` + label(here + 27, y + 4, words);
      }).join("");
    };
    const zero = `<path d="M${low.left} ${place(low.sy(0))}H${low.right}" class="ck-axis"/>`;
    return {
      height: 562,
      words:
        `Memory of the cell at the end ${fixed(c[T - 1], 3)}; the last flagged number gives ${fixed(Math.tanh(values[last]), 3)}. ` +
        `Input gate ${fixed(LOGISTIC(weights[0]), 4)} without a flag and ${fixed(LOGISTIC(weights[0] + weights[1]), 4)} with one; ` +
        `forget gate ${fixed(LOGISTIC(weights[2]), 4)} and ${fixed(LOGISTIC(weights[2] + weights[3]), 4)}; output gate ${fixed(LOGISTIC(weights[4]), 4)}. ` +
        `Slope of the memory at the end in the last flagged one: ${short(slope)}; in the plain unit with w ${fixed(w, 2)}: ${short(slopePlain)}.`,
      markup:
        top.axes + bars.join("") +
        `<path d="M${top.left} ${place(top.sy(0))}H${top.right}" class="ck-axis"/>` +
        middle.axes + GATE_LINES.map(([name, , tone, dashes]) => line(middle, gates.map((g) => g[name]), tone, dashes)).join("") +
        key(GATE_LINES.map(([, words, tone, dashes]) => [words, tone, dashes]), 318) +
        low.axes + zero + low.clip(line(low, plain, "violet", "2 3") + line(low, h, "blue", "7 3") + line(low, c, "copper", "")) +
        c.map((v, t) => dot(low.at([t + 1, v]), 3.2, 'fill="var(--_copper)"')).join("") +
        key([["memory c", "copper", ""], ["output h", "blue", "7 3"], ["plain unit", "violet", "2 3"]], 556),
    };
  });
  return view.stop;
}

export default { render };
