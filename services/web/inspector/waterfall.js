/** The waterfall: the steps of a command, with a bar for each wait at its place in the whole time. */

import { h } from "../lib/dom.js";

/** Return a time span of microseconds as people read it. */
export function span(microseconds) {
  if (microseconds < 1000) return `${microseconds} µs`;
  if (microseconds < 1_000_000) return `${(microseconds / 1000).toFixed(1)} ms`;
  return `${(microseconds / 1_000_000).toFixed(2)} s`;
}

/** Return the start and the width of each step's wait, in hundredths of the whole time; null for a step without one. */
export function bars(steps) {
  const times = steps.map((step) => step.at).filter((at) => at !== null);
  const first = Math.min(...times);
  const whole = Math.max(...times) - first || 1;
  return steps.map(({ at, waited }) => {
    if (at === null || waited === null) return null;
    const start = Math.max(0, at - waited - first);
    return { start: (100 * start) / whole, width: (100 * Math.min(waited, whole)) / whole };
  });
}

/** Return the list of the steps. `when` makes a time of microseconds readable. */
export function waterfall(steps, when) {
  const places = bars(steps);
  return h("ol", { class: "waterfall" }, ...steps.map((step, number) => row(step, places[number], when)));
}

function row(step, place, when) {
  const bar = h("span", { class: "bar", "aria-hidden": "true" });
  if (place) {
    bar.style.setProperty("--start", `${place.start}%`);
    bar.style.setProperty("--width", `${place.width}%`);
  }
  return h(
    "li",
    { class: step.at === null ? "unknown" : "" },
    h("span", {}, step.name),
    h("time", {}, when(step.at)),
    place && h("span", { class: "hint" }, `${span(step.waited)} ${step.during}`),
    place && bar,
  );
}
