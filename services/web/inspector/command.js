/** A command in a trace, with its event and the commands that followed from it: the same again, one level deeper. */

import { h, userText } from "../lib/dom.js";
import { badge, facts, more, named, when } from "./parts.js";
import { waterfall } from "./waterfall.js";

const WORDS = {
  handled: "handled",
  rejected: "rejected",
  waiting: "waits to be handled",
  parked: "parked",
  unknown: "unknown",
};

/** Return the elements of a command. `selected` is the id that was traced. */
export function command(trace, selected) {
  const { event, transaction } = trace;
  return h(
    "section",
    { class: "traced", ...(trace.message_id === selected && { "aria-current": "true" }) },
    h("h2", {}, `Command: ${named(trace.type)}`, badge(WORDS[trace.state], trace.state)),
    trace.message && h("p", { class: "error" }, userText(trace.message)),
    facts([
      ["Message id", trace.message_id],
      ["Reply to", trace.reply_to],
      ["Key", trace.key],
      ["Sent by", trace.actor],
      ["In Kafka", place(trace.place)],
      ["Code", trace.code],
      ["Changed", trace.changed === null ? null : trace.changed ? "yes" : "no"],
    ]),
    trace.notes.length > 0 && h("ul", { class: "notes" }, ...trace.notes.map((text) => h("li", {}, userText(text)))),
    waterfall(trace.steps, when),
    more("Content", trace.content),
    transaction && inTransaction(transaction),
    event && eventOf(event, selected),
  );
}

function inTransaction(transaction) {
  const outbox = transaction.outbox && `epoch ${transaction.outbox[0]}, row ${transaction.outbox[2]}`;
  return h(
    "section",
    {},
    h("h3", {}, `Transaction ${transaction.xid}`),
    facts([
      ["Outbox", outbox],
      ["Relayed", transaction.relayed === null ? null : transaction.relayed ? "yes" : "not yet"],
    ]),
    ...transaction.rows.map((row) => more(`Row of ${row.table} now`, row.now ?? "There is no such row.")),
  );
}

function eventOf(event, selected) {
  return h(
    "section",
    { ...(event.message_id === selected && { "aria-current": "true" }) },
    h("h3", {}, `Event: ${named(event.type)}`),
    facts([
      ["Message id", event.message_id],
      ["Made by", event.source],
      ["Sequence", event.sequence],
      ["In Kafka", place(event.place)],
    ]),
    more("Content", event.content),
    ...event.stores.map(store),
    event.queries.length > 0 &&
      h(
        "section",
        {},
        h("h4", {}, "Queries that show it"),
        h("ul", {}, ...event.queries.map((path) => h("li", {}, h("code", {}, path)))),
      ),
    event.commands.length > 0 &&
      h("div", { class: "followed" }, ...event.commands.map((each) => command(each, selected))),
  );
}

function store(trace) {
  const behind = trace.behind ? `, ${trace.behind} messages behind` : "";
  const tasks = trace.tasks ? `, ${trace.tasks} fan-out tasks wait` : "";
  const generation = trace.generation === null ? "" : ` (generation ${trace.generation})`;
  return h(
    "section",
    {},
    h("h4", {}, `${trace.store}${generation}`, badge(`${trace.progress}${behind}${tasks}`, trace.progress)),
    trace.error && h("p", { class: "error" }, userText(trace.error)),
    ...trace.views.map((view) => more(view.name, view.now ?? "It does not exist.")),
  );
}

const place = (found) => found && `${found.topic}, partition ${found.partition}, offset ${found.offset}`;
