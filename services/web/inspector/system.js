/** The map of the system: processes, topics and stores along the way of a command, live, with what waits between them. */

import * as api from "../data/api.js";
import { h, userText } from "../lib/dom.js";
import { loadInto } from "../lib/loading.js";
import { badge, facts } from "./parts.js";

const POLL_MILLISECONDS = 2000;
const STORES = { redis: "Redis", mongo: "MongoDB" };

/** Return the elements of the view, which is read again and again until `signal`. */
export function show({ signal }) {
  const place = h("div");
  let before = null;
  const read = async () => {
    const now = await api.system();
    const elements = shown(now, before);
    before = now;
    return elements;
  };
  const again = async () => {
    if (signal.aborted) return;
    if (document.visibilityState === "visible") await read().then((elements) => place.replaceChildren(...elements)).catch(() => {});
    setTimeout(again, POLL_MILLISECONDS);
  };
  loadInto(place, read, (elements) => elements).then((loaded) => loaded && setTimeout(again, POLL_MILLISECONDS));
  return [place];
}

/** Return the elements of a state, with rates since the state before, which may be null. */
function shown(now, before) {
  const { lag } = now;
  const rates = before && ratesOf(before, now);
  return [
    h("p", { class: "panel hint" }, summary(now)),
    h(
      "ol",
      { class: "map", "aria-label": "The way of a command" },
      role(now, "write-api", "Takes requests, and checks them"),
      queue("Commands", waitingOf(now, "commands", "worker"), rates?.commands, "for the worker", now.unavailable.kafka),
      role(now, "worker", "Handles each command in a transaction"),
      writeModel(now),
      queue("Outbox", lag.relay && lag.relay.waiting, null, "events for the relay", now.unavailable.postgres),
      role(now, "relay", "Sends events in the order of their commits", relaysOf(lag.relay)),
      queue("Events", behindOf(lag), rates?.events, "for the store that is furthest behind", now.unavailable.kafka),
      role(now, "projector", "Applies events to the views"),
      ...Object.keys(STORES).map((name) => store(name, lag.stores[name], rates?.[name])),
      role(now, "read-api", "Responds to queries from the views"),
      role(now, "process-manager", "Makes the next commands of events", [["Waiting", number(waitingOf(now, "events", "process-manager"))]]),
      ...others(now),
    ),
  ];
}

function summary({ processes, lag, unavailable }) {
  const down = processes.filter((each) => each.lacks !== null).map((each) => each.name);
  const late = Object.values(lag.stores).some((each) => each.late.length > 0);
  if (Object.keys(unavailable).length + down.length > 0)
    return `Not all is well: ${[...Object.keys(unavailable), ...down].join(", ")}.`;
  return late ? "Everything runs, and a view is later than its objective." : "Everything runs, and all views are within their objectives.";
}

/** Return messages per second between two states: of the topics, and those that each store applied. */
export function ratesOf(before, now) {
  const seconds = (now.at - before.at) / 1e6;
  const counts = (state) => ({
    ...Object.fromEntries(state.topics.map((each) => [each.name, each.messages])),
    ...Object.fromEntries(Object.keys(STORES).map((name) => [name, appliedOf(state.lag.stores[name])])),
  });
  const [earlier, later] = [counts(before), counts(now)];
  const rate = (name) => (later[name] - earlier[name]) / seconds;
  return Object.fromEntries(Object.keys(later).map((name) => [name, seconds > 0 && rate(name) >= 0 ? rate(name) : null]));
}

const appliedOf = (of) => (of.snapshot ? Object.values(of.snapshot.sequences).reduce((sum, each) => sum + each, 0) : NaN);
const waitingOf = (now, topic, reader) => now.topics.find((each) => each.name === topic)?.waiting[reader] ?? null;

/** Return the most messages that a store lacks, or null if that is unknown. */
function behindOf({ stores, relay }) {
  const lacks = Object.values(stores).map((each) => each.missing?.sequences);
  return relay === null || lacks.includes(undefined) ? null : Math.max(0, Math.max(...lacks) - relay.waiting);
}

const number = (value) => (value === null || value === undefined ? "unknown" : value.toLocaleString("en"));
const perSecond = (rate) => (rate === null || rate === undefined || Number.isNaN(rate) ? null : `${rate.toFixed(rate < 10 ? 1 : 0)} / s`);

function node(kind, name, { state = "", means, pairs = [], sentences = [] }) {
  return h(
    "li",
    { class: `node ${kind} ${sentences.length > 0 ? "down" : ""}`.trim() },
    h("h2", {}, name, state && badge(state, sentences.length > 0 ? "rejected" : "applied")),
    means && h("p", { class: "hint" }, means),
    facts(pairs),
    ...sentences.map((each) => h("p", { class: "error" }, userText(each))),
  );
}

/** Return the node of all processes of a role. Without an address nothing is known of them. */
function role(now, name, means, pairs = []) {
  const own = now.processes.filter((each) => each.role === name);
  const ready = own.filter((each) => each.lacks === null).length;
  const sentences = own.flatMap((each) => (each.lacks ?? []).map((why) => (own.length > 1 ? `${each.name}: ${why}` : why)));
  const state = own.length === 0 ? "" : own.length === 1 ? (ready ? "ready" : "not ready") : `${ready} of ${own.length} ready`;
  const unknown = own.length === 0 ? "It is not among this inspector's PROCESSES: see step mode, or its settings." : means;
  return node("process", name, { state, means: unknown, pairs, sentences });
}

function queue(name, waiting, rate, means, why) {
  const pairs = [["Waiting", number(waiting)], ["New", perSecond(rate)]];
  return node("queue", name, { means, pairs, sentences: why && waiting === null ? [why] : [] });
}

function writeModel({ lag, unavailable }) {
  const letters = Object.values(lag.dead_letters).reduce((sum, each) => sum + each, 0);
  const why = unavailable.postgres;
  const overdue = lag.accepted?.overdue ? lag.accepted.overdue : null;
  return node("store", "PostgreSQL", {
    state: why ? "unavailable" : "available",
    means: "The write model, and the outbox in the same transaction",
    pairs: [["Failed messages", why ? "unknown" : number(letters)], ["Overdue", overdue]],
    sentences: why ? [why] : [],
  });
}

const relaysOf = (relay) =>
  relay ? [["Active", relay.active === null ? "none" : `PostgreSQL's pid ${relay.active}`], ["Stand by", relay.standby], ["Oldest", relay.waiting ? `${relay.seconds.toFixed(1)} s` : null]] : [];

function store(name, { unavailable, snapshot, missing, late }, rate) {
  const least = missing?.at_least ? "at least " : "";
  return node("store", STORES[name], {
    state: unavailable ? "unavailable" : late.length > 0 ? "late" : "within objective",
    means: name === "redis" ? "Views by key: timelines, counters, cheeps" : "Views as documents: search, lists, notifications",
    pairs: [
      ["Lag", missing ? `${least}${number(missing.sequences)} messages, ${missing.seconds.toFixed(1)} s` : "unknown"],
      ["Late", late.length > 0 ? late.join(", ") : null],
      ["Applied", perSecond(rate)],
      ["Projections", snapshot && name === "redis" ? `${number(snapshot.tasks)} fan-out tasks wait` : null],
      ["Failed messages", snapshot && number(snapshot.parked)],
      ["Generation", snapshot && snapshot.generation],
    ],
    sentences: unavailable ? [unavailable] : late.length > 0 ? [`Beyond the objective of ${late.join(", ")}`] : [],
  });
}

const ON_THE_WAY = ["write-api", "worker", "relay", "projector", "read-api", "process-manager"];

function others(now) {
  const names = [...new Set(now.processes.map((each) => each.role))].filter((each) => !ON_THE_WAY.includes(each));
  return names.map((name) => role(now, name, OTHERS[name] ?? ""));
}

const OTHERS = {
  identity: "Accounts and tokens",
  inspector: "Reads all of this, and writes nothing",
  operations: "Does what operators request",
};
