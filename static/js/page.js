// Entry of every page but the exam's: dialogs, no page out of the back-forward cache, no second click on a form.

import "./dialog.js";

const NERVOUS_MS = 3000; // later it is a try again: the line may have been down

const noLine = document.getElementById("no-line");

// what staff are told lies over an open dialog as well: the one that was shown last is on top
function tell(isLost) {
  if (!noLine) return;
  if (!noLine.popover) {
    noLine.hidden = !isLost;
    return;
  }
  if (isLost && noLine.matches(":popover-open") && !document.querySelector("dialog[open]")) return; // said once
  noLine.togglePopover(false);
  if (isLost) noLine.togglePopover(true);
}

window.addEventListener("online", () => tell(false));

// a form that HTMX sends meets no error page of the browser: it would only seem to do nothing
document.addEventListener("htmx:error", () => tell(true));

// a page that asks again and again says so when nobody answers, and that it is over with the first answer
document.addEventListener("htmx:after:request", (event) => {
  const status = event.detail.ctx?.response?.status;
  if (status && status < 500) tell(false);
  else if (status && noLine?.popover) tell(true);
});

// a page that answered a form's POST and says where it can be had by GET: a refresh asks there, and sends nothing again
const here = document.querySelector("[data-here]");
if (here) window.history.replaceState(null, "", here.dataset.here);

// a page that comes back from the cache would show what is no longer so
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// a second click within the same submission is the nervous hand, not a second wish
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (!navigator.onLine && noLine) {
    // the browser's own error page has no way back on a locked kiosk
    event.preventDefault();
    tell(true);
    noLine.scrollIntoView({ block: "nearest" });
    return;
  }
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, NERVOUS_MS);
});

if (document.querySelector("[data-clears-in]")) import("./receipt.js");
if (document.querySelector("[data-clock]")) import("./wall.js");
