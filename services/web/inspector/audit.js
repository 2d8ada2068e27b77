/** The audit: an operator compares all views with the write model, and repairs what differs. */

import { h } from "../lib/dom.js";
import { act } from "./act.js";

const RUN = {
  question: "Run the audit?",
  explanation: "All views are compared with the write model while the system is in use, which may take a while; nothing is changed.",
  yes: "Run",
};
const REPAIR = {
  question: "Repair what differs?",
  explanation: "All views are compared with the write model while nothing is on its way, and each difference is replaced by what the write model says.",
  yes: "Repair",
};

/** Return the elements of the view. */
export function show() {
  const progress = h("div", { role: "status" });
  const button = (label, action, words) =>
    h("button", { type: "button", class: "quiet", onclick: () => act(progress, { action }, words) }, label);
  return [
    h(
      "section",
      { class: "panel" },
      h("h2", {}, "Read models and write model"),
      h("p", { class: "hint" }, "Each difference is named with its place, without the texts that people wrote: see them side by side for an author."),
      h("div", { class: "actions" }, button("Run the audit", "audit", RUN), button("Repair", "repair", REPAIR)),
    ),
    progress,
  ];
}
