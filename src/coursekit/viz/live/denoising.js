// Denoising: the steps of a sampler under a slider, from noise to handwritten digits.

export const math = {
  /** one character for each pixel, from -2 to 2 */
  unpacked: (text, levels) => [...text].map((c) => -2 + (4 * levels.indexOf(c)) / (levels.length - 1)),
  rms: (a, b) => Math.sqrt(sum(a.map((v, i) => (v - b[i]) ** 2)) / a.length),
};

const VIEWS = [
  ["noisy", "what the chain holds"],
  ["clean", "what the model expects at the end"],
];

function render({ model, el }) {
  const { samplers, levels } = model.get("data");
  const longest = Math.max(...samplers.map((s) => s.signal.length)) - 1;
  const view = stage({
    model,
    el,
    title: "A picture comes out of noise",
    lead:
      "Every sampler starts from the same noise, at the left end of the slider. Watch what is decided first, and " +
      "compare what the chain holds with what the model expects to come of it.",
  });
  if (samplers.length > 1)
    view.radios({ name: "sampler", text: "Sampler", options: samplers.map((s, i) => [i, s.name]) });
  view.radios({ name: "view", text: "Shown", options: VIEWS });
  view.slider({ name: "step", text: "Step", min: 0, max: longest, step: 1, format: (k) => `${k} of ${longest}` });
  view.buttons(
    ["Next step", () => view.write({ step: (model.get("step") + 1) % (longest + 1) })],
    ["Back to noise", () => view.write({ step: model.get("step") ? 0 : longest })],
  );
  const show = {
    signal: view.readout("Share of the signal, √ᾱ", "blue"),
    noise: view.readout("Share of the noise, √(1 − ᾱ)", "copper"),
    away: view.readout("From the end, root mean square"),
  };
  const clip = view.id("line");

  view.start((width) => {
    const chosen = samplers[model.get("sampler")];
    const name = model.get("view");
    const frames = chosen[name];
    const step = Math.min(model.get("step"), frames.length - 1);
    const pictures = frames[step].map((t) => math.unpacked(t, levels));
    const ends = frames.at(-1).map((t) => math.unpacked(t, levels));
    const away = math.rms(pictures.flat(), ends.flat());
    const signal = chosen.signal[step];
    show.signal(fixed(signal, 2));
    show.noise(fixed(Math.sqrt(Math.max(0, 1 - signal * signal)), 2));
    show.away(fixed(away, 2));
    const columns = Math.min(pictures.length, Math.max(3, Math.floor(width / 120)));
    const size = Math.min(130, (width - 10 * (columns - 1)) / columns);
    const rows = Math.ceil(pictures.length / columns);
    const grid = pictures.map((x, i) =>
      inked(
        x.map((v) => (v + 1) / 2),
        (i % columns) * (size + 10),
        26 + Math.floor(i / columns) * (size + 10),
        size,
      ),
    );
    const frame = panel(
      { x: 0, y: 36 + rows * (size + 10), width, height: 170 },
      { x: [0, longest], y: [0, 1.05], title: "Signal and noise", unit: "dashed: noise", xlabel: "step", id: clip },
    );
    const line = (values, tone, dashes) =>
      path(values.map((v, k) => frame.at([k, v])), `class="ck-line" stroke="var(--_${tone})" stroke-dasharray="${dashes}"`);
    return {
      height: 36 + rows * (size + 10) + 170,
      words:
        `${chosen.name}, step ${step} of ${frames.length - 1}, slider at ${model.get("step")}, ${VIEWS.find(([key]) => key === name)[1]}: ` +
        `share of the signal ${fixed(signal, 2)}, pixels ${fixed(away, 2)} from the end of the chain.`,
      markup:
        label(0, 14, `Step ${step}`, 'class="ck-heading"') +
        grid.join("") +
        frame.axes +
        frame.clip(
          line(chosen.signal, "blue", "none") +
            line(chosen.signal.map((s) => Math.sqrt(Math.max(0, 1 - s * s))), "copper", "7 4"),
        ) +
        `<path d="M${place(frame.sx(step))} ${frame.top}V${frame.bottom}" class="ck-cursor"/>` +
        dot(frame.at([step, signal]), 5, 'class="ck-here"'),
    };
  });
  return view.stop;
}

export default { render };
