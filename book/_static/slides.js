// Presents a deck with reveal.js. On a narrow screen, and where `?handout` is asked for, the deck
// stays what it is without scripts: a handout to scroll and print.
(() => {
  const [WIDTH, HEIGHT, SMALLEST] = [1280, 720, 0.5];
  const pages = document.querySelector(".ck-pages");
  const asked = new URLSearchParams(location.search); // the speaker's window asks with `receiver`
  const narrow = matchMedia("(max-width: 48rem)").matches;
  const handout = asked.has("handout") || (narrow && !asked.has("receiver"));

  // A formula in a slide that is not shown yet has no neighbour to take its size from.
  window.MathJax.chtml.matchFontHeight = false;

  // The reader's light, as on the pages.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  function turnLight() {
    const root = document.documentElement;
    root.dataset.theme = (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark" ? "light" : "dark";
    try { localStorage.setItem("ck-theme", root.dataset.theme); } catch { /* private window: this deck only */ }
  }

  // What is too wide or too high for a slide becomes smaller, so that all of it can be seen.
  function fit(slide) {
    const box = slide?.querySelector(":scope > .ck-fit");
    if (!box) return;
    slide.querySelectorAll(".ck-equation .math").forEach((line) => {
      const formula = line.querySelector("mjx-container");
      formula?.style.setProperty("zoom", Math.min(1, line.clientWidth / (formula.scrollWidth + 8)));
    });
    const live = box.querySelector("figure.ck-live");
    if (live) return void (live.style.width || fitLive(live));
    let scale = 1;
    box.style.zoom = scale;
    for (let tries = 0; tries < 10 && slide.scrollHeight > HEIGHT + 1 && scale > SMALLEST; tries += 1) {
      scale = Math.max(SMALLEST, scale * Math.min(0.97, HEIGHT / slide.scrollHeight));
      box.style.zoom = scale;
    }
    if (slide.scrollHeight > HEIGHT + 1) slide.tabIndex = 0;
  }

  // A live figure draws itself for its width; the width that leaves its letters largest is taken,
  // and the figure is scaled as a whole, again whenever it has drawn itself anew.
  const settled = () => new Promise((done) => setTimeout(() => requestAnimationFrame(done), 100));
  async function fitLive(figure) {
    const box = figure.closest(".ck-thing");
    const scaleNow = () => Math.min(1.3, 1230 / figure.offsetWidth, (HEIGHT - 46 - box.offsetTop) / figure.offsetHeight);
    let best = [0, 1000];
    for (const width of [1180, 1000, 820, 640]) {
      figure.style.width = `${width}px`;
      await settled();
      if (figure.offsetHeight && scaleNow() > best[0]) best = [scaleNow(), width];
    }
    figure.style.width = `${best[1]}px`;
    new ResizeObserver(() => {
      if (!figure.offsetHeight) return; // on a slide that is not shown
      figure.style.transform = `scale(${scaleNow()})`;
      box.style.height = `${scaleNow() * figure.offsetHeight}px`;
    }).observe(figure);
  }

  // Notes beside the slide, which makes room for them.
  function turnNotes() {
    Reveal.configure({ showNotes: !Reveal.getConfig().showNotes });
    requestAnimationFrame(() => Reveal.layout());
  }

  function present() {
    document.body.classList.add("ck-show");
    document.body.prepend(Object.assign(document.createElement("div"), { className: "reveal" }));
    document.querySelector(".reveal").append(pages);
    pages.classList.add("slides");
    Reveal.initialize({
      width: WIDTH, height: HEIGHT, margin: 0.02, center: false, hash: true, transition: "none",
      slideNumber: "c/t", controlsTutorial: false, scrollActivationWidth: null,
      keyboard: { 78: turnNotes, 68: turnLight },
      plugins: [RevealNotes],
    });
    Reveal.registerKeyboardShortcut("N", "Show or hide the notes");
    Reveal.registerKeyboardShortcut("D", "Light or dark");
    Reveal.on("slidechanged", (event) => fit(event.currentSlide));
    Promise.all([window.MathJax.startup.promise, document.fonts.ready]).then(() => {
      fit(Reveal.getCurrentSlide());
      document.body.dataset.state = "ready";
    });
    // Escape gives the arrow keys back from a live figure's control to the deck.
    document.addEventListener("keydown", (event) => event.key === "Escape" && document.activeElement?.matches(".ck-live *") && document.activeElement.blur(), true);
  }

  addEventListener("load", () => (handout ? (document.body.dataset.state = "ready") : present()));
})();
