// What the pages of a firm do with scripts, beside what pages.js does.
(() => {
  "use strict";

  // Why something was refused stands at the top; who acted further down must see it.
  document.addEventListener("htmx:response:error", () => {
    const notices = document.getElementById("notices");
    requestAnimationFrame(() => notices.scrollIntoView({ block: "center" }));
  });

  // The browser's own key prints, too; a button that does nothing without scripts is not shown.
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
})();
