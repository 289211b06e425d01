// The receipt clears itself: nothing of an exam stays on a kiosk. Writing feedback stops the count for a while.

const notice = document.querySelector("[data-clears-in]");
const form = document.getElementById("leave");
const shown = notice.querySelector("[data-seconds]");
const stopped = notice.querySelector("[data-stopped]");
const counting = notice.querySelector("[data-counting]");
const IDLE_MS = 60_000;
let idle;
// without a script the page says that it stays, and it does
counting.hidden = false;
stopped.hidden = true;
const endsAt = performance.now() + Number(notice.dataset.clearsIn) * 1000;

const timer = setInterval(() => {
  const left = Math.max(0, Math.ceil((endsAt - performance.now()) / 1000));
  shown.textContent = String(left);
  if (left === 0) {
    clearInterval(timer);
    form.submit();
  }
}, 250);

function stop() {
  clearInterval(timer);
  counting.hidden = true;
  stopped.hidden = false;
  // whoever walks away in the middle of a word leaves nothing behind either
  clearTimeout(idle);
  idle = setTimeout(() => form.submit(), IDLE_MS);
}

for (const kind of ["pointerdown", "input"]) {
  document.querySelector("[data-feedback]")?.addEventListener(kind, stop);
}
