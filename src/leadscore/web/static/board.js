// The board with scripts: a card is dragged to another column, and its form opens in a dialog.
(() => {
  "use strict";

  const dialog = document.getElementById("move-dialog");
  if (!dialog) return;
  const body = document.getElementById("move-body");
  let asker = null;

  // The form is that of the page which is linked; without scripts that page is opened.
  const ask = async (link, stage) => {
    asker = link;
    const address = new URL(link.href);
    if (stage) address.searchParams.set("stage", stage);
    try {
      const response = await fetch(address, { credentials: "same-origin" });
      if (!response.ok) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      body.replaceChildren(document.adoptNode(page.getElementById("move-form")));
    } catch {
      location.assign(address);
      return;
    }
    htmx.process(body);
    dialog.showModal();
    body.querySelector(stage === "lost" ? "#move-reason" : stage ? "#move-day" : "#move-stage").focus();
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-move]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      ask(link);
    }
    if (event.target.closest("#move-dialog .leave")) {
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.addEventListener("close", () => asker?.focus());

  // What is refused is said in the dialog, where whoever asked is looking.
  document.addEventListener("htmx:response:error", (event) => {
    const refused = dialog.open && body.querySelector(".move-refused");
    const text = event.detail.ctx.text;
    if (!refused || !text) return;
    refused.textContent = text;
    refused.hidden = false;
  });

  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".board-card[draggable]");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.firm);
    dragged.classList.add("dragged");
  });
  const leave = () => document.querySelectorAll(".board-column.over").forEach((column) => column.classList.remove("over"));
  const columnOf = (event) => {
    const column = dragged && event.target.closest?.(".board-column");
    return column && !column.contains(dragged) ? column : null;
  };
  document.addEventListener("dragover", (event) => {
    const column = columnOf(event);
    leave();
    if (!column) return;
    event.preventDefault();
    column.classList.add("over");
  });
  document.addEventListener("drop", (event) => {
    const column = columnOf(event);
    if (!column) return;
    event.preventDefault();
    ask(dragged.querySelector("[data-move]"), column.dataset.stage);
  });
  document.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    dragged = null;
    leave();
  });
})();
