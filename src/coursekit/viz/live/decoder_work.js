// Operations and bytes of a decoder-only model, product by product: every factor read once, every
// result written once, the table of scores kept on the chip.

const DECODER = {
  /** [operations, numbers moved] of (rows, inner) times (inner, columns) */
  gemm: (rows, inner, columns) => [2 * rows * inner * columns, rows * inner + inner * columns + rows * columns],
  attention(m, queries, keys, batch) {
    const moved = 2 * m.heads * queries * m.width + 2 * m.kv * keys * m.width;
    return [4 * batch * m.heads * queries * keys * m.width, batch * moved];
  },
  /** all layers and the output layer; `itemsize` bytes a number */
  work(m, phase, tokens, batch, itemsize = 2) {
    const rows = batch * (phase === "decode" ? 1 : tokens);
    const outputs = batch * (phase === "training" ? tokens : 1);
    const d = m.heads * m.width;
    const layer = [
      [2, DECODER.gemm(rows, d, d)],
      [2, DECODER.gemm(rows, d, m.kv * m.width)],
      [1, DECODER.attention(m, phase === "decode" ? 1 : tokens, tokens, batch)],
      [2, DECODER.gemm(rows, d, m.ff)],
      [1, DECODER.gemm(rows, m.ff, d)],
    ];
    const parts = [...layer.map(([n, w]) => [n * m.layers, w]), [1, DECODER.gemm(outputs, d, m.vocab)]];
    const times = phase === "training" ? 3 : 1;
    return {
      operations: times * sum(parts.map(([n, w]) => n * w[0])),
      moved: times * itemsize * sum(parts.map(([n, w]) => n * w[1])),
    };
  },
  /** numbers that a step multiplies with: all but the table that is looked up */
  weights: (m) => {
    const d = m.heads * m.width;
    return m.layers * (2 * d * d + 2 * d * m.kv * m.width + 3 * d * m.ff + 2 * d) + d + d * m.vocab;
  },
  /** bytes of keys and values */
  cache: (m, tokens, batch, itemsize) => 2 * m.layers * m.kv * m.width * tokens * batch * itemsize,
};
