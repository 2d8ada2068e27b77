/** Lists of cheeps that show the own commands at once: posted, edited and deleted ones as they will be. */

import { live } from "../data/live.js";
import { overlaid } from "../data/overlay.js";
import { queue } from "../data/queue.js";
import { cheepCard } from "./cheep-card.js";
import { entryList } from "./entry-list.js";

const MADE = ["PostCheep", "AnswerCheep"];

/** Return a list of cheeps. `belongs(cheep)` decides whether a cheep that was posted here comes into it. `stream(list,
 *  signal)`, if there is one, opens the stream of what others do; the list is polled while that is not open. */
export function cheepList({
  belongs = () => false,
  oldestFirst = false,
  query = "",
  parent = null,
  stream = () => null,
  ...options
}) {
  return entryList({
    key: (cheep) => cheep.cheep_id,
    create: () => cheepCard({ query, parent }),
    overlaid: (cheeps) => overlaid(cheeps, queue.entries, belongs, { oldestFirst }),
    events(list, signal) {
      queue.addEventListener("change", () => list.render(), { signal });
      queue.addEventListener(
        "visible",
        ({ detail }) => list.patch((cheeps) => resolved(cheeps, detail, belongs, oldestFirst)),
        { signal },
      );
      const opened = stream(list, signal);
      const isCovered = () => opened?.isOpen && !list.isStale;
      live.addEventListener("change", ({ detail }) => (detail.isPeriodic && isCovered()) || list.refresh(), { signal });
    },
    news: (count) => (count === 1 ? "1 new cheep" : `${count} new cheeps`),
    ...options,
  });
}

/** Return the cheeps with what a command has made of one of them, as the views have it now. */
export function resolved(cheeps, { entry, result }, belongs, oldestFirst) {
  const { kind, about } = entry;
  const isOfIt = (each) => each.cheep_id === about.cheep_id;
  if (kind === "DeleteCheep") return cheeps.filter((each) => !isOfIt(each));
  if (![...MADE, "UpdateCheep"].includes(kind)) return cheeps;
  if (result === null) return cheeps.filter((each) => !isOfIt(each));
  if (cheeps.some(isOfIt)) return cheeps.map((each) => (isOfIt(each) ? result : each));
  if (!MADE.includes(kind) || !belongs(result)) return cheeps;
  return oldestFirst ? [...cheeps, result] : [result, ...cheeps];
}
