/** The failed messages of the write side and of both stores: an operator replays or drops them, or sees their content. */

import * as api from "../data/api.js";
import { h, userText } from "../lib/dom.js";
import { newId } from "../lib/ids.js";
import { loadInto } from "../lib/loading.js";
import { act, reasonFor } from "./act.js";
import { more, named } from "./parts.js";

const SERVERS = { postgres: "the write side", redis: "Redis", mongo: "MongoDB" };
const REVEAL = {
  question: "Show what people wrote?",
  explanation: "The content of all these messages is shown to you, but for e-mail addresses, and the trail says so.",
  yes: "Show it",
};

/** Return the elements of the view. */
export function show() {
  const list = h("div");
  const progress = h("div", { role: "status" });
  const load = (from) => loadInto(list, from, (found) => shown(found, { progress, reload }));
  const reload = () => load(api.failed);
  const reveal = async () => {
    const reason = await reasonFor(REVEAL);
    const key = newId();
    if (reason !== null) load(() => api.revealed(reason, key));
  };
  reload();
  const button = h("button", { type: "button", class: "quiet", onclick: reveal }, "Show what people wrote");
  return [h("p", { class: "panel" }, button), progress, list];
}

function shown({ messages, totals, unavailable }, operator) {
  const sentences = Object.entries(unavailable).map(([server, why]) => `${server}: ${why}`);
  return [
    h(
      "ul",
      { class: "notes" },
      ...sentences.map((text) => h("li", {}, userText(text))),
      ...Object.entries(totals).map(([server, number]) => h("li", {}, `${number} failed ${number === 1 ? "message" : "messages"} of ${SERVERS[server]}`)),
    ),
    ...messages.map((failed) => message(failed, operator)),
  ];
}

function message(failed, operator) {
  const topic = failed.topic ?? "unknown topic";
  const sequence = failed.sequence === null ? "" : `, sequence ${failed.sequence}`;
  return h(
    "section",
    { class: "panel failed" },
    h("h2", {}, failed.message_id ? link(failed) : named(failed.type)),
    h("p", { class: "error" }, userText(failed.behind ? "It waits behind a failed message of its key." : failed.reason)),
    h("p", { class: "hint" }, `${SERVERS[failed.server]}: ${topic}, partition ${failed.partition}, offset ${failed.offset}${sequence}`),
    failed.key !== null && h("p", { class: "hint" }, "Key: ", userText(failed.key)),
    more("Content", failed.content),
    h(
      "div",
      { class: "actions" },
      failed.key !== null && button("Replay its key", operator, { action: "replay", server: failed.server, key: failed.key }, replaying(failed)),
      button("Drop", operator, { action: "drop", id: failed.id }, dropping(failed)),
    ),
  );
}

function button(label, { progress, reload }, action, words) {
  const onclick = async () => (await act(progress, action, words)) && reload();
  return h("button", { type: "button", class: "quiet", onclick }, label);
}

function replaying({ server, key }) {
  const what = server === "postgres" ? "handled" : `applied to ${SERVERS[server]}`;
  return {
    question: "Replay the messages of this key?",
    explanation: `The failed messages of the key ${key} are ${what} by the current code, in their order, up to the next one that fails.`,
    yes: "Replay",
  };
}

function dropping({ server }) {
  const lost =
    server === "postgres"
      ? "Its command will never be handled, or nothing will follow from its event"
      : `The views of ${SERVERS[server]} will not show this message unless they are rebuilt or the audit repairs them`;
  return {
    question: "Drop this message?",
    explanation: `${lost}; later messages of its key stay failed until they are replayed.`,
    yes: "Drop",
  };
}

const link = (failed) => h("a", { href: `#/inspect?of=${encodeURIComponent(failed.message_id)}` }, named(failed.type));
