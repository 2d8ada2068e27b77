/** The generations of the stores' views: an operator rebuilds, compares, switches, rolls back and forgets. */

import * as api from "../data/api.js";
import { h } from "../lib/dom.js";
import { loadInto } from "../lib/loading.js";
import { act } from "./act.js";
import { badge, facts } from "./parts.js";

const STORES = { redis: "Redis", mongo: "MongoDB" };

/** Return the elements of the view. */
export function show() {
  const list = h("div");
  const progress = h("div", { role: "status" });
  const reload = () => loadInto(list, api.generations, (found) => shown(found, { progress, reload }));
  reload();
  return [progress, list];
}

function shown(generations, operator) {
  return Object.keys(STORES).map((store) => {
    const own = generations.filter((each) => each.store === store);
    const previous = own.find((each) => each.previous);
    return h(
      "section",
      { class: "panel" },
      h("h2", {}, STORES[store]),
      ...own.map((each) => generation(each, operator)),
      h(
        "div",
        { class: "actions" },
        button("Rebuild", operator, { action: "rebuild", store }, rebuilding(store)),
        previous && button("Roll back", operator, { action: "roll-back", store }, switching(store, previous.generation)),
      ),
    );
  });
}

function generation(one, operator) {
  const { store, generation: number } = one;
  const about = (action) => ({ action, store, generation: number });
  return h(
    "section",
    {},
    h("h3", {}, `Generation ${number}`, badge(one.live ? "live" : one.state, one.live ? "applied" : "waiting")),
    facts([
      ["Version", one.version],
      ["Compared", one.compared_at === null ? "not yet" : new Date(one.compared_at * 1000).toISOString().slice(0, 19).replace("T", " ")],
      ["Lag", `${one.lag} messages`],
    ]),
    !one.live &&
      h(
        "div",
        { class: "actions" },
        one.state === "active" && button("Compare", operator, about("compare"), comparing(store, number)),
        one.state === "active" && button("Switch", operator, about("switch"), switching(store, number)),
        button("Forget", operator, about("forget"), forgetting(store, number)),
      ),
  );
}

function button(label, { progress, reload }, action, words) {
  const onclick = async () => (await act(progress, action, words)) && reload();
  return h("button", { type: "button", class: "quiet", onclick }, label);
}

const rebuilding = (store) => ({
  question: `Rebuild the views of ${STORES[store]}?`,
  explanation: "A new generation is filled from the whole event log, beside the live one, which readers see until you switch.",
  yes: "Rebuild",
});

const comparing = (store, number) => ({
  question: `Compare generation ${number} of ${STORES[store]}?`,
  explanation: "The audit compares all of it with the write model; if they are equal, readers can be shown it.",
  yes: "Compare",
});

const switching = (store, number) => ({
  question: `Show readers generation ${number} of ${STORES[store]}?`,
  explanation: "All readers see it from then on, in one step; the generation that is live now stays, so that you can go back.",
  yes: `Show generation ${number}`,
});

const forgetting = (store, number) => ({
  question: `Forget generation ${number} of ${STORES[store]}?`,
  explanation: "All of its views are deleted for good, and readers cannot be shown it again.",
  yes: "Forget",
});
