/** The inspector, whose modules are loaded when it is first shown, so that the client itself does not grow. */

import { h } from "../lib/dom.js";
import { loadInto } from "../lib/loading.js";

export const title = () => "Inspector";

const STYLES = "/web/inspector/inspector.css";
const VIEWS = {
  system: () => import("../inspector/system.js"),
  trace: () => import("../inspector/trace.js"),
  author: () => import("../inspector/author.js"),
  failed: () => import("../inspector/failed.js"),
  generations: () => import("../inspector/generations.js"),
  audit: () => import("../inspector/audit.js"),
  operations: () => import("../inspector/operations.js"),
};

/** Return the elements of one of its views, about an id or none. */
export function show({ view, ...about }) {
  if (!document.querySelector(`link[href="${STYLES}"]`))
    document.head.append(h("link", { rel: "stylesheet", href: STYLES }));
  const place = h("div", { class: "inspector" });
  const load = () => Promise.all([import("../inspector/parts.js"), VIEWS[view]()]);
  loadInto(place, load, ([parts, module]) => [parts.tabs(view), ...module.show(about)]);
  return [place];
}
