/** The settings: profile, e-mail address, colours, and leaving. */

import { passwordForm } from "../accounts/forms.js";
import * as api from "../data/api.js";
import { queue } from "../data/queue.js";
import { session } from "../data/session.js";
import { theme } from "../data/theme.js";
import { h } from "../lib/dom.js";
import { field, form } from "../lib/forms.js";
import { loadInto } from "../lib/loading.js";

export const title = () => "Settings";

/** Return the elements of the view. */
export function show() {
  const profile = h("div");
  const placeholder = h("div", { class: "skeleton tall", "aria-hidden": "true" });
  loadInto(profile, () => api.author(session.id), profileForm, { placeholder: [placeholder] });
  return [
    h("section", { class: "panel" }, h("h2", {}, "Profile"), profile),
    h("section", { class: "panel" }, h("h2", {}, "E-mail address"), emailForm()),
    h("section", { class: "panel" }, h("h2", {}, "Colours"), colours()),
    session.account?.email && h("section", { class: "panel" }, h("h2", {}, "Password"), passwordForm(session.account)),
    h(
      "section",
      { class: "panel" },
      h("h2", {}, "This browser"),
      h("p", { class: "hint" }, "You act as ", h("bdi", {}, `@${session.author.username}`), " here."),
      h(
        "button",
        { type: "button", class: "quiet", onclick: () => session.end() },
        session.account || session.isExpired ? "Sign out" : "Change author",
      ),
    ),
  ].filter(Boolean);
}

const FIELDS = [
  ["Name", { name: "name", hint: "Up to 50 characters", autocomplete: "name" }],
  ["About you", { name: "bio", multiline: true, rows: 3, hint: "Up to 160 characters" }],
  ["Place", { name: "location", hint: "Up to 30 characters" }],
  ["Website", { name: "website", type: "url", hint: "Begins with http:// or https://", autocomplete: "url" }],
  ["Date of birth", { name: "birth_date", type: "date", autocomplete: "bday" }],
];

function profileForm(author) {
  const fields = FIELDS.map(([label, properties]) =>
    field(label, { ...properties, value: author[properties.name] ?? "" }),
  );
  return form("Profile", fields, "Save", async (values) => {
    const given = Object.entries(values).map(([name, value]) => [name, value === "" ? null : value]);
    const changes = Object.fromEntries(given.filter(([name, value]) => value !== (author[name] || null)));
    if (Object.keys(changes).length === 0) return "Nothing has changed.";
    await queue.submit("UpdateProfile", { author_id: author.author_id, changes });
    Object.assign(author, changes);
    return "Saved.";
  });
}

function emailForm() {
  const address = field("New e-mail address", {
    name: "email",
    type: "email",
    autocomplete: "email",
    required: true,
    hint: "Never shown, not even here. A new address replaces the old one.",
  });
  return form("E-mail address", [address], "Change", async ({ email }) => {
    await queue.submit("ChangeEmail", { author_id: session.id, email });
    return "Changed.";
  });
}

function colours() {
  const option = ([value, label]) =>
    h(
      "label",
      { class: "choice" },
      h("input", {
        type: "radio",
        name: "theme",
        value,
        checked: theme.chosen === value,
        onchange: () => theme.choose(value),
      }),
      label,
    );
  return h(
    "fieldset",
    { class: "choices" },
    h("legend", { class: "for-readers" }, "Colours"),
    ...[
      ["", "As the system"],
      ["light", "Light"],
      ["dark", "Dark"],
    ].map(option),
  );
}
