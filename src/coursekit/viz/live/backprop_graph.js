// Backpropagation number by number: a network of two inputs, two hidden units and one output.

const SIGMA = (z) => 1 / (1 + Math.exp(-z));
const SLOPE = (z) => SIGMA(z) * (1 - SIGMA(z));

export const math = {
  /** every number of the forward and the backward pass; weights are W[1] by rows, w[1], W[2], w[2] */
  run([a, b, c, d, e, f, g, h, k], x, y) {
    const z1 = [a * x[0] + b * x[1] + e, c * x[0] + d * x[1] + f];
    const o1 = z1.map(SIGMA);
    const z2 = g * o1[0] + h * o1[1] + k;
    const o2 = SIGMA(z2);
    const loss = (o2 - y) ** 2;
    const go2 = 2 * (o2 - y);
    const gz2 = go2 * SLOPE(z2); // (1)
    const gW2 = o1.map((o) => o * gz2); // (2)
    const gw2 = gz2; // (3)
    const go1 = [g, h].map((w) => w * gz2); // (4)
    const gz1 = go1.map((v, j) => v * SLOPE(z1[j]));
    const gW1 = gz1.map((v) => x.map((o) => o * v));
    const gw1 = gz1;
    const gx = [a * gz1[0] + c * gz1[1], b * gz1[0] + d * gz1[1]];
    return { z1, o1, z2, o2, loss, go2, gz2, gW2, gw2, go1, gz1, gW1, gw1, gx };
  },
  /** the gradient in the order of the weights */
  gradient({ gW1, gw1, gW2, gw2 }) {
    return [...gW1.flat(), ...gw1, ...gW2, gw2];
  },
};

const NAMES = ["W[1]₁₁", "W[1]₁₂", "W[1]₂₁", "W[1]₂₂", "w[1]₁", "w[1]₂", "W[2]₁", "W[2]₂", "w[2]"];
const SUB = ["₁", "₂"];
const n3 = (v) => fixed(v, 3);
const in3 = (v) => (n3(v).startsWith("−") ? `(${n3(v)})` : n3(v));
const small = (v) => fixed(v, 4);
const in4 = (v) => (small(v).startsWith("−") ? `(${small(v)})` : small(v));

/** The steps: which numbers appear, what is marked, and the formula in symbols and numbers. */
function walk(w, x, y, r) {
  const steps = [{ title: "Before the start", marks: [], shows: [], lines: ["Inputs, weights and the target are known.", "Go forward step by step, then back."] }];
  const add = (title, marks, shows, ...lines) => steps.push({ title, marks, shows, lines });
  range(2).forEach((j) => {
    const s = SUB[j];
    const row = [w[2 * j], w[2 * j + 1]];
    add("Forward, affine map", [`z1${j}`, `e0${j}`, `e1${j}`], [`z1${j}`], `z[1]${s} = W[1]${s}₁ x₁ + W[1]${s}₂ x₂ + w[1]${s}`, `= ${in3(row[0])}·${in3(x[0])} + ${in3(row[1])}·${in3(x[1])} + ${in3(w[4 + j])}`, `= ${n3(r.z1[j])}`);
    add("Forward, activation", [`o1${j}`], [`o1${j}`], `o[1]${s} = σ(z[1]${s}) = σ(${n3(r.z1[j])})`, `= ${n3(r.o1[j])}`);
  });
  add("Forward, affine map", ["z2", "v0", "v1"], ["z2"], "z[2] = W[2]₁ o[1]₁ + W[2]₂ o[1]₂ + w[2]", `= ${in3(w[6])}·${n3(r.o1[0])} + ${in3(w[7])}·${n3(r.o1[1])} + ${in3(w[8])}`, `= ${n3(r.z2)}`);
  add("Forward, activation", ["o2"], ["o2"], `o[2] = σ(z[2]) = σ(${n3(r.z2)})`, `= ${n3(r.o2)}`);
  add("Forward, loss", ["f", "l"], ["f"], `f = (o[2] − y)² = (${n3(r.o2)} − ${in3(y)})²`, `= ${small(r.loss)}`);
  add("Backward, at the output", ["o2", "l"], ["go2"], `∂f/∂o[2] = 2 (o[2] − y) = 2·(${n3(r.o2)} − ${in3(y)})`, `= ${small(r.go2)}`);
  add("Formula (1), in matrices (5)", ["z2"], ["gz2"], "∂f/∂z[2] = ∂f/∂o[2] · σ′(z[2])", `= ${in4(r.go2)}·${small(SLOPE(r.z2))}`, `= ${small(r.gz2)}`);
  range(2).forEach((l) => add("Formula (2), in matrices (6)", [`v${l}`], [`gW2${l}`], `∂f/∂W[2]${SUB[l]} = o[1]${SUB[l]} · ∂f/∂z[2]`, `= ${n3(r.o1[l])}·${in4(r.gz2)}`, `= ${small(r.gW2[l])}`));
  add("Formula (3), in matrices (7)", ["b2"], ["gw2"], "∂f/∂w[2] = ∂f/∂z[2]", `= ${small(r.gw2)}`);
  range(2).forEach((l) => add("Formula (4), in matrices (8)", [`o1${l}`, `v${l}`], [`go1${l}`], `∂f/∂o[1]${SUB[l]} = W[2]${SUB[l]} · ∂f/∂z[2]`, `= ${in3(w[6 + l])}·${in4(r.gz2)}`, `= ${small(r.go1[l])}`));
  range(2).forEach((j) => {
    const s = SUB[j];
    add("Formula (1), in matrices (5)", [`z1${j}`], [`gz1${j}`], `∂f/∂z[1]${s} = ∂f/∂o[1]${s} · σ′(z[1]${s})`, `= ${in4(r.go1[j])}·${small(SLOPE(r.z1[j]))}`, `= ${small(r.gz1[j])}`);
    range(2).forEach((l) => add("Formula (2), in matrices (6)", [`e${l}${j}`], [`gW1${j}${l}`], `∂f/∂W[1]${s}${SUB[l]} = x${SUB[l]} · ∂f/∂z[1]${s}`, `= ${in3(x[l])}·${in4(r.gz1[j])}`, `= ${small(r.gW1[j][l])}`));
    add("Formula (3), in matrices (7)", [`b1${j}`], [`gw1${j}`], `∂f/∂w[1]${s} = ∂f/∂z[1]${s}`, `= ${small(r.gw1[j])}`);
  });
  range(2).forEach((l) => add("Formula (4), in matrices (8)", [`x${l}`, `e${l}0`, `e${l}1`], [`gx${l}`], `∂f/∂x${SUB[l]} = W[1]₁${SUB[l]} ∂f/∂z[1]₁ + W[1]₂${SUB[l]} ∂f/∂z[1]₂`, `= ${in3(w[l])}·${in4(r.gz1[0])} + ${in3(w[2 + l])}·${in4(r.gz1[1])}`, `= ${small(r.gx[l])}`));
  return steps;
}

/** Escaped text whose [1] and [2] are raised. */
const raised = (text) =>
  esc(text).replace(/(\[\d\])(.?)/g, '<tspan dy="-4" font-size="9.5">$1</tspan><tspan dy="4">$2</tspan>');
const write = (x, y, text, attributes = "") => `<text x="${place(x)}" y="${place(y)}" ${attributes}>${raised(text)}</text>`;

function render({ model, el }) {
  const { x, y } = model.get("data");
  const run = () => math.run(model.get("weights"), x, y);
  const last = walk(model.get("weights"), x, y, run()).length - 1;
  const view = stage({
    model,
    el,
    dense: true,
    title: "Backpropagation, number by number",
    lead:
      "Two inputs, two sigmoid units, one sigmoid output, squared error. Values in ink go forward, " +
      "gradients in copper come back; each step is one formula of the chapter.",
  });
  view.slider({ name: "step", text: "Step", min: 0, max: last, step: 1, format: (k) => `${k} of ${last}` });
  NAMES.forEach((name, i) =>
    view.slider({
      name: "weights",
      text: name,
      min: -3,
      max: 3,
      step: 0.05,
      format: (w) => fixed(w[i], 2),
      position: (w) => w[i],
      value: (v) => model.get("weights").map((old, k) => (k === i ? v : old)),
    }),
  );
  const go = (by) => () => view.write({ step: clamp(model.get("step") + by, 0, last) });
  const descend = () => {
    const slopes = math.gradient(run());
    view.write({ weights: model.get("weights").map((w, i) => clamp(w - slopes[i], -3, 3)) });
  };
  view.buttons(["Next step", go(1)], ["Step back", go(-1)], ["Change the weights by −1 · gradient", descend]);
  const show = {
    output: view.readout("Output o, after the forward pass", "blue"),
    loss: view.readout("Loss f"),
    target: view.readout("Target y"),
  };

  view.start((width) => {
    const w = model.get("weights");
    const r = run();
    const k = model.get("step");
    const steps = walk(w, x, y, r);
    const { title, marks, lines } = steps[k];
    const known = new Set(steps.slice(0, k + 1).flatMap((s) => s.shows));
    const back = title.startsWith("Formula") || title.startsWith("Backward");
    const tone = back ? "copper" : "blue";
    show.output(known.has("o2") ? n3(r.o2) : "not yet known");
    show.loss(known.has("f") ? small(r.loss) : "not yet known");
    show.target(n3(y));

    const wide = width >= 560;
    const top = 92; // below the words
    const unit = { w: Math.min(146, (width - 6) / 2), h: 78 };
    const flat = { w: 78, h: 44 };
    const gap = (width - 2 * flat.w - 2 * unit.w) / 3;
    const lefts = [0, flat.w + gap, flat.w + unit.w + 2 * gap, flat.w + 2 * unit.w + 3 * gap];
    const tops = [4, 172, 322, 446];
    /** box of a column, `across` from 0 to 1; the columns become rows where the page is narrow */
    const at = (column, across) => {
      const size = column === 0 || column === 3 ? flat : unit;
      return wide
        ? { x: lefts[column], y: top + 10 + across * 158 + (unit.h - size.h) / 2, ...size }
        : { x: 1 + across * (width - 2 - unit.w) + (unit.w - size.w) / 2, y: top + tops[column], ...size };
    };
    const boxes = { x: [at(0, 0), at(0, 1)], h: [at(1, 0), at(1, 1)], o: at(2, 0.5), f: at(3, 0.5) };
    const leave = (b) => (wide ? [b.x + b.w, b.y + b.h / 2] : [b.x + b.w / 2, b.y + b.h]);
    const enter = (b) => (wide ? [b.x, b.y + b.h / 2] : [b.x + b.w / 2, b.y]);
    const edge = (name, from, to, share, value, gradient) => {
      const [p, q] = [leave(from), enter(to)];
      const on = marks.includes(name);
      const middle = [p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])];
      return [
        path([p, q], `stroke="var(--_${on ? tone : "rule"})" stroke-width="${on ? 3 : 1.6}"`),
        value === null
          ? ""
          : label(middle[0], middle[1] - 2, value, 'text-anchor="middle" class="ck-halo"') +
            (gradient === null ? "" : label(middle[0], middle[1] + 12, gradient, 'text-anchor="middle" class="ck-halo" style="fill:var(--_copper)"')),
      ];
    };
    const slope = (key, v) => (known.has(key) ? `∂ ${small(v)}` : null);
    const edges = [
      ...range(4).map((n) => {
        const [l, j] = [n % 2, n >> 1];
        const share = l === j ? 0.6 : wide ? 0.31 : 0.27;
        return edge(`e${l}${j}`, boxes.x[l], boxes.h[j], share, fixed(w[2 * j + l], 2), slope(`gW1${j}${l}`, r.gW1[j][l]));
      }),
      ...range(2).map((l) => edge(`v${l}`, boxes.h[l], boxes.o, 0.5, fixed(w[6 + l], 2), slope(`gW2${l}`, r.gW2[l]))),
      edge("l", boxes.o, boxes.f, 0.5, null, null),
    ];
    const cell = (box, name, text, value, gradient) => {
      const on = marks.includes(name);
      const middle = box.x + box.w / 2;
      return (
        `<rect x="${place(box.x)}" y="${place(box.y)}" width="${place(box.w)}" height="${box.h}" rx="6" fill="var(--_panel)" stroke="var(--_${on ? tone : "rule"})" stroke-width="${on ? 2.6 : 1}"/>` +
        write(middle, box.y + 17, value === null ? text : `${text} ${value}`, 'text-anchor="middle"') +
        (gradient === null ? "" : label(middle, box.y + 34, gradient, 'text-anchor="middle" style="fill:var(--_copper)"'))
      );
    };
    const value = (key, v) => (known.has(key) ? n3(v) : null);
    const neuron = (box, i, z, o, b, gradients) => {
      const half = { ...box, w: box.w / 2, h: 48 };
      const bias = { ...box, y: box.y + 48, h: 30 };
      const words = `${i.bias} ${fixed(b, 2)}`;
      const g = gradients.bias;
      return (
        `<rect x="${place(bias.x)}" y="${place(bias.y - 8)}" width="${place(bias.w)}" height="38" rx="6" fill="var(--_paper)" stroke="var(--_${marks.includes(i.mark) ? tone : "rule"})" stroke-width="${marks.includes(i.mark) ? 2.6 : 1}"/>` +
        cell(half, i.z, "z", z, gradients.z) +
        cell({ ...half, x: box.x + half.w }, i.o, "o", o, gradients.o) +
        write(bias.x + (g === null ? bias.w / 2 : 8), bias.y + 20, words, g === null ? 'text-anchor="middle"' : "") +
        (g === null ? "" : label(bias.x + bias.w - 8, bias.y + 20, g, 'text-anchor="end" style="fill:var(--_copper)"'))
      );
    };
    const marksUp = [
      ...range(2).map((l) => cell(boxes.x[l], `x${l}`, `x${SUB[l]}`, n3(x[l]), slope(`gx${l}`, r.gx[l]))),
      ...range(2).map((j) =>
        neuron(boxes.h[j], { z: `z1${j}`, o: `o1${j}`, mark: `b1${j}`, bias: `w` }, value(`z1${j}`, r.z1[j]), value(`o1${j}`, r.o1[j]), w[4 + j], {
          z: slope(`gz1${j}`, r.gz1[j]),
          o: slope(`go1${j}`, r.go1[j]),
          bias: slope(`gw1${j}`, r.gw1[j]),
        }),
      ),
      neuron(boxes.o, { z: "z2", o: "o2", mark: "b2", bias: "w" }, value("z2", r.z2), value("o2", r.o2), w[8], {
        z: slope("gz2", r.gz2),
        o: slope("go2", r.go2),
        bias: slope("gw2", r.gw2),
      }),
      cell(boxes.f, "f", "f", known.has("f") ? small(r.loss) : null, null),
    ];
    return {
      height: wide ? top + 270 : boxes.f.y + boxes.f.h + 8,
      words: `Step ${k} of ${last}. ${title}: ${lines.join(" ")} Weights ${w.map((v) => fixed(v, 2)).join(", ")}.`,
      markup:
        `<rect x="0" y="0" width="3" height="76" fill="var(--_${tone})"/>` +
        label(14, 14, title, `class="ck-heading" style="fill:var(--_${tone})"`) +
        lines.map((line, n) => write(14, 36 + 19 * n, line, 'style="font-size:13px"')).join("") +
        edges.map((e) => e[0]).join("") +
        marksUp.join("") +
        edges.map((e) => e[1]).join(""),
    };
  });
  return view.stop;
}

export default { render };
