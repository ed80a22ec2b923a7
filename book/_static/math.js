/* MathJax, served from this site: only the parts that the book's mathematics needs. */
window.MathJax = {
  loader: {
    load: ["core", "input/tex", "[tex]/boldsymbol", "[tex]/cancel", "[tex]/color", "output/chtml", "a11y/assistive-mml"],
  },
  tex: {
    inlineMath: [["\\(", "\\)"]],
    displayMath: [["\\[", "\\]"]],
    packages: { "[+]": ["boldsymbol", "cancel", "color"], "[-]": ["autoload", "require", "noundefined"] },
  },
  chtml: { displayAlign: "left", displayIndent: "0" },
  options: { ignoreHtmlClass: "ck-page", processHtmlClass: "math", enableMenu: false },
  startup: {
    pageReady: () => MathJax.startup.defaultPageReady().then(() => document.dispatchEvent(new Event("ck:resize"))),
  },
};
