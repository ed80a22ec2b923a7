/* MathJax, served from this site: only the parts that the book's mathematics needs. */
window.MathJax = {
  loader: {
    load: ["core", "input/tex", "[tex]/boldsymbol", "output/chtml", "a11y/assistive-mml"],
  },
  tex: {
    inlineMath: [["\\(", "\\)"]],
    displayMath: [["\\[", "\\]"]],
    packages: { "[+]": ["boldsymbol"], "[-]": ["autoload", "require", "noundefined"] },
  },
  chtml: { displayAlign: "left", displayIndent: "0" },
  options: { ignoreHtmlClass: "ck-page", processHtmlClass: "math" },
  startup: {
    pageReady: () => MathJax.startup.defaultPageReady().then(() => document.dispatchEvent(new Event("ck:resize"))),
  },
};
