/** The inspector's field for an id. */

import { h } from "../lib/dom.js";

/** Return a form that leads to `address(value)` of what is written. */
export function idForm(value, placeholder, button, address) {
  const input = h("input", {
    type: "search",
    name: "of",
    value,
    dir: "ltr",
    spellcheck: false,
    placeholder,
    "aria-label": placeholder,
    maxLength: 60,
  });
  const form = h(
    "form",
    { class: "search plain", role: "search" },
    input,
    h("button", { type: "submit", class: "primary" }, button),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = address(input.value.trim());
  });
  return form;
}
