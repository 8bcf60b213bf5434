// The ranking with scripts: choose a page of firms at once, count the chosen, close open menus.
(() => {
  "use strict";

  const boxes = () => [...document.querySelectorAll('input[name="firm"]')];

  const count = () => {
    const form = document.getElementById("chosen");
    if (!form) return;
    const all = boxes();
    const chosen = all.filter((box) => box.checked).length;
    const page = document.getElementById("choose-page");
    const told = form.querySelector(".how-many");
    if (!told) return; // all of a filter are selected, and no single firms
    page.checked = chosen > 0 && chosen === all.length;
    page.indeterminate = chosen > 0 && chosen < all.length;
    told.hidden = chosen === 0;
    told.querySelector("strong").textContent = chosen;
    form.classList.toggle("idle", chosen === 0);
  };

  document.addEventListener("change", (event) => {
    if (event.target.id === "choose-page") {
      for (const box of boxes()) box.checked = event.target.checked;
    }
    if (event.target.id === "choose-page" || event.target.name === "firm") count();
  });

  // One menu at a time; a click elsewhere and Escape close it.
  const close = (but) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== but) menu.open = false;
    }
  };

  document.addEventListener("click", (event) => close(event.target.closest("details.menu")));

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const open = document.querySelector("details.menu[open]");
      if (!open) return;
      close();
      open.querySelector("summary").focus();
    }
    // Enter in a field does what stands beside it, not what the first button of the form does.
    if (event.key === "Enter" && event.target.matches("#chosen .panel input")) {
      event.preventDefault();
      event.target.closest(".panel").querySelector("button").click();
    }
  });

  document.addEventListener("htmx:after:swap", count);
  window.addEventListener("pageshow", count);
  count();
})();
