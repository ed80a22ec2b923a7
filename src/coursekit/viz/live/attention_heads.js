// Where each head of a trained model looks: weights from every query token to every key token.

export const math = {
  entropy: (row) => -sum(row.map((w) => (w > 0 ? w * Math.log(w) : 0))),
  argmax: (row) => row.indexOf(Math.max(...row)),
};

function render({ model, el }) {
  const { queries, keys, heads, weights, lead } = model.get("data");
  const view = stage({ model, el, title: "Attention, head by head", lead });
  view.radios({ name: "head", text: "Head", options: heads.map((name, h) => [h, name]) });
  view.slider({ name: "query", text: "Token that looks", min: 0, max: queries.length - 1, step: 1, format: (i) => queries[i] });
  const go = (by) => () => view.write({ query: clamp(model.get("query") + by, 0, queries.length - 1) });
  view.buttons(["Next token", go(1)], ["Token before", go(-1)]);
  const show = {
    first: view.readout("Looks most at", "copper"),
    entropy: view.readout("Entropy of this row"),
    mean: view.readout("Mean entropy of the head"),
  };

  view.start((width) => {
    const [h, i] = [model.get("head"), model.get("query")];
    const table = weights[h];
    const best = math.argmax(table[i]);
    show.first(`${keys[best]}, ${fixed(table[i][best], 2)}`);
    show.entropy(`${fixed(math.entropy(table[i]), 2)} nats`);
    show.mean(`${fixed(sum(table.map(math.entropy)) / table.length, 2)} nats`);

    const each = 24;
    const top = 34;
    const rows = Math.max(queries.length, keys.length);
    const letters = (list) => 14 + 7.2 * Math.max(...list.map((t) => t.length));
    const left = Math.min(letters(queries), width * 0.32);
    const right = width - Math.min(letters(keys), width * 0.32) - 40;
    const y = (k, n) => top + each * (k + 0.5) + ((rows - n) * each) / 2;
    const line = (a, b, w, tone) =>
      w < 0.02
        ? ""
        : `<path d="M${place(left)} ${place(y(a, queries.length))}L${place(right)} ${place(y(b, keys.length))}" fill="none" stroke="var(--_${tone})" stroke-width="${place(0.6 + 5 * w)}" opacity="${place(0.15 + 0.85 * w)}"/>`;
    const fan = (a, tone) => table[a].map((w, b) => line(a, b, w, tone)).join("");
    const tokens =
      queries.map((t, a) => label(left - 8, y(a, queries.length) + 4, t, `text-anchor="end"${a === i ? ' font-weight="700" style="fill:var(--_copper)"' : ""}`)).join("") +
      keys
        .map((t, b) => {
          const w = table[i][b];
          return (
            `<rect x="${place(right + 6)}" y="${place(y(b, keys.length) - 8)}" width="${place(1 + 29 * w)}" height="16" rx="2" fill="var(--_copper)"/>` +
            label(right + 42, y(b, keys.length) + 4, t)
          );
        })
        .join("");
    return {
      height: top + each * rows + 6,
      words:
        `${heads[h]}: from ${queries[i]}, weights ` +
        `${keys.map((t, b) => [t, table[i][b]]).filter(([, w]) => w >= 0.05).map(([t, w]) => `${t} ${fixed(w, 2)}`).join(", ")}.`,
      markup:
        label(left - 8, 14, "looks", 'text-anchor="end" class="ck-heading"') +
        label(right + 6, 14, "is looked at", 'class="ck-heading"') +
        queries.map((_, a) => (a === i ? "" : fan(a, "blue"))).join("") +
        fan(i, "copper") +
        tokens,
    };
  });
  return view.stop;
}

export default { render };
