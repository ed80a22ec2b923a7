// Byte-pair encoding of the reader's own text, merge by merge.

export const math = {
  /** GPT-2's pieces: contractions, words, numbers and signs with the space before them, other space */
  pieces: (text) => text.match(/'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu) ?? [],

  /** every piece as a list of tokens, each a list of bytes */
  start: (text) => math.pieces(text).map((piece) => [...new TextEncoder().encode(piece)].map((byte) => [byte])),

  /** below, equal or above, as Python orders bytes */
  compare(a, b) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
    return a.length - b.length;
  },

  /** neighbours in one piece with their counts, the most frequent first, ties by the greater pair */
  pairs(pieces) {
    const found = new Map();
    for (const tokens of pieces)
      for (let i = 0; i + 1 < tokens.length; i++) {
        const key = `${tokens[i]}|${tokens[i + 1]}`;
        const pair = found.get(key) ?? { left: tokens[i], right: tokens[i + 1], count: 0 };
        pair.count++;
        found.set(key, pair);
      }
    return [...found.values()].sort(
      (a, b) => b.count - a.count || math.compare(b.left, a.left) || math.compare(b.right, a.right),
    );
  },

  /** the pieces with one pair written as one token, from left to right */
  merge: (pieces, { left, right }) =>
    pieces.map((tokens) => {
      const out = [];
      for (let i = 0; i < tokens.length; i++) {
        const here = i + 1 < tokens.length && !math.compare(tokens[i], left) && !math.compare(tokens[i + 1], right);
        out.push(here ? [...left, ...right] : tokens[i]);
        i += here;
      }
      return out;
    }),

  /** at most `most` merges; stops when no pair occurs twice */
  train(text, most) {
    let pieces = math.start(text);
    const merges = [];
    while (merges.length < most) {
      const best = math.pairs(pieces)[0];
      if (!best || best.count < 2) break;
      merges.push(best);
      pieces = math.merge(pieces, best);
    }
    return { pieces, merges };
  },
};

const MOST = 60;
const LONGEST = 300;

/** a token as a reader can see it: spaces as open boxes, bytes that are no letter in hexadecimal */
function shown(bytes) {
  const text = new TextDecoder("utf-8").decode(new Uint8Array(bytes));
  if (text.includes("\uFFFD")) return bytes.map((b) => b.toString(16).padStart(2, "0")).join(" ");
  return text.replace(/ /g, "·").replace(/\n/g, "\\n").replace(/\t/g, "\\t");
}

function render({ model, el }) {
  const view = stage({
    model,
    el,
    title: "Byte-pair encoding, merge by merge",
    lead:
      "The text begins as bytes. Each merge takes the pair of neighbours that occurs most often and makes it one token. " +
      "Change the text and watch what becomes a word.",
  });
  const key = view.id("text");
  el.querySelector(".ck-controls").insertAdjacentHTML(
    "beforeend",
    `<div style="flex:1 1 100%"><label for="${key}">Your text, at most ${LONGEST} letters</label>` +
      `<textarea id="${key}" rows="2" maxlength="${LONGEST}" spellcheck="false" style="display:block;width:100%;margin-top:4px;padding:7px 9px;font:inherit;color:inherit;background:var(--_panel);border:1px solid var(--_muted);border-radius:6px;resize:vertical"></textarea></div>`,
  );
  const area = el.querySelector("textarea");
  area.addEventListener("input", () => view.write({ text: area.value }));
  view.follow("text", () => area.value !== model.get("text") && (area.value = model.get("text")));
  view.slider({ name: "merges", text: "Merges", min: 0, max: MOST, step: 1, format: (k) => `${k}` });
  const done = () => math.train(model.get("text"), model.get("merges")).merges.length;
  const by = (step) => () => view.write({ merges: clamp(done() + step, 0, MOST) });
  view.buttons(["Next merge", by(1)], ["Undo one", by(-1)], ["Back to bytes", () => view.write({ merges: 0 })]);
  const show = {
    tokens: view.readout("Tokens", "blue"),
    bytes: view.readout("Bytes"),
    ratio: view.readout("Bytes a token", "copper"),
    size: view.readout("Vocabulary"),
    next: view.readout("Next merge", "", "ck-broad"),
  };

  view.start((width) => {
    const text = model.get("text").slice(0, LONGEST);
    const { pieces, merges } = math.train(text, model.get("merges"));
    const done = merges.length;
    const pairs = math.pairs(pieces);
    const tokens = pieces.flat();
    const bytes = sum(tokens.map((t) => t.length));
    const over = !pairs.length || pairs[0].count < 2;
    show.tokens(`${tokens.length}`);
    show.bytes(`${bytes}`);
    show.ratio(tokens.length ? fixed(bytes / tokens.length, 2) : "none");
    show.size(`256 + ${done}`);
    const say = ({ left, right }) => `${shown(left)} + ${shown(right)}`;
    show.next(over ? "none: no pair occurs twice" : `${say(pairs[0])}, ${pairs[0].count} times`);

    const wide = width >= 560;
    const edge = wide ? width - 232 : width - 2;
    const tones = ["blue", "teal", "copper", "muted"];
    let [x, y, place_] = [2, 26, 0];
    const boxes = [];
    for (const piece of pieces) {
      piece.forEach((token) => {
        const words = shown(token);
        const w = 8 + 8.4 * [...words].length;
        if (x + w > edge && x > 2) [x, y] = [2, y + 30];
        const tone = token.length > 1 ? tones[place_ % 3] : "muted";
        const strong = token.length > 1 ? ".16" : "0";
        boxes.push(
          `<rect x="${place(x)}" y="${y}" width="${place(w - 2)}" height="23" rx="4" fill="var(--_${tone})" fill-opacity="${strong}" stroke="var(--_${tone})" stroke-width="${token.length > 1 ? 1.4 : 0.7}"/>` +
            label(x + (w - 2) / 2, y + 16, words, 'text-anchor="middle" style="font-family:IBM Plex Mono,ui-monospace,monospace;font-size:12.5px"'),
        );
        x += w;
        place_ += token.length > 1;
      });
      x += 3;
    }
    const low = y + 44;
    const bars = { x: wide ? width - 212 : 0, y: wide ? 14 : low + 6, width: wide ? 212 : width };
    const most = Math.max(1, pairs[0]?.count ?? 1);
    const rows = pairs.slice(0, 6).map((pair, i) => {
      const at = bars.y + 16 + 27 * i;
      const full = bars.width - 126;
      const tone = i === 0 && !over ? "copper" : "muted";
      return (
        label(bars.x + 88, at + 13, say(pair).slice(0, 12), 'text-anchor="end" class="ck-tick" style="font-family:IBM Plex Mono,ui-monospace,monospace"') +
        `<rect x="${bars.x + 96}" y="${at}" width="${place(Math.max(2, (pair.count / most) * full))}" height="17" rx="3" fill="var(--_${tone})"/>` +
        label(bars.x + 102 + (pair.count / most) * full, at + 13, pair.count, 'class="ck-tick"')
      );
    });
    const last = done ? `The last merge made ${shown([...merges[done - 1].left, ...merges[done - 1].right])}. ` : "";
    return {
      height: Math.max(low, bars.y + 26 + 27 * rows.length),
      words:
        `${bytes} bytes in ${tokens.length} tokens after ${done} of ${model.get("merges")} merges. ${last}` +
        `${over ? "No pair occurs twice." : `Next: ${say(pairs[0])}, which occurs ${pairs[0].count} times.`}`,
      markup:
        '<text x="0" y="14" class="ck-heading">Tokens<tspan class="ck-unit" dx="7">a space is ·</tspan></text>' +
        boxes.join("") +
        `<text x="${bars.x}" y="${bars.y}" class="ck-heading">Pairs<tspan class="ck-unit" dx="7">by count</tspan></text>` +
        rows.join(""),
    };
  });
  return view.stop;
}

export default { render };
