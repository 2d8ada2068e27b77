/** An operator's action: it asks for the reason, sends the action, and shows its progress until it has ended. */

import * as api from "../data/api.js";
import { h, userText } from "../lib/dom.js";
import { newId } from "../lib/ids.js";
import { failure } from "../lib/loading.js";
import { badge, facts, when } from "./parts.js";

const POLL_MILLISECONDS = 1000;
const STATES = { succeeded: "applied", different: "rejected", failed: "rejected", stopped: "rejected" };

/** Ask for the reason in a dialog, which says what will happen. Resolve to it, or to null if it is not to happen. */
export function reasonFor({ question, explanation, yes }) {
  return new Promise((resolve) => {
    const input = h("input", { id: "reason", required: true, minLength: 3, maxLength: 500, autocomplete: "off" });
    const form = h(
      "form",
      { class: "reason" },
      h("label", { htmlFor: "reason" }, "Why? The reason is kept in the trail."),
      input,
      h(
        "div",
        { class: "row" },
        h("button", { type: "button", class: "quiet", onclick: () => dialog.close("") }, "Cancel"),
        h("button", { type: "submit", class: "danger" }, yes),
      ),
    );
    const dialog = h(
      "dialog",
      { "aria-labelledby": "question", "aria-describedby": "explanation" },
      h("h2", { id: "question" }, question),
      h("p", { id: "explanation" }, userText(explanation)),
      form,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (input.value.trim().length >= 3) dialog.close(input.value.trim());
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue || null);
    });
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}

/** Do an action once its reason is given, with its progress in `place`. Resolve to its entry once it has ended, or to null. */
export async function act(place, action, words) {
  const reason = await reasonFor(words);
  if (reason === null) return null;
  try {
    return await followed(place, await api.act({ ...action, reason }, newId()));
  } catch (error) {
    place.replaceChildren(failure(error));
    return null;
  }
}

/** Show an entry of the trail in `place` until it has ended, and resolve to it. */
export async function followed(place, entry) {
  for (let now = entry; ; now = await api.action(entry.action_id)) {
    place.replaceChildren(entryOf(now, true));
    if (now.outcome !== null || !place.isConnected) return now;
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}

/** Return the elements of an entry of the trail, with its output opened if that is wanted. */
export function entryOf(entry, open = false) {
  const output = h("details", { open }, h("summary", {}, "Output"), h("pre", { dir: "auto" }, entry.lines.join("\n")));
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, entry.action, badge(entry.outcome ?? "running", STATES[entry.outcome] ?? "waiting")),
    facts([
      ["Who", entry.caller ?? "unknown, since AUTH=open asks nobody who they are"],
      ["Why", entry.reason],
      ["What", parameters(entry)],
      ["Began", when(entry.began_at)],
      ["Ended", entry.ended_at && when(entry.ended_at)],
    ]),
    entry.lines.length > 0 && output,
  );
}

function parameters(entry) {
  const given = Object.entries(entry.parameters).filter(([, value]) => value !== null);
  return given.length > 0 ? given.map(([name, value]) => `${name} ${value}`).join(", ") : null;
}
