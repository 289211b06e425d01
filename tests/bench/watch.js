// What a page does with its main thread, kept by the browser's own observers; read at the end by `page.py`.

(() => {
  const seen = { answers: [], swaps: [], saves: [], tasks: [], frames: [], shifts: [] };
  window.benchSeen = seen;

  const watch = (type, keep) => new PerformanceObserver((list) => list.getEntries().forEach(keep)).observe({ type, buffered: true });
  watch("longtask", (task) => seen.tasks.push({ at: task.startTime, ms: task.duration }));
  // a task says only how long it took; the frame it belongs to says with what
  watch("long-animation-frame", (frame) => {
    const scripts = frame.scripts.map((one) => ({ name: one.sourceFunctionName || one.invoker, ms: one.duration }));
    const until = frame.startTime + frame.duration;
    const drawn = frame.styleAndLayoutStart ? until - frame.styleAndLayoutStart : 0;
    seen.frames.push({ ms: frame.duration, blocking: frame.blockingDuration, drawn, scripts });
  });
  watch("layout-shift", (shift) => {
    const named = (node) => node && (node.id || node.className || (node.parentElement && named(node.parentElement)));
    const moved = shift.sources.map(({ node }) => named(node) || "?");
    seen.shifts.push({ at: shift.startTime, value: shift.value, moved: moved.join(" ") });
  });
  watch("resource", (one) => {
    const name = one.name.replace(/^.*\/exam\//, "").replace(/\?.*$/, "");
    if (one.initiatorType === "fetch") seen.answers.push({ name, at: one.startTime, ended: one.responseEnd });
  });

  // keeps when a part of the page was changed and when that was painted: a message posted in a frame comes after it
  const watchPart = (part, keep) => {
    let isDue = false;
    new MutationObserver(() => {
      if (isDue) return;
      isDue = true;
      const changed = performance.now();
      requestAnimationFrame(() => {
        isDue = false;
        const channel = new MessageChannel();
        channel.port1.onmessage = () => keep.push({ changed, painted: performance.now() });
        channel.port2.postMessage(0);
      });
    }).observe(part, { childList: true, subtree: true });
  };
  document.addEventListener("DOMContentLoaded", () => {
    const [question, palette] = ["question", "palette"].map((id) => document.getElementById(id));
    if (question) watchPart(question, seen.swaps);
    if (palette) watchPart(palette, seen.saves);
  });
})();
