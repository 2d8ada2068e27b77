/** A cheep with the cheep that it answers, and its answers. */

import * as api from "../data/api.js";
import { changed } from "../data/overlay.js";
import { live } from "../data/live.js";
import { queue } from "../data/queue.js";
import { session } from "../data/session.js";
import { cheepCard } from "../elements/cheep-card.js";
import { composer } from "../elements/cheep-composer.js";
import { cheepList } from "../elements/cheep-list.js";
import { h } from "../lib/dom.js";
import { newId } from "../lib/ids.js";
import { failure, loadInto } from "../lib/loading.js";

export const title = () => "Cheep";

/** Return the elements of the view. What is above a cheep and below it appears with it, so that nothing moves. */
export function show({ cheepId, answer, signal }) {
  const place = h("div");
  const load = async () => {
    const cheep = await api.cheep(cheepId);
    return { cheep, parent: cheep.in_reply_to && (await api.cheep(cheep.in_reply_to).catch(() => null)) };
  };
  loadInto(place, load, ({ cheep, parent }) => [
    ...(cheep.in_reply_to ? [h("div", { class: "before" }, parentCard(parent))] : []),
    h("div", { class: "focus" }, whole(cheep, signal)),
    ...(session.author ? [answering(cheepId)] : []),
    answersOf(cheepId),
  ]).then((loaded) => loaded && answer && place.querySelector("cheep-composer")?.focus());
  return [place];
}

function whole(cheep, signal) {
  const card = cheepCard({ isBig: true });
  let known = cheep;
  let shown = "";
  const update = () => {
    const now = changed(known, queue.entries);
    if (JSON.stringify(now) === shown) return;
    shown = JSON.stringify(now);
    if (now === null) card.replaceChildren(h("p", { class: "empty" }, "This cheep is being deleted."));
    else card.item = now;
  };
  const reload = async () => {
    const now = await api.cheep(cheep.cheep_id).catch((error) => (error.status === 404 ? null : known));
    if (now === null) return card.replaceWith(failure({ message: "This cheep was deleted" }));
    known = now;
    update();
  };
  queue.addEventListener("change", update, { signal });
  queue.addEventListener("visible", reload, { signal });
  live.addEventListener("change", reload, { signal });
  update();
  return card;
}

function parentCard(parent) {
  if (!parent) return h("p", { class: "empty" }, "The cheep that this answers was deleted.");
  const card = cheepCard();
  card.item = parent;
  return card;
}

function answering(cheepId) {
  const { author_id, username } = session.author;
  return composer({
    place: `answer.${cheepId}`,
    label: "Your answer",
    placeholder: "Write an answer",
    button: "Answer",
    send: (message) =>
      queue.add("AnswerCheep", { author_id, username, cheep_id: newId(), message, in_reply_to: cheepId }),
  });
}

function answersOf(cheepId) {
  return cheepList({
    label: "Answers",
    load: (cursor) => api.answers(cheepId, cursor),
    belongs: (cheep) => cheep.in_reply_to === cheepId,
    oldestFirst: true,
    parent: cheepId,
    empty: "No answers yet.",
  });
}
