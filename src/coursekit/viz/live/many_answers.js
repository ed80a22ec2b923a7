// Several answers to one question: at least one right, or the commonest right.

export const math = {
  oneOf: (n, right) => 1 - (1 - right) ** n,
  /** chances of the right answer's lead over the favourite wrong one after n answers, from -n to n */
  lead(n, right, wrong) {
    const rest = 1 - right - wrong;
    let p = [1];
    for (let i = 0; i < n; i++) {
      const next = Array(p.length + 2).fill(0);
      p.forEach((v, k) => {
        next[k] += v * wrong;
        next[k + 1] += v * rest;
        next[k + 2] += v * right;
      });
      p = next;
    }
    return p;
  },
  /** a lead wins, a tie wins every second time, and where nobody answers nothing is won */
  vote(n, right, wrong) {
    const p = math.lead(n, right, wrong);
    return sum(p.slice(n + 1)) + (p[n] - (1 - right - wrong) ** n) / 2;
  },
};

const MOST = 40;

function render({ model, el }) {
  const view = stage({
    model,
    el,
    title: "What are more answers worth?",
    lead:
      "Ask a model the same question many times. If something can check answers, one right one is enough. If nothing can, " +
      "let them vote: then it matters whether the wrong answers agree with each other.",
  });
  const percent = (v) => `${fixed(100 * v, 0)} %`;
  view.slider({ name: "right", text: "One answer is right", min: 0.02, max: 0.98, step: 0.02, format: percent });
  view.slider({ name: "favourite", text: "Wrong answers that agree", min: 0, max: 1, step: 0.05, format: percent });
  view.slider({ name: "n", text: "Answers drawn", min: 1, max: MOST, step: 1, format: (n) => `${n}` });
  view.buttons(
    ["Often wrong, in many ways", () => view.glide({ right: 0.3, favourite: 0.1 })],
    ["Often wrong, in one way", () => view.glide({ right: 0.4, favourite: 0.9 })],
    ["Mostly right", () => view.glide({ right: 0.7, favourite: 0.5 })],
  );
  const show = {
    vote: view.readout("The commonest is right", "copper"),
    one: view.readout("At least one is right", "blue"),
    wrong: view.readout("The favourite wrong answer"),
  };

  view.start((width) => {
    const [right, favourite, n] = ["right", "favourite", "n"].map((name) => model.get(name));
    const wrong = (1 - right) * favourite;
    const vote = math.vote(n, right, wrong);
    const one = math.oneOf(n, right);
    show.vote(percent(vote));
    show.one(percent(one));
    show.wrong(percent(wrong));
    const ns = range(MOST).map((i) => i + 1);
    const frame = panel(
      { x: 0, y: 0, width, height: 290 },
      { x: [0, MOST], y: [0, 1.02], title: "Chance", unit: width >= 480 ? "solid: vote; dashed: one of them" : "", xlabel: "answers drawn, n", id: view.id("many") },
    );
    return {
      height: 290,
      words:
        `One answer is right with ${percent(right)}, the favourite wrong one comes with ${percent(wrong)}. Of ${n} answers the commonest is right ` +
        `with ${percent(vote)}, at least one with ${percent(one)}.`,
      markup:
        frame.axes +
        frame.clip(
          path([[0, right], [MOST, right]].map(frame.at), 'stroke="var(--_muted)" stroke-width="1.3" stroke-dasharray="1.5 4"') +
            path(ns.map((m) => frame.at([m, math.oneOf(m, right)])), 'stroke="var(--_blue)" stroke-width="2" stroke-dasharray="6 4"') +
            path(ns.map((m) => frame.at([m, math.vote(m, right, wrong)])), 'class="ck-line" stroke="var(--_copper)"') +
            dot(frame.at([n, one]), 4.5, 'fill="var(--_blue)"') +
            dot(frame.at([n, vote]), 6.5, 'class="ck-here"'),
        ),
    };
  });
  return view.stop;
}

export default { render };
