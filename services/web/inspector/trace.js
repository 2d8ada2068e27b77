/** The trace of a command: a field for an id, and all that the stores and topics hold of it. */

import * as api from "../data/api.js";
import { h, userText } from "../lib/dom.js";
import { loadInto } from "../lib/loading.js";
import { command } from "./command.js";
import { named, when } from "./parts.js";
import { idForm } from "./search.js";

/** Return the elements of the view of an id, or of none. */
export function show({ of }) {
  if (!of) return [searchForm(""), h("p", { class: "empty" }, "A command's message id is in every response of the API.")];
  const found = h("div");
  loadInto(found, () => api.trace(of), traced);
  return [searchForm(of), found];
}

const address = (of) => `#/inspect?of=${encodeURIComponent(of)}`;
const searchForm = (of) => idForm(of, "Id of a message, author or cheep, or @username", "Trace", address);

function traced(trace) {
  const sentences = [...Object.entries(trace.unavailable).map(([server, why]) => `${server}: ${why}`), ...trace.notes];
  return [
    sentences.length > 0 &&
      h("ul", { class: "notes", role: "status" }, ...sentences.map((text) => h("li", {}, userText(text)))),
    trace.mentions.length > 0 && mentions(trace),
    trace.tree && h("div", { class: "panel" }, command(trace.tree, trace.id)),
  ].filter(Boolean);
}

function mentions(trace) {
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, `Events of this ${trace.kind}`),
    trace.kind === "author" &&
      h("p", { class: "mentions" }, h("a", { href: `#/inspect/author?id=${trace.id}` }, "Its write model and read models side by side")),
    h(
      "ul",
      { class: "mentions" },
      ...trace.mentions.map((each) =>
        h(
          "li",
          {},
          each.command_id ? h("a", { href: address(each.command_id) }, named(each.type)) : named(each.type),
          h("span", { class: "hint" }, ` ${when(each.time)}, partition ${each.place.partition}, offset ${each.place.offset}`),
        ),
      ),
    ),
  );
}
