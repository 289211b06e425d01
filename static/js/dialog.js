// Dialogs that stand in the page: a button or link with data-opens="<id>" shows one, data-closes shuts it.
// Without JavaScript the link leads to a page with the same question.

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  const dialog = opener && document.getElementById(opener.dataset.opens);
  if (dialog) {
    event.preventDefault();
    dialog.showModal();
    return;
  }
  const closer = event.target.closest("[data-closes]");
  const open = closer?.closest("dialog");
  if (open) {
    event.preventDefault();
    open.close();
  }
});

// a dialog that came with the page or with a swap and is meant to be open
export function openWaiting(root = document) {
  for (const dialog of root.querySelectorAll("dialog[data-open]:not([open])")) {
    dialog.showModal();
  }
}

openWaiting();
document.addEventListener("htmx:after:swap", () => openWaiting());
