/** How fast many images go. */

const SMOOTHED_MS = 5000;

/** @returns "123 images/s, 4,500 of 10,000", by what was done in the last seconds; images done before do not count. */
export function rateText(): (done: number, count: number) => string {
  let last: { at: number; done: number } | undefined;
  let shown = "";
  return (done, count) => {
    const now = performance.now();
    last ??= { at: now, done };
    const seconds = (now - last.at) / 1000;
    if (seconds * 1000 >= SMOOTHED_MS || (shown === "" && seconds >= 1)) {
      const rate = (done - last.done) / seconds;
      shown = `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)} images/s, `;
      last = { at: now, done };
    }
    return `${shown}${done.toLocaleString("en")} of ${count.toLocaleString("en")}`;
  };
}
