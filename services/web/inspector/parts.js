/** The parts that the inspector's views share. */

import { h, userText } from "../lib/dom.js";

/** Return the name of a message's type as people read it: "post cheep" of `cheeper.post-cheep.v1`. */
export function named(type) {
  return type ? type.replace(/^cheeper\.|\.v\d+$/g, "").replaceAll("-", " ") : "a message";
}

/** Return the exact time, UTC, of microseconds since the epoch. */
export function when(microseconds) {
  if (microseconds === null) return "unknown";
  const rest = String(microseconds % 1_000_000).padStart(6, "0");
  return `${new Date(microseconds / 1000).toISOString().slice(0, 19).replace("T", " ")}.${rest}`;
}

/** Return content that is shown once it is opened: a sentence, or anything else as JSON; null without content. */
export function more(title, content) {
  if (content === null) return null;
  const text = typeof content === "string" ? content : JSON.stringify(content, null, 2);
  return h("details", {}, h("summary", {}, userText(title)), h("pre", { dir: "auto" }, text));
}

/** Return facts as a list of names and values, without those that are null. */
export function facts(pairs) {
  const given = pairs.filter(([, value]) => value !== null && value !== undefined);
  return h("dl", {}, ...given.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, userText(String(value))))));
}

/** Return a word about the state of something, in the colours of that state. */
export const badge = (text, state) => h("span", { class: `state ${state}` }, text);

/** Return the tabs of the inspector, of which one is shown. */
export function tabs(current) {
  const tab = (name, label, href) => h("a", { href, ...(name === current && { "aria-current": "page" }) }, label);
  return h(
    "nav",
    { class: "tabs", "aria-label": "Inspector" },
    tab("system", "Map", "#/inspect/system"),
    tab("trace", "Trace", "#/inspect"),
    tab("author", "Side by side", "#/inspect/author"),
    tab("failed", "Failed messages", "#/inspect/failed"),
    tab("generations", "Generations", "#/inspect/generations"),
    tab("audit", "Audit", "#/inspect/audit"),
    tab("operations", "Trail", "#/inspect/operations"),
  );
}
