import { h } from "../lib/dom.js";
import { exact, relative } from "../lib/time.js";

/** Return a time as "3 min", with the exact one on hover. `keepTimes` keeps it up to date. */
export function since(iso) {
  return h("time", { dateTime: iso, title: exact(iso), class: "since" }, relative(iso));
}
