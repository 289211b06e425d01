// One page writes the exam. A lock of the browser tells whether another tab is this very page already; if so, this one takes
// the exam as a page of its own, and the server tells the other. After a refresh or a crash the lock is free: nothing to take.

const PATIENCE_MS = 800; // the page that a refresh replaces lets go a moment later

export async function claim() {
  const form = document.getElementById("take");
  if (!navigator.locks || !form) return; // without https there are no locks: then the numbers of the answers keep order
  const isFree = await new Promise((resolve) => {
    const hold = () => {
      resolve(true);
      return new Promise(() => {}); // until the page is gone
    };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    navigator.locks.request(form.dataset.lock, { signal }, hold).catch(() => resolve(false));
  });
  if (!isFree) form.submit();
}
