/** The trail: what operators did, when, why and with which outcome, the newest first. */

import * as api from "../data/api.js";
import { h } from "../lib/dom.js";
import { loadInto } from "../lib/loading.js";
import { entryOf, followed } from "./act.js";

/** Return the elements of the view. */
export function show() {
  return [page(null)];
}

function page(cursor) {
  const place = h("div");
  loadInto(
    place,
    () => api.actions(cursor),
    ({ items, next }) => {
      if (items.length === 0) return h("p", { class: "empty" }, "Nobody has done anything yet.");
      const more = h("button", { type: "button", class: "quiet", onclick: () => more.replaceWith(page(next)) }, "Show more");
      return [...items.map(entry), next !== null && more].filter(Boolean);
    },
  );
  return place;
}

function entry(one) {
  if (one.outcome !== null) return entryOf(one);
  const place = h("div", { role: "status" }, entryOf(one, true));
  setTimeout(() => followed(place, one).catch(() => {})); // once it is in the page
  return place;
}
