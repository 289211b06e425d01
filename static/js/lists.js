// Lists of the staff: ticking a whole page, counting what is ticked. All of it works without, by hand.

document.documentElement.dataset.scripted = "";

const boxes = (form) => [...form.querySelectorAll('input[name="id"]')];

function showCount(form) {
  const count = form.querySelector("[data-count]");
  if (!count) return;
  const all = form.querySelector('input[name="all"]').checked;
  const ticked = boxes(form).filter((box) => box.checked).length;
  count.textContent = ticked && !all ? count.dataset.count.replace("{n}", ticked) : "";
  const page = form.querySelector("[data-select-page]");
  if (!page) return;
  page.checked = ticked > 0 && ticked === boxes(form).length;
  page.indeterminate = ticked > 0 && !page.checked;
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-selection]");
  if (!form) return;
  if (event.target.matches("[data-select-page]")) {
    for (const box of boxes(form)) box.checked = event.target.checked;
  }
  showCount(form);
});

// a seat that was opened from the room board: its panel may stand far from the seat, on a phone above it
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx?.sourceElement?.matches(".seat, .calls__do a, [id^=row-] a")) document.getElementById("seat-panel")?.focus();
});

// after a refusal the focus goes to what has to be mended
document.addEventListener("htmx:after:swap", () => {
  document.querySelector('dialog[open] [aria-invalid="true"], .switch__go [aria-invalid="true"]')?.focus();
});
