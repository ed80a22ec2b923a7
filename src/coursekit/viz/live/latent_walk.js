// Latent walk: two numbers in, a digit of 8 by 8 pixels out, by a small decoder that runs here.

export const math = {
  bends: {
    tanh: Math.tanh,
    relu: (z) => Math.max(z, 0),
    silu: (z) => z / (1 + Math.exp(-z)),
    linear: (z) => z,
    sigmoid: (z) => 1 / (1 + Math.exp(-z)),
  },
  decode: (layers, z) =>
    layers
      .reduce((x, { W, b, bend }) => W.map((row, i) => math.bends[bend](sum(row.map((w, j) => w * x[j])) + b[i])), z)
      .map((v) => clamp(v, 0, 1)),
  nearest(codes, [u, v]) {
    const away = codes.map(([a, b]) => Math.hypot(a - u, b - v));
    return away.indexOf(Math.min(...away));
  },
};

const REACH = 3;

function render({ model, el }) {
  const { layers, codes, labels } = model.get("data");
  const view = stage({
    model,
    el,
    title: "Walk through the latent plane",
    lead:
      "Each small figure is the code of a digit of the data. Move through the plane, by the sliders or by pointing " +
      "into it; the decoder, 2 numbers to 64 pixels, draws what it makes of the place.",
  });
  const two = (v) => fixed(v, 2);
  view.slider({ name: "z1", text: "z₁, across", min: -REACH, max: REACH, step: 0.05, format: two });
  view.slider({ name: "z2", text: "z₂, up", min: -REACH, max: REACH, step: 0.05, format: two });
  const kinds = [...new Set(labels)].sort();
  const middle = (kind) => {
    const own = codes.filter((_, i) => labels[i] === kind);
    const mean = [0, 1].map((j) => sum(own.map((c) => c[j])) / own.length);
    return own[math.nearest(own, mean)];
  };
  let last = -1;
  const go = (by) => () => {
    last = (last + by + kinds.length) % kinds.length;
    const [z1, z2] = middle(kinds[last]);
    view.glide({ z1, z2 });
  };
  view.buttons(["Go to the next kind of digit", go(1)], ["Back to the middle", () => view.glide({ z1: 0, z2: 0 })]);
  const show = {
    near: view.readout("Nearest code of the data", "copper"),
    far: view.readout("Distance to it"),
    ink: view.readout("Ink, in pixels"),
  };
  const svg = el.querySelector(".ck-picture");
  let plane = null;
  const point = (event) => {
    if (!plane || (event.type === "pointermove" && event.buttons !== 1)) return;
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    if (x < plane.left || x > plane.right || y < plane.top || y > plane.bottom) return;
    const part = (v, low, high) => clamp(-REACH + (2 * REACH * (v - low)) / (high - low), -REACH, REACH);
    view.write({ z1: part(x, plane.left, plane.right), z2: -part(y, plane.top, plane.bottom) });
  };
  svg.addEventListener("pointerdown", point);
  svg.addEventListener("pointermove", point);

  view.start((width) => {
    const z = [model.get("z1"), model.get("z2")];
    const pixels = math.decode(layers, z);
    const near = math.nearest(codes, z);
    const away = Math.hypot(codes[near][0] - z[0], codes[near][1] - z[1]);
    show.near(labels[near]);
    show.far(two(away));
    show.ink(fixed(sum(pixels), 1));
    const wide = width >= 560;
    const side = wide ? Math.min(400, width * 0.58) : width;
    const tall = Math.min(side, 400) + 22;
    plane = panel(
      { x: 0, y: 0, width: side, height: tall },
      { x: [-REACH, REACH], y: [-REACH, REACH], title: "Latent plane", unit: "codes of the data", xlabel: "z₁", id: view.id("plane") },
    );
    const marks = codes.map(([u, v], i) =>
      label(plane.sx(u), plane.sy(v) + 4, labels[i], `text-anchor="middle" opacity=".75" style="fill:var(--_${i === near ? "copper" : "muted"})"`),
    );
    const here = plane.at(z);
    const size = wide ? Math.min(240, width - side - 30) : Math.min(220, width);
    const [x, y] = wide ? [side + 24, 34] : [0, tall + 34];
    return {
      height: wide ? tall : y + size + 8,
      words:
        `At (${two(z[0])}, ${two(z[1])}) the decoder draws a picture with ${fixed(sum(pixels), 1)} pixels' worth of ink; ` +
        `the nearest code of the data is that of a ${labels[near]}, ${two(away)} away.`,
      markup:
        plane.axes +
        label(plane.left + 4, plane.top + 6, "z₂", 'class="ck-axis-label ck-halo"') +
        marks.join("") +
        `<path d="M${place(here[0])} ${plane.top}V${plane.bottom}M${plane.left} ${place(here[1])}H${plane.right}" class="ck-cursor" opacity=".5"/>` +
        dot(here, 7, 'class="ck-here"') +
        label(x, y - 20, "What the decoder draws", 'class="ck-heading"') +
        inked(pixels, x, y, size),
    };
  });
  return view.stop;
}

export default { render };
