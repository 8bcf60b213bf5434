// What the pages do with scripts: everything here makes something easier that works without, too.
(() => {
  "use strict";

  const notices = document.getElementById("notices");

  // A message of ours as plain text; with a link where there is something to do about it.
  const say = (text, link) => {
    const notice = document.createElement("p");
    notice.className = "notice notice-error";
    notice.setAttribute("role", "alert");
    notice.append(text);
    if (link) {
      const way = document.createElement("a");
      way.href = link.href;
      way.textContent = link.text;
      notice.append(" ", way);
    }
    notices.replaceChildren(notice);
  };

  // Every request carries the token against forged requests; empty fields of filters stay away.
  document.addEventListener("htmx:config:request", (event) => {
    const request = event.detail.ctx.request;
    const token = document.querySelector('meta[name="csrf-token"]').content;
    if (token) request.headers["X-CSRF-Token"] = token;
    if (request.method === "GET" && request.body instanceof FormData) {
      for (const [name, value] of [...request.body]) {
        if (value === "") request.body.delete(name);
      }
    }
  });

  document.addEventListener("htmx:before:request", () => notices.replaceChildren());

  // htmx swaps no error into a page (see htmx-config); its message is shown as a notice.
  document.addEventListener("htmx:response:error", (event) => {
    const { response, text } = event.detail.ctx;
    const plain = (response.headers.get("Content-Type") || "").startsWith("text/plain");
    const here = encodeURIComponent(location.pathname + location.search);
    const link = { href: `/login?next=${here}`, text: notices.dataset.login };
    say(plain && text ? text : notices.dataset.failed, response.status === 401 ? link : null);
  });

  document.addEventListener("htmx:error", (event) => {
    if (!event.detail.ctx?.response) say(notices.dataset.offline);
  });

  const typing = (element) => element.closest("input, textarea, select, [contenteditable]");

  // "/" goes to the search; the arrows go from firm to firm, Enter opens as with every link.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const search = document.querySelector("[data-search]");
    if (event.key === "/" && search && !typing(event.target)) {
      event.preventDefault();
      search.focus();
      search.select();
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const rows = [...document.querySelectorAll("[data-row]")];
    const at = rows.indexOf(document.activeElement);
    const from = document.activeElement;
    if (!rows.length || (at < 0 && from !== document.body && from !== search)) return;
    event.preventDefault();
    const next = event.key === "ArrowDown" ? at + 1 : at - 1;
    (rows[next] || (next < 0 && search) || rows[rows.length - 1]).focus();
  });

  // The secret of a one-time link stands behind the #, which browsers send to nobody.
  const token = document.querySelector("[data-from-fragment]");
  if (token && location.hash.length > 1) {
    token.value = location.hash.slice(1);
    token.closest("[data-by-hand]").hidden = true;
    history.replaceState(history.state, "", location.pathname);
  }
})();
