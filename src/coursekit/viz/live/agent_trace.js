// What an agent thought, which tool it called, and what came back, step by step.

export const math = {
  /** The marks of a run up to a step: lane of the tool, and whether the text is trusted. */
  marks: (run, tools, step) =>
    run.steps.slice(0, step).map(({ tool, trusted }) => ({ lane: tools.indexOf(tool), trusted })),
  /** The step that is shown: no run goes on beyond its last one. */
  shown: (run, step) => Math.min(step, run.steps.length),
};

function render({ model, el }) {
  const { runs, tools } = model.get("data");
  const longest = Math.max(...runs.map((run) => run.steps.length));
  const view = stage({
    model,
    el,
    title: "An agent at work",
    lead: "Each step is a thought, a call of a tool, and what it gave back. Round: what the course's own tools computed. Diamond: text of a page, which is data and no order.",
  });
  if (runs.length > 1)
    view.slider({ name: "run", text: "Run", min: 0, max: runs.length - 1, step: 1, format: (i) => `${i + 1}: ${runs[i].name}` });
  const last = () => runs[model.get("run")].steps.length;
  view.slider({ name: "step", text: "Step", min: 1, max: Math.max(longest, 2), step: 1, format: (t) => (t > last() ? `${t}, over at ${last()}` : `${t} of ${last()}`) });
  let begun = model.get("run");
  view.follow("run", () => {
    if (model.get("run") === begun) return;
    begun = model.get("run");
    view.write({ step: 1 });
  });
  const next = (by) => () => view.write({ step: clamp(math.shown(runs[model.get("run")], model.get("step")) + by, 1, last()) });
  view.buttons(["Next step", next(1)], ["Step back", next(-1)]);
  const show = {
    question: view.readout("Question", "", "ck-broad"),
    thought: view.readout("Thought", "", "ck-broad"),
    call: view.readout("Call", "blue", "ck-broad"),
    observation: view.readout("What came back", "", "ck-broad"),
    answer: view.readout("Answer", "copper", "ck-broad"),
  };

  view.start((width) => {
    const run = runs[model.get("run")];
    const step = math.shown(run, model.get("step"));
    const now = run.steps[step - 1];
    const over = step === run.steps.length;
    show.question(run.question);
    show.thought(now.thought);
    show.call(`${now.tool}(${now.argument})`);
    show.observation(now.observation);
    show.answer(over ? run.answer : "not yet");
    const margin = 92;
    const column = (width - margin - 24) / Math.max(longest - 1, 1);
    const each = 34;
    const at = (t, lane) => [margin + column * t, 44 + each * lane];
    const lanes = tools.map((tool, i) => {
      const y = 44 + each * i;
      return `<path d="M${margin - 10} ${y}H${width - 8}" class="ck-grid"/>` + label(margin - 18, y + 4, tool, 'text-anchor="end" class="ck-tick"');
    });
    const marks = math.marks(run, tools, run.steps.length);
    const line = path(marks.slice(0, step).map(({ lane }, t) => at(t, lane)), 'stroke="var(--_ink)" stroke-width="1.6"');
    const spots = marks.map(({ lane, trusted }, t) => {
      const [x, y] = at(t, lane).map(place);
      const done = t < step;
      const tone = done ? (trusted ? "blue" : "copper") : "rule";
      const look = `fill="var(--_${done ? tone : "paper"})" stroke="var(--_${tone})" stroke-width="1.6"`;
      const ring = t === step - 1 ? dot([x, y], 13, 'fill="none" stroke="var(--_ink)" stroke-width="2"') : "";
      return (trusted ? dot([x, y], 7, look) : `<path d="M${x} ${y - 8}l8 8l-8 8l-8 -8z" ${look}/>`) + ring;
    });
    const numbers = run.steps.map((_, t) => label(at(t, 0)[0], 44 + each * tools.length, `${t + 1}`, 'text-anchor="middle" class="ck-tick"'));
    return {
      height: 56 + each * tools.length,
      words:
        `${run.name}, step ${step} of ${run.steps.length}. Thought: ${now.thought} Call: ${now.tool}(${now.argument}). ` +
        `What came back${now.trusted ? "" : ", from a page"}: ${now.observation}${over ? ` Answer: ${run.answer}` : ""}`,
      markup:
        `<text x="0" y="14" class="ck-heading">Tools, by step</text>` + lanes.join("") + line + spots.join("") + numbers.join(""),
    };
  });
  return view.stop;
}

export default { render };
