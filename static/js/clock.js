// The clock on the kiosk: it only shows the server's. Counts down by itself between two answers, and says when it gets late.

const TICK_MS = 200;
const JITTER_MS = 1500; // a difference so small is the network, not a correction: the smaller time is shown
const AMBER_MS = 600000;
const RED_MS = 300000;
const LAST_MS = 60000;

let endsAt = 0;
let warnedBelow = Infinity;
let isOver = false;
let onOver = () => {};
let onMoreTime = () => {};

export function begin({ over, moreTime }) {
  onOver = over;
  onMoreTime = moreTime;
  const gauges = document.getElementById("gauges");
  new MutationObserver(correct).observe(gauges, { childList: true });
  correct();
  setInterval(draw, TICK_MS);
}

export function ask() {
  const clock = document.getElementById("clock");
  if (clock) window.htmx.trigger(clock, "every");
}

// each answer of the server brings the time along: the newest one counts
export function correct() {
  const clock = document.getElementById("clock");
  if (!clock || clock.dataset.read) return;
  clock.dataset.read = "1";
  const left = Number(clock.dataset.ms);
  const said = performance.now() + left;
  endsAt = endsAt && Math.abs(said - endsAt) < JITTER_MS ? Math.min(said, endsAt) : said;
  if (warnedBelow === Infinity) warnedBelow = stepOf(left);
  if (isOver && left > 0) {
    isOver = false;
    onMoreTime();
  }
  draw();
}

function draw() {
  const clock = document.getElementById("clock");
  if (!clock) return;
  const left = Math.max(0, endsAt - performance.now());
  show(clock, left);
  warn(left);
  if (left === 0 && !isOver) {
    isOver = true;
    onOver();
  }
}

function show(clock, left) {
  const seconds = Math.ceil(left / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  set(clock.querySelector(".timer__time"), parts.map((part) => String(part).padStart(2, "0")).join(":"));
  clock.classList.toggle("timer--amber", left <= AMBER_MS && left > RED_MS);
  clock.classList.toggle("timer--red", left <= RED_MS);
  const words = document.getElementById("gauges").dataset;
  const word = { 10: words.ten, 5: words.five, 1: words.one }[stepOf(left)] ?? words.calm;
  set(clock.querySelector(".timer__label"), word);
}

// spoken once each, politely; a page that opens late does not repeat what is over
function warn(left) {
  const step = stepOf(left);
  if (step >= warnedBelow) return;
  warnedBelow = step;
  const news = document.getElementById("time-news");
  if (news && step in news.dataset) news.textContent = news.dataset[step];
}

function stepOf(left) {
  if (left <= LAST_MS) return 1;
  if (left <= RED_MS) return 5;
  return left <= AMBER_MS ? 10 : 99;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
