// Numbers over many decades, for the figures with a logarithmic axis.

const superscript = (n) => `${n}`.replace(/[-\d]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));

/** A number that is not negative, to three digits, with a power of ten where that is shorter. */
function short(value) {
  if (value === 0) return "0";
  const power = Math.floor(Math.log10(value));
  if (power >= -3 && power < 4) return value.toFixed(clamp(2 - power, 0, 5));
  const [digits, exponent] = value.toExponential(1).split("e");
  return `${digits}·10${superscript(Number(exponent))}`;
}
