// Depth: how the scale of a signal grows or vanishes, layer by layer, on the way through and back.

const WIDTH = 48;
const EXAMPLES = 16;

export const math = {
  activations: {
    tanh: { value: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2 },
    relu: { value: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0) },
    sigmoid: { value: (z) => 1 / (1 + Math.exp(-z)), slope: (z) => 1 / (2 + Math.exp(z) + Math.exp(-z)) },
    linear: { value: (z) => z, slope: () => 1 },
  },

  /** `count` standard normal numbers from a seed (mulberry32, then Box and Muller) */
  normals(seed, count) {
    let state = seed >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
    };
    return Float64Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
  },

  /** what a network is made of: inputs, gradients sent in at the top, and the weights, row by row */
  draw(seed, depth) {
    const rows = WIDTH * EXAMPLES;
    const all = math.normals(seed, 2 * rows + depth * WIDTH * WIDTH);
    const weights = range(depth).map((i) => all.subarray(2 * rows + i * WIDTH ** 2, 2 * rows + (i + 1) * WIDTH ** 2));
    return { x: all.subarray(0, rows), top: all.subarray(rows, 2 * rows), weights };
  },

  rms: (values) => Math.sqrt(values.reduce((total, v) => total + v * v, 0) / values.length),

  /** scales of the outputs o[0] … o[depth] and of the gradients for them, and the slopes on the way */
  scales(name, gain, depth, { x, top, weights }) {
    const { value, slope } = math.activations[name];
    const c = gain / Math.sqrt(WIDTH); // weights are c times the standard normal numbers
    const outputs = [x];
    const slopes = [];
    for (let i = 0; i < depth; i++) {
      const z = new Float64Array(x.length);
      for (let m = 0; m < z.length; m += WIDTH)
        for (let j = 0; j < WIDTH; j++) {
          let total = 0;
          for (let l = 0; l < WIDTH; l++) total += weights[i][j * WIDTH + l] * outputs[i][m + l];
          z[m + j] = c * total;
        }
      outputs.push(z.map(value));
      slopes.push(z.map(slope));
    }
    let gradient = top;
    const backward = [math.rms(gradient)];
    for (let i = depth - 1; i >= 0; i--) {
      const inner = gradient.map((g, k) => g * slopes[i][k]); // (5)
      gradient = new Float64Array(x.length);
      for (let m = 0; m < x.length; m += WIDTH)
        for (let j = 0; j < WIDTH; j++)
          for (let l = 0; l < WIDTH; l++) gradient[m + l] += c * weights[i][j * WIDTH + l] * inner[m + j]; // (8)
      backward.unshift(math.rms(gradient));
    }
    const flat = sum(slopes.map((s) => s.filter((v) => v < 0.01).length)) / (depth * x.length);
    return { forward: outputs.map(math.rms), backward, flat };
  },

  /** mean of f(z) for a Gaussian z, by the midpoint rule */
  expect(f, deviation) {
    const points = range(400).map((i) => (i - 199.5) / 25);
    return sum(points.map((t) => Math.exp((-t * t) / 2) * f(deviation * t))) / (25 * Math.sqrt(2 * Math.PI));
  },

  /** the same scales in a network of infinite width, from the scales of input and gradient */
  theory(name, gain, depth, first, last) {
    const { value, slope } = math.activations[name];
    const forward = [first];
    const factors = range(depth).map((i) => {
      const deviation = gain * forward[i];
      forward.push(Math.sqrt(math.expect((z) => value(z) ** 2, deviation)));
      return gain * Math.sqrt(math.expect((z) => slope(z) ** 2, deviation));
    });
    const backward = [last];
    for (const factor of factors.reverse()) backward.unshift(backward[0] * factor);
    return { forward, backward };
  },
};

const REACH = 12; // decades drawn on either side of 1
const LIMIT = 3; // decades beyond which a zone begins

function render({ model, el }) {
  const { deepest } = model.get("data");
  const view = stage({
    model,
    el,
    title: "Depth: signals that vanish and explode",
    lead:
      `Every layer has ${WIDTH} units and weights of standard deviation gain/√${WIDTH}. Unit-size inputs go ` +
      "forward, unit-size gradients come back from the top; each layer multiplies both.",
  });
  view.radios({ name: "activation", text: "Activation", options: Object.keys(math.activations).map((name) => [name, name === "relu" ? "ReLU" : name]) });
  view.slider({ name: "gain", text: "Gain of the weights", min: 0.2, max: 5, step: 0.02, format: (v) => fixed(v, 2) });
  view.slider({ name: "depth", text: "Layers d", min: 2, max: deepest, step: 1, format: (v) => `${v}` });
  view.buttons(
    ["He: gain √2", () => view.glide({ gain: Math.SQRT2 })],
    ["Xavier: gain 1", () => view.glide({ gain: 1 })],
    ["Draw new weights", () => view.write({ seed: model.get("seed") + 1 })],
  );
  view.follow("seed", () => {});
  const show = {
    forward: view.readout("Last outputs, of the input's", "blue"),
    up: view.readout("Factor per layer, forward", "blue"),
    backward: view.readout("First gradient, of the last", "copper"),
    down: view.readout("Factor per layer, back", "copper"),
    flat: view.readout("Slopes φ′ below 0.01"),
  };
  const clips = ["forward", "backward"].map(view.id);
  let kept = {};
  const drawn = (seed) => (kept.seed === seed ? kept : (kept = { seed, ...math.draw(seed, deepest) }));

  view.start((width) => {
    const [activation, gain, depth, seed] = ["activation", "gain", "depth", "seed"].map((n) => model.get(n));
    const scales = math.scales(activation, gain, depth, drawn(seed));
    const theory = math.theory(activation, gain, depth, scales.forward[0], scales.backward[depth]);
    const gains = { forward: scales.forward[depth] / scales.forward[0], backward: scales.backward[0] / scales.backward[depth] };
    const verdict = (ratio) => (ratio < 10 ** -LIMIT ? "vanishes" : ratio > 10 ** LIMIT ? "explodes" : "stays in range");
    show.forward(`${short(gains.forward)}, ${verdict(gains.forward)}`);
    show.backward(`${short(gains.backward)}, ${verdict(gains.backward)}`);
    show.up(`× ${fixed(gains.forward ** (1 / depth), 3)}`);
    show.down(`× ${fixed(gains.backward ** (1 / depth), 3)}`);
    show.flat(`${fixed(100 * scales.flat, 1)} %`);

    const wide = width >= 560;
    const side = wide ? (width - 22) / 2 : width;
    const tall = wide ? 330 : 290;
    const draw = (name, box, { title, tone, dashes, id, way }) => {
      const frame = panel(box, {
        x: [0, depth],
        y: [-REACH, REACH],
        title,
        unit: "rms, log scale",
        xlabel: way,
        yticks: [-12, -9, -6, -3, 0, 3, 6, 9, 12].map((e) => ({ at: e, text: `10${superscript(e)}` })),
        xticks: ticks(0, depth, depth <= 5 ? depth : 5),
        id,
      });
      const level = (v) => clamp(Math.log10(Math.max(v, 1e-300)), -2 * REACH, 2 * REACH);
      const curve = (values) => values.map((v, i) => frame.at([i, level(v)]));
      const zone = (low, high) =>
        `<rect x="${frame.left}" y="${place(frame.sy(high))}" width="${place(frame.right - frame.left)}" height="${place(frame.sy(low) - frame.sy(high))}" fill="var(--_rose)" opacity=".1"/>`;
      const word = (text, e) => label(frame.right - 7, frame.sy(e) + 4, text, 'text-anchor="end" class="ck-halo" style="fill:var(--_rose)"');
      const points = curve(scales[name]);
      return (
        frame.axes +
        zone(LIMIT, REACH) +
        zone(-REACH, -LIMIT) +
        frame.clip(
          path(curve(theory[name]), 'class="ck-line" stroke="var(--_ink)" stroke-dasharray="1 5"') +
            path(points, `class="ck-line" stroke="var(--_${tone})" stroke-dasharray="${dashes}"`) +
            points.map((p) => dot(p, 2.6, `fill="var(--_${tone})"`)).join(""),
        ) +
        word("exploding", REACH - 1.4) +
        word("vanishing", 1.4 - REACH)
      );
    };
    const boxes = [{ x: 0, y: 0, width: side, height: tall }, { x: wide ? side + 22 : 0, y: wide ? 0 : tall + 14, width: side, height: tall }];
    const key = boxes[1].y + tall + 8;
    return {
      height: key + 12,
      words:
        `${depth} layers of ${activation === "relu" ? "ReLU" : activation} with gain ${fixed(gain, 2)}: outputs ${verdict(gains.forward).replace(/s( |$)/, "$1")}, ` +
        `${short(gains.forward)} of the input's size after the last layer; the gradient ${verdict(gains.backward)}, ${short(gains.backward)} of its size at the first. ` +
        `Factors per layer ${fixed(gains.forward ** (1 / depth), 3)} and ${fixed(gains.backward ** (1 / depth), 3)}.`,
      markup:
        draw("forward", boxes[0], { title: "Outputs, forward", tone: "blue", dashes: "none", id: clips[0], way: "layer → " }) +
        draw("backward", boxes[1], { title: "Gradients, backward", tone: "copper", dashes: "7 3", id: clips[1], way: "← layer" }) +
        `<path d="M2 ${key}h26" stroke="var(--_ink)" stroke-width="2.4" stroke-linecap="round" stroke-dasharray="1 5"/>` +
        label(36, key + 4, "theory of infinitely wide layers", 'class="ck-axis-label"'),
    };
  });
  return view.stop;
}

export default { render };
