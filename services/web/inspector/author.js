/** An author's write model and read models side by side, and whether they are equal now. */

import * as api from "../data/api.js";
import { h, userText } from "../lib/dom.js";
import { loadInto } from "../lib/loading.js";
import { more } from "./parts.js";
import { idForm } from "./search.js";

/** Return the elements of the view of an author's id, or of none. */
export function show({ id }) {
  const form = idForm(id, "Id of an author", "Show", (value) => `#/inspect/author?id=${encodeURIComponent(value)}`);
  if (!id) return [form, h("p", { class: "empty" }, "The trace of a @username names the author's id.")];
  const found = h("div");
  loadInto(found, () => api.sides(id), shown);
  return [form, found];
}

function shown({ exists, rows, keys, documents, comparison, unavailable }) {
  const sentences = Object.entries(unavailable).map(([server, why]) => `${server}: ${why}`);
  if (!exists && !unavailable.postgres) sentences.unshift("The write model has no such author.");
  return [
    sentences.length > 0 && h("ul", { class: "notes" }, ...sentences.map((text) => h("li", {}, userText(text)))),
    compared(comparison),
    h(
      "div",
      { class: "panel sides" },
      side("PostgreSQL", rows, (row) => `${row.table} ${row.id}`),
      side("Redis", keys, (key) => key.name),
      side("MongoDB", documents, (document) => document.name),
    ),
  ].filter(Boolean);
}

function compared({ equal, reason, differences, cheeps, notifications }) {
  const words = { true: "equal now", false: "different", null: "not comparable now" };
  const states = { true: "applied", false: "rejected", null: "waiting" };
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Read models and write model", h("span", { class: `state ${states[equal]}` }, words[equal])),
    equal !== null &&
      h("p", { class: "hint" }, `Compared: the author's views, and the newest ${count(cheeps, "cheep")} and ${count(notifications, "notification")}.`),
    reason && h("p", { class: "hint" }, userText(reason)),
    differences.length > 0 && h("ul", {}, ...differences.map((line) => h("li", { class: "error" }, userText(line)))),
  );
}

const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

function side(title, entries, name) {
  return h(
    "section",
    {},
    h("h3", {}, title),
    ...entries.map((entry) => more(name(entry), entry.now ?? "It does not exist.")),
  );
}
