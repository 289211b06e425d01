// Counts the words of a written answer. The limits guide; nothing is cut off.

export function begin(field) {
  const words = document.querySelector("[data-count]");
  const bar = document.querySelector("[data-count-bar]");
  const draw = () => {
    const count = (field.value.match(/[^\s]+/gu) ?? []).length;
    words.querySelector("[data-count-number]").textContent = String(count);
    if (!bar) return;
    bar.value = Math.min(count, bar.max);
    bar.classList.toggle("progress--ok", count >= Number(bar.dataset.least) && count <= bar.max);
    bar.classList.toggle("progress--over", count > bar.max);
  };
  words.hidden = false;
  if (bar) bar.hidden = false;
  field.addEventListener("input", draw);
  draw();
}
