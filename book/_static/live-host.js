// Gives the live figures of a page their scripts. Each figure.ck-live carries its state as JSON and
// its module as text, the same module that Jupyter runs through anywidget; until it has started, the
// reader sees the still picture and its description.
(() => {
  /** The part of a widget's model that the modules use. */
  function miniModel(state) {
    const values = new Map(Object.entries(state));
    const listeners = new Map();
    const heard = (event) => listeners.get(event) ?? listeners.set(event, new Set()).get(event);
    return {
      get: (name) => values.get(name),
      set(name, value) {
        if (values.get(name) === value) return;
        values.set(name, value);
        for (const listener of [...heard(`change:${name}`)]) listener();
      },
      on: (event, listener) => void heard(event).add(listener),
      off: (event, listener) => void heard(event).delete(listener),
      save_changes() {},
    };
  }

  async function mount(figure) {
    figure.dataset.state = "starting";
    const source = figure.querySelector("script.ck-module").textContent;
    const state = JSON.parse(figure.querySelector("script.ck-state").textContent);
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const el = document.createElement("div");
    try {
      const module = await import(url);
      figure.append(el);
      await module.default.render({ model: miniModel(state), el });
      figure.querySelector(".ck-fallback").hidden = true;
      figure.dataset.state = "live";
    } catch (error) {
      el.remove();
      figure.dataset.state = "still";
      console.error(`The figure ${figure.dataset.figure} stays still:`, error);
    } finally {
      URL.revokeObjectURL(url);
    }
  }

  function mountAll() {
    for (const figure of document.querySelectorAll("figure.ck-live:not([data-state])")) mount(figure);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mountAll);
  else mountAll();
})();
