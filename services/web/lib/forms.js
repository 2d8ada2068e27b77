/** Fields of forms: a label, an input, a hint, and the place of what the server finds wrong with it. */

import { h } from "./dom.js";
import { sentence } from "./loading.js";

/** Return a labelled field. `properties` are those of its input; `id` differs from the name where a page has two of it. */
export function field(label, { name, id = name, hint = "", multiline = false, ...properties }) {
  const input = h(multiline ? "textarea" : "input", { id: `field-${id}`, name, dir: "auto", ...properties });
  input.setAttribute("aria-describedby", `hint-${id} error-${id}`);
  return h(
    "div",
    { class: "field" },
    h("label", { htmlFor: input.id }, label),
    input,
    h("p", { id: `hint-${id}`, class: "hint" }, hint),
    h("p", { id: `error-${id}`, class: "error", role: "alert" }),
  );
}

/** Return a form that sends its values, trimmed but for passwords, and shows beside each field what is wrong with it. `send` may return a
 *  sentence that reports its success. */
export function form(label, fields, button, send) {
  const report = h("p", { class: "report", role: "status" });
  const submit = h("button", { type: "submit", class: "primary" }, button);
  const element = h(
    "form",
    { noValidate: true, "aria-label": label },
    ...fields,
    h("div", { class: "row" }, submit, report),
  );
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submit.getAttribute("aria-disabled") === "true") return;
    clear(element);
    submit.setAttribute("aria-disabled", "true");
    report.textContent = navigator.onLine ? "" : "This will be sent once you are online again.";
    try {
      report.textContent = (await send(values(element))) ?? "";
    } catch (error) {
      report.textContent = "";
      showErrors(element, error);
    } finally {
      submit.removeAttribute("aria-disabled");
    }
  });
  return element;
}

function values(element) {
  const isSecret = (name) => element.elements[name].type === "password";
  const given = [...new FormData(element)];
  return Object.fromEntries(given.map(([name, value]) => [name, isSecret(name) ? value : value.trim()]));
}

function clear(element) {
  for (const each of element.querySelectorAll(".error")) each.textContent = "";
  for (const each of element.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
}

const FIELDS_OF_CODE = {
  username_taken: ["username"],
  email_taken: ["email"],
  author_not_found: ["username"],
  wrong_credentials: ["code", "password"],
};

function showErrors(element, error) {
  const place = FIELDS_OF_CODE[error.code]?.find((name) => element.elements[name]);
  const wrong = error.fields?.length ? error.fields : [{ field: place, message: sentence(error) }];
  const inputs = wrong.map(({ field: name, message }) => showError(element, name, message));
  inputs.find(Boolean)?.focus();
}

function showError(element, name, message) {
  const input = element.elements[name];
  const place = (input?.closest(".field") ?? element).querySelector(".error");
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  place.textContent = [place.textContent, text].filter(Boolean).join(" ");
  input?.setAttribute("aria-invalid", "true");
  return input;
}
