// Shared by every live figure: scales, axes, controls, announcements. Python puts this text before
// the figure's own module, so that one file without imports runs in Jupyter and on a page.

const esc = (text) =>
  String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

/** A number as people write it: fixed digits, a true minus sign, no negative zero. */
function fixed(value, digits = 2) {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "\u2212");
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const range = (n) => Array.from({ length: n }, (_, i) => i);
const sum = (values) => values.reduce((total, value) => total + value, 0);
const linspace = (low, high, n) => range(n).map((i) => low + ((high - low) * i) / (n - 1));

/** Round numbers that cover [low, high] in about `count` steps. */
function ticks(low, high, count = 5) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough * 0.7) ?? 10);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return range(last - first + 1).map((i) => ({ at: (first + i) * step, text: fixed((first + i) * step, digits) }));
}

const place = (v) => Math.round(v * 10) / 10;
const polyline = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${place(x)} ${place(y)}`).join("");
const path = (points, attributes) => `<path d="${polyline(points)}" fill="none" ${attributes}/>`;
const dot = ([x, y], r, attributes) => `<circle cx="${place(x)}" cy="${place(y)}" r="${r}" ${attributes}/>`;
const label = (x, y, text, attributes = "") =>
  `<text x="${place(x)}" y="${place(y)}" ${attributes}>${esc(text)}</text>`;

/** A panel with quiet axes. `box` is {x, y, width, height} of the whole panel, titles included. */
function panel(box, { x, y, title, unit = "", xlabel, xticks, yticks, id }) {
  const inner = { left: box.x + 40, right: box.x + box.width - 10, top: box.y + 34, bottom: box.y + box.height - 38 };
  const sx = (v) => inner.left + ((v - x[0]) / (x[1] - x[0])) * (inner.right - inner.left);
  const sy = (v) => inner.bottom - ((v - y[0]) / (y[1] - y[0])) * (inner.bottom - inner.top);
  const columns = xticks ?? ticks(...x, Math.max(4, Math.round((inner.right - inner.left) / 75)));
  const rows = yticks ?? ticks(...y, Math.max(3, Math.round((inner.bottom - inner.top) / 45)));
  const marks = [
    `<text x="${box.x}" y="${box.y + 14}" class="ck-heading">${esc(title)}<tspan class="ck-unit" dx="7">${esc(unit)}</tspan></text>`,
    ...rows.map(
      ({ at, text }) =>
        `<path d="M${inner.left} ${place(sy(at))}H${inner.right}" class="ck-grid"/>` +
        label(inner.left - 7, sy(at) + 4, text, 'text-anchor="end" class="ck-tick"'),
    ),
    `<path d="M${inner.left} ${inner.bottom}H${inner.right}" class="ck-axis"/>`,
    ...columns.map(
      ({ at, text }) =>
        `<path d="M${place(sx(at))} ${inner.bottom}v4" class="ck-axis"/>` +
        label(sx(at), inner.bottom + 17, text, 'text-anchor="middle" class="ck-tick"'),
    ),
    label(inner.right, inner.bottom + 34, xlabel, 'text-anchor="end" class="ck-axis-label"'),
    `<clipPath id="${id}"><rect x="${inner.left}" y="${inner.top - 4}" width="${inner.right - inner.left}" height="${inner.bottom - inner.top + 4}"/></clipPath>`,
  ];
  return {
    ...inner,
    sx,
    sy,
    axes: marks.join(""),
    at: ([u, v]) => [sx(u), sy(v)],
    clip: (markup) => `<g clip-path="url(#${id})">${markup}</g>`,
  };
}

/**
 * The frame of a figure: heading, controls, picture, readings, announcements.
 *
 * Controls write to the model; the picture is drawn again whenever the model or the width changes,
 * so that a slider, Python and a second view of the same figure all lead through one way. `dense`
 * sets many sliders closer together.
 */
function stage({ model, el, title, lead, dense = false }) {
  const uid = `ck${Math.random().toString(36).slice(2, 9)}`;
  const stops = [];
  let count = 0;
  let pending = 0;
  let redraw = () => {};
  el.classList.add("ck-stage");
  if (!el.closest(".ck-live")) el.classList.add("ck-live");
  el.innerHTML =
    `<p class="ck-title">${esc(title)}</p><p class="ck-lead">${esc(lead)}</p><div class="ck-controls${dense ? " ck-dense" : ""}"></div>` +
    `<svg class="ck-picture" role="img" xmlns="http://www.w3.org/2000/svg"></svg>` +
    `<dl class="ck-readouts"></dl><p class="ck-quiet" role="status"></p>`;
  const [controls, svg, readouts, status] = ["controls", "picture", "readouts", "quiet"].map((name) =>
    el.querySelector(`.ck-${name}`),
  );

  const id = (name) => `${uid}-${name}${++count}`;
  const request = () => {
    pending ||= requestAnimationFrame(() => {
      pending = 0;
      redraw();
    });
  };
  const follow = (name, update) => {
    const changed = () => {
      update();
      request();
    };
    model.on(`change:${name}`, changed);
    stops.push(() => model.off(`change:${name}`, changed));
    update();
  };
  const write = (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  };
  const add = (markup) => {
    controls.insertAdjacentHTML("beforeend", markup);
    return controls.lastElementChild;
  };

  /** A labelled range input tied to one trait; `format` gives the words for its value. */
  function slider({ name, text, min, max, step, format, value = (v) => v, position = (v) => v }) {
    const key = id(name);
    const box = add(
      `<div class="ck-slider"><label for="${key}">${esc(text)}</label><output for="${key}" aria-live="off"></output>` +
        `<input id="${key}" type="range" min="${min}" max="${max}" step="${step}"></div>`,
    );
    const input = box.querySelector("input");
    input.addEventListener("input", () => write({ [name]: value(Number(input.value)) }));
    follow(name, () => {
      const words = format(model.get(name));
      input.value = position(model.get(name));
      input.style.setProperty("--ck-filled", `${((input.value - min) / (max - min)) * 100}%`);
      input.setAttribute("aria-valuetext", words);
      box.querySelector("output").textContent = words;
    });
  }

  /** A group of radio buttons tied to one trait. `options` are [value, words]. */
  function radios({ name, text, options }) {
    const key = id(name);
    const box = add(
      `<fieldset class="ck-radios"><legend>${esc(text)}</legend>` +
        options
          .map(
            ([value, words], i) =>
              `<label for="${key}-${i}"><input type="radio" id="${key}-${i}" name="${key}" value="${esc(value)}"><span>${esc(words)}</span></label>`,
          )
          .join("") +
        `</fieldset>`,
    );
    const inputs = [...box.querySelectorAll("input")];
    box.addEventListener("change", () => write({ [name]: options[inputs.findIndex((input) => input.checked)][0] }));
    follow(name, () => inputs.forEach((input, i) => (input.checked = options[i][0] === model.get(name))));
  }

  /** A group of checkboxes tied to one trait, a list. `options` are [value, words, tone, dashes]. */
  function checks({ name, text, options }) {
    const key = id(name);
    const line = (tone, dashes) =>
      `<svg width="26" height="8" aria-hidden="true"><path d="M1 4h24" stroke="var(--_${tone})" stroke-width="2.6" stroke-dasharray="${dashes}"/></svg>`;
    const box = add(
      `<fieldset class="ck-radios"><legend>${esc(text)}</legend>` +
        options
          .map(
            ([value, words, tone, dashes], i) =>
              `<label for="${key}-${i}"><input type="checkbox" id="${key}-${i}" value="${esc(value)}">${line(tone, dashes)}<span>${esc(words)}</span></label>`,
          )
          .join("") +
        `</fieldset>`,
    );
    const inputs = [...box.querySelectorAll("input")];
    const chosen = () => options.filter((_, i) => inputs[i].checked).map(([value]) => value);
    box.addEventListener("change", () => write({ [name]: chosen() }));
    follow(name, () => inputs.forEach((input, i) => (input.checked = model.get(name).includes(options[i][0]))));
  }

  /** Buttons in a row of their own: [words, action], the first one the main thing to do. */
  function buttons(...pairs) {
    const row = add('<div class="ck-buttons"></div>');
    for (const [words, action] of pairs) {
      row.insertAdjacentHTML("beforeend", `<button type="button">${esc(words)}</button>`);
      row.lastElementChild.addEventListener("click", action);
    }
  }

  /** A named value under the picture; returns the function that sets its text. `kind` is a class. */
  function readout(text, tone = "", kind = "") {
    readouts.insertAdjacentHTML(
      "beforeend",
      `<div class="${kind}"><dt${tone && ` class="ck-tone" style="--ck-tone: var(--_${tone})"`}>${esc(text)}</dt><dd><output aria-live="off"></output></dd></div>`,
    );
    const output = readouts.lastElementChild.querySelector("output");
    return (words) => (output.textContent = words);
  }

  /** Move numbers of the model to `goal` in a third of a second, or at once for who wants no motion. */
  function glide(goal) {
    const from = Object.fromEntries(Object.keys(goal).map((name) => [name, model.get(name)]));
    const began = performance.now();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const move = (now) => {
      const t = still ? 1 : clamp((now - began) / 350, 0, 1);
      const s = t * t * (3 - 2 * t);
      const mix = (name) => (t === 1 ? goal[name] : from[name] + (goal[name] - from[name]) * s);
      write(Object.fromEntries(Object.keys(goal).map((name) => [name, mix(name)])));
      if (t < 1) requestAnimationFrame(move);
    };
    requestAnimationFrame(move);
  }

  /** Draw now and after every change. `draw(width)` returns {height, markup, words}. */
  function start(draw) {
    let quiet = 0;
    let shown = "";
    redraw = () => {
      const width = clamp(svg.clientWidth || 640, 260, 1100);
      const { height, markup, words } = draw(width);
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.setAttribute("aria-label", words);
      svg.innerHTML = markup;
      if (shown && shown !== words) {
        clearTimeout(quiet);
        quiet = setTimeout(() => (status.textContent = words), 700);
      }
      shown = words;
    };
    let seen = 0;
    const observer = new ResizeObserver(([entry]) => {
      const width = Math.round(entry.contentRect.width);
      if (width !== seen) request();
      seen = width;
    });
    observer.observe(svg);
    stops.push(() => observer.disconnect(), () => clearTimeout(quiet), () => cancelAnimationFrame(pending));
    redraw();
  }

  return { id, slider, radios, checks, buttons, readout, follow, write, glide, start, request, stop: () => stops.forEach((f) => f()) };
}
