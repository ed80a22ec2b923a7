// Small grey pictures, for the figures that show handwritten digits.

/** Ink of each pixel of a square picture, 0 to 1, as rectangles; `size` is the side in pixels of the page. */
function inked(pixels, x, y, size) {
  const side = Math.round(Math.sqrt(pixels.length));
  const each = size / side;
  const cells = pixels.map((v, i) =>
    v < 0.02
      ? ""
      : `<rect x="${place(x + (i % side) * each)}" y="${place(y + Math.floor(i / side) * each)}" width="${place(each + 0.25)}" height="${place(each + 0.25)}" fill="var(--_ink)" opacity="${Math.min(1, v).toFixed(2)}"/>`,
  );
  return `<rect x="${place(x)}" y="${place(y)}" width="${place(size)}" height="${place(size)}" fill="var(--_paper)" stroke="var(--_rule)"/>` + cells.join("");
}
