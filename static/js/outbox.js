// The outbox: each change goes to the server at once, is tried until the server has it, and is never overtaken by an older one.
// One request at a time per question; the newest value wins; numbers go on from the one the server keeps.

const TEXT_PAUSE_MS = 1000;
const SLOW_MS = 4000; // a request that has been under way so long counts as a lost line: the bar stands within 5 s
const GIVE_UP_MS = 12000;
const RETRY_MS = [400, 1000, 2000, 3000, 4000];
const PASSING = [408, 425, 429]; // said by something on the way, or by a server that is too busy: not about the answer
const KEEPALIVE_BYTES = 60000; // browsers let a page that is closing send 64 KB

const entries = new Map();
const seen = { changed: () => {}, pieces: () => {}, problem: () => {}, gone: () => {}, line: () => {} };

export const line = {
  isLost: false,
  ok() {
    if (!line.isLost) return;
    line.isLost = false;
    for (const entry of entries.values()) send(entry);
    seen.line();
  },
  lost() {
    if (line.isLost) return;
    line.isLost = true;
    seen.line();
  },
};

// what the page wants to hear: changed(), pieces(root), problem(entry, root), gone(address), line()
export function listen(listeners) {
  Object.assign(seen, listeners);
}

export function waiting() {
  return [...entries.values()].filter(waits);
}

export function hasRefused() {
  return [...entries.values()].some((entry) => entry.isRefused && entry.seq > entry.savedSeq);
}

export function isLate() {
  return line.isLost || waiting().some((entry) => entry.tries > 0 || entry.isSlow);
}

// how many answers the server was asked to keep and did not: staff are told, in a header of what is sent anyway
export function stuck(sending) {
  const isStuck = (entry) => entry !== sending && (entry.tries > 0 || entry.isSlow || entry.isTurnedAway);
  return [...entries.values()].filter((entry) => entry.seq > entry.savedSeq && isStuck(entry)).length;
}

// a question has come on the page: what it shows gives way to what is still on its way to the server
export function arrived(form) {
  const entry = entryOf(form);
  const stored = Number(form.elements.seq.value);
  if (!waits(entry)) {
    entry.seq = entry.savedSeq = Math.max(entry.savedSeq, stored);
    mark(form, entry);
    return;
  }
  entry.seq = Math.max(entry.seq, stored + 1);
  put(form, entry.values);
  mark(form, entry);
}

// the candidate has changed the answer; text waits for a pause
export function note(form, { isText = false } = {}) {
  const entry = entryOf(form);
  entry.seq += 1;
  entry.values = read(form);
  entry.isRefused = false;
  mark(form, entry);
  clearTimeout(entry.timer);
  if (isText) entry.timer = setTimeout(() => send(entry), TEXT_PAUSE_MS);
  else send(entry);
  seen.changed();
}

// the field was left: no need to wait for the pause
export function leftField(form) {
  send(entryOf(form));
}

// a swap has carried this change along
export function carried(questionId, seq, isSaved) {
  const entry = entries.get(questionId);
  if (!entry) return;
  if (isSaved) entry.savedSeq = Math.max(entry.savedSeq, seq);
  else if (waits(entry)) entry.seq = Math.max(entry.seq, seq + 1);
  send(entry);
  seen.changed();
}

// send everything now and wait until it is there, but not for ever
export function flush(patienceMs) {
  const until = performance.now() + patienceMs;
  for (const entry of waiting()) send(entry);
  return new Promise((resolve) => {
    const look = () => (waiting().length === 0 || performance.now() > until ? resolve() : setTimeout(look, 50));
    look();
  });
}

// the page goes away: what is not under way is sent without waiting for an answer
export function sendLast() {
  for (const entry of waiting()) {
    if (entry.sendingSeq !== entry.seq) post(entry, entry.seq).catch(() => {});
  }
}

function entryOf(form) {
  const id = form.elements.question.value;
  if (!entries.has(id)) {
    const seq = Number(form.elements.seq.value);
    const number = Number(form.dataset.number);
    const address = form.dataset.save;
    const page = form.elements.page.value;
    entries.set(id, { id, number, address, page, seq, savedSeq: seq, values: [], tries: 0, sendingSeq: 0, isSlow: false });
  }
  return entries.get(id);
}

function waits(entry) {
  return entry.seq > entry.savedSeq && !entry.isRefused;
}

function read(form) {
  return [...new FormData(form)].filter(([name]) => name === "choice" || name === "text");
}

function put(form, values) {
  const chosen = values.filter(([name]) => name === "choice").map(([, value]) => value);
  for (const input of form.querySelectorAll("input[name=choice]")) input.checked = chosen.includes(input.value);
  const text = values.find(([name]) => name === "text");
  if (text && form.elements.text) form.elements.text.value = text[1];
}

// the hidden fields go along with a swap: it saves on the way what the server has not yet acknowledged
function mark(form, entry) {
  form.elements.seq.value = String(entry.seq);
  // a refused answer goes along with the next move: the server then stays on the question and says why
  form.elements.changed.value = entry.seq > entry.savedSeq ? "1" : "";
}

function markShown(entry) {
  const form = document.getElementById("answer");
  if (form?.elements.question.value === entry.id) mark(form, entry);
}

function post(entry, seq) {
  const body = new URLSearchParams([...entry.values, ["question", entry.id], ["seq", String(seq)], ["page", entry.page]]);
  const token = document.querySelector("meta[name=csrf-token]").content;
  return fetch(entry.address, {
    method: "POST",
    body,
    keepalive: body.toString().length < KEEPALIVE_BYTES,
    headers: { "HX-Request": "true", "X-CSRFToken": token, "X-Unsaved": String(stuck(entry)) },
    credentials: "same-origin",
    signal: AbortSignal.timeout(GIVE_UP_MS),
  });
}

async function send(entry) {
  if (entry.sendingSeq || !waits(entry)) return;
  clearTimeout(entry.timer);
  const seq = entry.seq;
  entry.sendingSeq = seq;
  const slow = setTimeout(() => {
    entry.isSlow = true;
    line.lost();
  }, SLOW_MS);
  let again = 0;
  try {
    const response = await post(entry, seq);
    if (response.status >= 500 || PASSING.includes(response.status)) throw new Error(`status ${response.status}`);
    entry.tries = 0;
    await answered(entry, seq, response);
    line.ok();
  } catch {
    again = RETRY_MS[Math.min(entry.tries, RETRY_MS.length - 1)] * (0.75 + Math.random() / 2);
    entry.tries += 1;
    line.lost();
  } finally {
    clearTimeout(slow);
    entry.isSlow = false;
    entry.sendingSeq = 0;
  }
  markShown(entry);
  if (waits(entry)) entry.timer = setTimeout(() => send(entry), again);
  seen.changed();
}

async function answered(entry, seq, response) {
  const address = response.headers.get("HX-Redirect");
  if (address) {
    entry.isRefused = true;
    seen.gone(address);
    return;
  }
  if (response.status === 409) {
    // the same number with another value is there already: go above it
    entry.seq += 1;
    return;
  }
  const root = fragmentOf(await response.text());
  if (!response.ok) {
    entry.isRefused = entry.seq === seq;
    entry.isTurnedAway = response.status !== 422; // what can't be an answer is the candidate's to mend
    seen.problem(entry, root, response.status);
    return;
  }
  const stored = Number(root.dataset.seq);
  entry.isTurnedAway = false;
  if (root.dataset.saved === "1") entry.savedSeq = Math.max(entry.savedSeq, seq);
  else entry.seq = Math.max(entry.seq, stored + 1);
  seen.pieces(root);
}

function fragmentOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}
