// The centre's time on the sign-in page, going on from the server's: the kiosk's own clock may be wrong.

const face = document.querySelector("[data-clock]");
const start = performance.now();
const [hours, minutes, seconds] = face.dataset.clock.split(":").map(Number);
const first = hours * 3600 + minutes * 60 + seconds;

setInterval(() => {
  const now = Math.floor(first + (performance.now() - start) / 1000) % 86400;
  const text = [Math.floor(now / 3600), Math.floor(now / 60) % 60].map((part) => String(part).padStart(2, "0")).join(":");
  if (face.textContent !== text) face.textContent = text;
}, 1000);
