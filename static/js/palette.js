// The palette: which question is open, what waits to be saved, and the counts. Colours come from the server alone.

const ANSWERED = ["done", "both"];

export function show(number) {
  for (const cell of document.querySelectorAll("#palette [aria-current]")) cell.removeAttribute("aria-current");
  const here = cellOf(number);
  here?.setAttribute("aria-current", "true");
  const part = here?.closest("[data-cells]").dataset.cells;
  for (const tab of document.querySelectorAll(".parts__tab")) {
    if (tab.dataset.part === part) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
}

// let the open question's cell be seen; asks for the layout, so after all changes
export function reveal() {
  const here = document.querySelector("#palette [aria-current]");
  const frame = here?.closest(".exam__pal");
  // on a phone the palette stands below the question and does not scroll by itself: then the page must not jump to it
  if (frame && frame.scrollHeight > frame.clientHeight) here.scrollIntoView({ block: "nearest" });
}

// a cell as the server draws it takes the place of the old one; focus and ring stay where they are
export function replace(fresh) {
  const old = document.getElementById(fresh.id);
  if (!old) return;
  const hadFocus = document.activeElement === old;
  if (old.hasAttribute("aria-current")) fresh.setAttribute("aria-current", "true");
  old.replaceWith(fresh);
  if (hadFocus) fresh.focus({ preventScroll: true });
}

export function showWaiting(numbers) {
  for (const cell of document.querySelectorAll("#palette .pal--waits")) {
    if (numbers.has(Number(cell.value))) continue;
    cell.classList.remove("pal--waits");
    cell.querySelector("b")?.remove();
  }
  for (const number of numbers) {
    const cell = cellOf(number);
    if (!cell || cell.classList.contains("pal--waits")) continue;
    cell.classList.add("pal--waits");
    const words = document.createElement("b");
    const hidden = document.createElement("span");
    hidden.className = "vh";
    hidden.append(document.getElementById("say-waits").content.cloneNode(true));
    words.append(hidden);
    cell.append(words);
  }
}

export function count() {
  const totals = {};
  for (const part of document.querySelectorAll("[data-cells]")) {
    let answered = 0;
    for (const cell of part.querySelectorAll(".pal")) {
      const state = cell.dataset.state;
      totals[state] = (totals[state] ?? 0) + 1;
      if (ANSWERED.includes(state)) answered += 1;
    }
    set(`[data-part-answered="${part.dataset.cells}"]`, answered);
  }
  for (const legend of document.querySelectorAll("[data-count-of]")) {
    const state = legend.dataset.countOf;
    set(`[data-count-of="${state}"]`, totals[state] ?? 0);
  }
}

function cellOf(number) {
  return document.getElementById(`cell-${number}`);
}

function set(selector, number) {
  const element = document.querySelector(selector);
  if (element && element.textContent !== String(number)) element.textContent = String(number);
}
