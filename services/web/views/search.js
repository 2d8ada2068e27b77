/** The search for cheeps and for authors, with the words that were found marked. */

import * as api from "../data/api.js";
import { authorRow } from "../elements/author-row.js";
import { cheepList } from "../elements/cheep-list.js";
import { entryList } from "../elements/entry-list.js";
import { h, icon } from "../lib/dom.js";

export const title = ({ query }) => (query ? `Search: ${query}` : "Search");

const address = (query, what) => `#/search?q=${encodeURIComponent(query)}${what === "authors" ? "&what=authors" : ""}`;

/** Return the elements of the view. */
export function show({ query, what }) {
  const input = h("input", {
    type: "search",
    name: "q",
    value: query,
    dir: "auto",
    placeholder: "Words of a cheep, or an author",
    "aria-label": "Search",
    maxLength: 260,
    enterKeyHint: "search",
  });
  const form = h(
    "form",
    { class: "search", role: "search" },
    icon("search"),
    input,
    h("button", { type: "submit", class: "primary" }, "Search"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = address(input.value.trim(), what);
  });
  if (!query)
    return [
      form,
      h(
        "p",
        { class: "empty" },
        "Every word is the beginning of a word that is found. Case and accents make no difference.",
      ),
    ];
  const tab = (name, label) =>
    h("a", { href: address(query, name), ...(name === what && { "aria-current": "page" }) }, label);
  const total = h("p", { class: "hint total", role: "status" });
  return [
    form,
    h("nav", { class: "tabs", "aria-label": "What to search for" }, tab("cheeps", "Cheeps"), tab("authors", "Authors")),
    total,
    results(query, what, total),
  ];
}

function results(query, what, total) {
  const load = async (page) => {
    const result = await (what === "authors" ? api.authorsWith : api.cheepsWith)(query, page);
    const number = result.total.toLocaleString("en-GB");
    total.textContent = result.capped
      ? `The newest ${number} results`
      : result.total === 1
        ? "1 result"
        : `${number} results`;
    return result;
  };
  const shared = { label: "Results", load, empty: "Nothing was found." };
  if (what !== "authors") return cheepList({ ...shared, query });
  return entryList({ ...shared, key: (author) => author.author_id, create: () => authorRow(query) });
}
