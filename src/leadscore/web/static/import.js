// A file may be dropped on the form; it is looked at as soon as it is there.
(() => {
  "use strict";

  const form = document.querySelector("[data-drop]");
  const input = form?.querySelector('input[type="file"]');
  if (!input) return;

  const check = () => {
    const isTooLarge = input.files[0]?.size > Number(form.dataset.most);
    input.setCustomValidity(isTooLarge ? form.dataset.tooLarge : "");
  };

  input.addEventListener("change", check);

  const over = (on) => (event) => {
    event.preventDefault();
    form.classList.toggle("drop-over", on);
  };

  form.addEventListener("dragover", over(true));
  form.addEventListener("dragleave", over(false));
  form.addEventListener("drop", (event) => {
    over(false)(event);
    if (!event.dataTransfer.files.length) return;
    const files = new DataTransfer();
    files.items.add(event.dataTransfer.files[0]);
    input.files = files.files;
    check();
    form.requestSubmit();
  });
})();
