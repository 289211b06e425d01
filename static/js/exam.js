// Entry of the exam page: binds the form to the outbox, the swaps to the palette, the clock to the lock. State lives on the server.

import * as clock from "./clock.js";
import { claim } from "./lease.js";
import * as outbox from "./outbox.js";
import * as palette from "./palette.js";

const FLUSH_MS = 2500;
const PROBE_MS = 2000;
const OPENING_MS = 1000; // only a swap that takes longer is seen to be under way
const SLOW_SWAP_MS = 4000;
const KEYS_OFF = "keys-off";
const KEYS = { ArrowLeft: "prev", ArrowRight: "next", m: "mark" };

const exam = document.getElementById("exam");
const news = document.getElementById("news");
const save = document.getElementById("save");
let lastSaved = save.innerHTML;
let wish = null; // the button that was pressed while the line was down
let probe = 0;
let isLocked = false;

const answer = () => document.getElementById("answer");
const isAnswer = (event) => event.detail?.ctx?.sourceElement?.id === "answer";

// --- the question on the page ---------------------------------------------------------------------

function arrive() {
  const form = answer();
  outbox.arrived(form);
  palette.show(form.dataset.number);
  const field = form.querySelector("[data-words]");
  if (field) import("./counter.js").then((counter) => counter.begin(field));
  drawSaveState();
}

exam.addEventListener("input", (event) => {
  if (event.target.form !== answer() || !["choice", "text"].includes(event.target.name)) return;
  outbox.note(event.target.form, { isText: event.target.name === "text" });
});
exam.addEventListener("change", (event) => {
  if (event.target.name === "text" && event.target.form === answer()) outbox.leftField(event.target.form);
});
exam.addEventListener("click", (event) => {
  if (!event.target.closest("[name=go][value=clear]")) return;
  event.preventDefault();
  const form = answer();
  for (const input of form.querySelectorAll("input[name=choice]")) input.checked = false;
  if (form.elements.text) form.elements.text.value = "";
  form.elements.text?.dispatchEvent(new Event("input"));
  showProblem(null);
  outbox.note(form);
});

// --- what is saved ----------------------------------------------------------------------------------

function drawSaveState() {
  const waiting = outbox.waiting();
  palette.showWaiting(new Set(waiting.map((entry) => entry.number)));
  const say = outbox.hasRefused() || (outbox.isLate() && waiting.length) ? "say-late" : waiting.length ? "say-saving" : "";
  if (save.dataset.say !== say) save.replaceChildren(...(say ? [words(say)] : []));
  if (!say && save.innerHTML !== lastSaved) save.innerHTML = lastSaved;
  save.dataset.say = say;
  if (outbox.line.isLost) drawOffline();
}

function takePieces(root) {
  const state = root.querySelector("[data-for=save]");
  if (state) lastSaved = state.innerHTML;
  const cell = root.querySelector(".pal");
  if (cell) palette.replace(cell);
  const time = root.querySelector("#clock");
  if (time) takeClock(time);
  palette.count();
  showProblem(null);
}

// the clock stays and is told the time: a new one with the same digits would be laid out and painted for nothing
function takeClock(fresh) {
  const time = document.getElementById("clock");
  delete time.dataset.read;
  for (const { name, value } of fresh.attributes) if (time.getAttribute(name) !== value) time.setAttribute(name, value);
  window.htmx.process(time, true); // the next poll is as far off as after any answer
  clock.correct();
}

function showProblem(root) {
  const old = document.getElementById("problem");
  if (root?.id === "problem") old?.replaceWith(root);
  else if (old && !old.hidden) {
    old.hidden = true;
    old.replaceChildren();
  }
}

outbox.listen({
  changed: drawSaveState,
  pieces: takePieces,
  problem(entry, root, status) {
    const isShown = answer()?.elements.question.value === entry.id;
    if (status === 422 && isShown) showProblem(root);
    else if (root) news.replaceChildren(root);
  },
  gone(address) {
    lock();
    window.location.assign(address);
  },
  line() {
    clearInterval(probe);
    if (outbox.line.isLost) probe = setInterval(clock.ask, PROBE_MS);
    else if (!isLocked) news.replaceChildren();
    drawSaveState();
    if (!outbox.line.isLost) goAsWished();
  },
});

// --- the line to the server ---------------------------------------------------------------------------

function drawOffline() {
  if (isLocked) return;
  const count = outbox.waiting().length;
  const key = `${count}${wish ? "w" : ""}`;
  if (news.dataset.key === key && news.firstElementChild) return;
  news.dataset.key = key;
  const bar = words("say-offline");
  const kept = count === 0 ? "none" : count === 1 ? "one" : "many";
  for (const span of bar.querySelectorAll("[data-kept]")) {
    span.hidden = span.dataset.kept === "going" ? !wish : span.dataset.kept !== kept;
  }
  bar.querySelector("[data-kept-number]").textContent = String(count);
  news.replaceChildren(bar);
}

function goAsWished() {
  const form = answer();
  const button = wish && form && [...document.querySelectorAll("button[form=answer]")].find((one) => one.name === wish.name && one.value === wish.value);
  wish = null;
  if (button) form.requestSubmit(button);
}

const slow = new WeakMap();
let opening = 0;
document.addEventListener("htmx:before:request", (event) => {
  slow.set(event.detail.ctx, setTimeout(outbox.line.lost, SLOW_SWAP_MS));
  if (!isAnswer(event)) return;
  clearTimeout(opening);
  opening = setTimeout(() => exam.classList.add("is-opening"), OPENING_MS);
});
document.addEventListener("htmx:after:request", (event) => {
  if (event.detail.ctx.response.status < 500) outbox.line.ok();
  else fell(event);
});
document.addEventListener("htmx:error", fell);
document.addEventListener("htmx:finally:request", (event) => {
  clearTimeout(slow.get(event.detail.ctx));
  if (!isAnswer(event)) return;
  clearTimeout(opening);
  exam.classList.remove("is-opening");
});
window.addEventListener("offline", () => outbox.line.lost());
window.addEventListener("online", () => clock.ask());

function fell(event) {
  const submitter = isAnswer(event) ? event.detail.ctx.request.submitter : null;
  if (submitter) wish = { name: submitter.name, value: submitter.value };
  outbox.line.lost();
  drawOffline();
}

// --- from question to question ---------------------------------------------------------------------------

document.addEventListener("htmx:config:request", (event) => {
  event.detail.ctx.request.headers["X-Unsaved"] = String(outbox.stuck());
  if (isAnswer(event)) wish = null; // a newer wish replaces the one that waits
});

let rest = null; // of a swap: what can wait until the question is painted

// What rides along is taken here and not by htmx, which would look for triggers and kept parts in each piece by itself.
document.addEventListener("htmx:before:swap", (event) => {
  const [{ tasks }, form, here] = [event.detail, answer(), document.activeElement];
  if (!tasks.some((task) => task.target === form)) return;
  // before anything is changed: to lose the focus with what is taken away makes the styles in the midst of the changes
  if (form.contains(here) && here.name !== "text") here.blur();
  takeRest();
  const pieces = tasks.filter((task) => task.type === "oob").map((task) => task.fragment.firstElementChild);
  tasks.splice(0, tasks.length, ...tasks.filter((task) => task.type !== "oob"));
  rest = { time: pieces.find((piece) => piece.id === "clock"), at: performance.now() };
  for (const piece of pieces) {
    if (piece.matches(".pal")) palette.replace(piece);
    else if (piece !== rest.time) lastSaved = piece.innerHTML;
  }
  palette.count();
});
document.addEventListener("htmx:after:swap", () => {
  const form = answer();
  if (!form || form.dataset.isHere) return;
  form.dataset.isHere = "1";
  const { left, leftSeq, leftSaved } = form.dataset;
  if (left) outbox.carried(left, Number(leftSeq), leftSaved === "1");
  arrive();
  requestAnimationFrame(() => {
    bringIntoView();
    setTimeout(takeRest); // a task of its own, after this frame
  });
});

function takeRest() {
  if (!rest) return;
  const { time, at } = rest;
  rest = null;
  document.title = document.title.replace(/^[^·]*/, `${answer().dataset.title} `);
  if (time) {
    time.dataset.ms -= Math.round(performance.now() - at);
    takeClock(time);
  }
}

// what asks for the layout comes last, in the frame that makes it anyway
function bringIntoView() {
  document.getElementById("question").scrollTop = 0;
  if (window.scrollY > 0) exam.scrollIntoView(); // on a phone the page itself scrolls
  palette.reveal();
  document.getElementById("question-title").focus({ preventScroll: true });
}

// --- keys: A to F or 1 to 6 choose, arrows move, M marks; never while somebody writes, and they can be switched off ---

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input.answer")) {
    event.preventDefault();
    press("next");
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || isElsewhere(event.target)) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const button = KEYS[key];
  if (button) {
    event.preventDefault();
    if (!event.repeat) press(button);
    return;
  }
  const place = "abcdef".indexOf(key) >= 0 ? "abcdef".indexOf(key) : "123456".indexOf(key);
  const option = key.length === 1 && place >= 0 ? document.querySelectorAll("#answer input[name=choice]")[place] : null;
  if (option && !event.repeat) {
    event.preventDefault();
    option.focus();
    option.click();
  }
});

function isElsewhere(target) {
  const isText = target.matches("textarea, select, input:not([type=radio], [type=checkbox])");
  return isText || document.querySelector("dialog[open], [popover]:popover-open") || sessionStorage.getItem(KEYS_OFF);
}

function press(value) {
  const button = document.querySelector(`.exam__foot [name=go][value=${value}]`);
  if (button && !button.closest("[inert]")) button.click();
}

const control = document.querySelector("[data-keys-switch]");
if (control) {
  control.checked = !sessionStorage.getItem(KEYS_OFF);
  control.addEventListener("change", () => {
    if (control.checked) sessionStorage.removeItem(KEYS_OFF);
    else sessionStorage.setItem(KEYS_OFF, "1");
  });
}

// --- the end, and leaving the page -----------------------------------------------------------------------

function lock() {
  isLocked = true;
  for (const part of exam.querySelectorAll(".parts, .exam__main, .exam__foot, .exam__side")) part.inert = true;
}

clock.begin({
  async over() {
    lock();
    news.replaceChildren(words("say-over"));
    await outbox.flush(FLUSH_MS);
    clock.ask();
  },
  moreTime() {
    isLocked = false;
    for (const part of exam.querySelectorAll("[inert]")) part.inert = false;
    news.replaceChildren();
  },
});

document.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-preferences]")) return;
  event.preventDefault();
  const chosen = document.createElement("input");
  Object.assign(chosen, { type: "hidden", name: event.submitter.name, value: event.submitter.value });
  event.target.append(chosen);
  await outbox.flush(FLUSH_MS);
  event.target.submit();
});
window.addEventListener("pagehide", outbox.sendLast);
document.addEventListener("visibilitychange", () => document.hidden && outbox.flush(0));
window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());

function words(id) {
  return document.getElementById(id).content.cloneNode(true).firstElementChild;
}

answer().dataset.isHere = "1";
arrive();
palette.count();
palette.reveal();
claim();
