/* Small comforts; every page reads without them. */
(() => {
  const root = document.documentElement;
  const each = (selector, visit) => document.querySelectorAll(selector).forEach(visit);

  // Light or dark: the system decides until the reader does.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  each(".ck-theme", (button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = theme() === "dark" ? "light" : "dark";
      try { localStorage.setItem("ck-theme", root.dataset.theme); } catch { /* private window: this page only */ }
    });
  });

  // Copy the code of a cell.
  each(".highlight", (box) => {
    if (box.closest(".cell_output") || !navigator.clipboard) return;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "ck-copy", textContent: "Copy" });
    button.setAttribute("aria-label", "Copy this code");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(box.querySelector("pre").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    box.append(button);
  });

  // What is wider than the page scrolls in its own box, which the keyboard can reach.
  const reachable = () => each("pre, .ck-table, .ck-picture, .ck-equation .math, span.math", (box) => {
    if (box.localName === "span") box.classList.toggle("ck-wide", box.firstElementChild?.offsetWidth > box.closest(":not(a, span, em, strong)").clientWidth);
    const wide = box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).display !== "inline";
    if (wide && !box.hasAttribute("tabindex")) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.dataset.scrollLabel || (box.localName === "pre" ? "Code" : box.className === "ck-picture" ? "Picture" : "Formula"));
    } else if (!wide && box.getAttribute("role") === "group") {
      ["tabindex", "role", "aria-label"].forEach((name) => box.removeAttribute(name));
    }
  });
  addEventListener("resize", reachable);
  document.addEventListener("ck:resize", reachable);
  reachable();

  // On this page: the section in view.
  const links = new Map([...document.querySelectorAll(".ck-onpage a")].map((a) => [a.hash.slice(1), a]));
  const seen = new IntersectionObserver((entries) => {
    const current = entries.find((entry) => entry.isIntersecting && links.has(entry.target.id));
    if (!current) return;
    links.forEach((a) => a.removeAttribute("aria-current"));
    links.get(current.target.id).setAttribute("aria-current", "location");
  }, { rootMargin: "-15% 0px -70% 0px" });
  each("section[id]", (section) => seen.observe(section));
})();
