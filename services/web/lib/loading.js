/** The states of a part of a page that is loaded: its place is held, then it is shown, or the error with a button. */

import { h } from "./dom.js";

/** Load something into an element: `show` returns its children. Resolve to what was loaded, or to null after an error. */
export async function loadInto(element, load, show, { placeholder = skeletons(1) } = {}) {
  element.setAttribute("aria-busy", "true");
  element.replaceChildren(...placeholder);
  try {
    const loaded = await load();
    element.replaceChildren(...[show(loaded)].flat());
    return loaded;
  } catch (error) {
    const again = () => loadInto(element, load, show, { placeholder });
    element.replaceChildren(failure(error, error.isTemporary && again));
    return null;
  } finally {
    element.removeAttribute("aria-busy");
  }
}

/** Return placeholders of the height of an entry. */
export function skeletons(count) {
  return Array.from({ length: count }, () =>
    h(
      "div",
      { class: "skeleton", "aria-hidden": "true" },
      h("span", { class: "avatar" }),
      h("span"),
      h("span"),
      h("span"),
    ),
  );
}

/** Return an error as people read it, with a button to try again if `again` is given. */
export function failure(error, again) {
  return h(
    "div",
    { class: "empty", role: "alert" },
    h("p", {}, sentence(error)),
    again && h("button", { type: "button", class: "quiet", onclick: again }, "Try again"),
  );
}

/** Return an error's sentence, as it begins on this page. */
export function sentence(error) {
  if (error.status === 401 && error.code !== "wrong_credentials") return "This Cheeper asks for a sign-in.";
  const wrong = error.fields?.map((each) => `${each.field} ${each.message}`).join("; ");
  const text = wrong || error.message || "That did not work";
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
