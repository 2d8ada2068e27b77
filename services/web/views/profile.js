/** The profile of an author: who it is, counts, and its cheeps. */

import * as api from "../data/api.js";
import { live } from "../data/live.js";
import { overlaidProfile } from "../data/overlay.js";
import { queue } from "../data/queue.js";
import { relations } from "../data/relations.js";
import { session } from "../data/session.js";
import { authorMenu, relationNotes } from "../elements/author-menu.js";
import { cheepList } from "../elements/cheep-list.js";
import { followButton } from "../elements/follow-button.js";
import { avatar, h, icon, userText } from "../lib/dom.js";
import { loadInto } from "../lib/loading.js";
import { safeUrl } from "../lib/text.js";
import { day, month } from "../lib/time.js";

export const title = ({ username }) => `@${username}`;

/** Return the elements of the view. */
export function show({ username, signal }) {
  const header = h("section", { class: "profile", "aria-label": "Profile" });
  const place = h("div");
  const placeholder = h(
    "div",
    { class: "skeleton profile", "aria-hidden": "true" },
    h("span", { class: "avatar large" }),
    h("span"),
    h("span"),
    h("span"),
  );
  loadInto(
    header,
    () => api.authorOf(username),
    (author) => {
      place.replaceChildren(cheepsOf(author));
      return whole(author);
    },
    { placeholder: [placeholder] },
  ).then((author) => author && keep(header, author, signal));
  return [header, place];
}

function cheepsOf({ author_id, username }) {
  return cheepList({
    label: `Cheeps of @${username}`,
    load: (cursor) => api.cheepsOf(author_id, cursor),
    belongs: (cheep) => cheep.author_id === author_id,
    empty: "No cheeps yet.",
  });
}

/** Keep the facts up to date: with what was written here, with what became visible, and with what others did. */
function keep(header, author, signal) {
  let known = author;
  let base = false; // whether the views have the caller among the followers
  const update = () => {
    const shown = overlaidProfile(known, base, queue.entries, session.id);
    header.querySelector(".facts")?.replaceWith(facts(shown));
  };
  const reload = async () => {
    const [now, followed] = await Promise.all([api.author(author.author_id), callerFollows(author)]);
    known = now;
    base = followed;
    update();
  };
  callerFollows(author).then((followed) => {
    base = followed;
    update();
  });
  const showRelations = () => header.querySelector(".relations")?.replaceChildren(...relationNotes(author));
  relations.addEventListener("change", showRelations, { signal });
  queue.addEventListener("change", update, { signal });
  queue.addEventListener("visible", () => reload().catch(() => {}), { signal });
  live.addEventListener("change", () => reload().catch(() => {}), { signal });
}

async function callerFollows({ author_id }) {
  return session.id !== null && !session.is(author_id) && api.isFollowed(author_id).catch(() => false);
}

function whole(author) {
  const own = session.is(author.author_id);
  return [
    h(
      "div",
      { class: "top" },
      avatar(author, "large"),
      own
        ? h("a", { class: "button", href: "#/settings" }, "Edit profile")
        : h("div", { class: "row" }, followButton(author), session.id !== null && authorMenu(author)),
    ),
    h("div", { class: "relations", "aria-live": "polite" }, ...relationNotes(author)),
    facts(overlaidProfile(author, false, queue.entries, session.id)),
  ];
}

function facts(author) {
  const { username, name, bio, location, website, birth_date, signed_up_at } = author;
  const address = website && safeUrl(website);
  const link = address
    ? h("a", { href: address, rel: "noopener noreferrer nofollow ugc", target: "_blank" }, userText(website))
    : userText(website ?? "");
  const fact = (name_, content) => content && h("li", {}, icon(name_), content);
  return h(
    "div",
    { class: author.pending ? "facts pending" : "facts" },
    h("p", { class: "display" }, userText(name || `@${username}`)),
    name && h("p", { class: "handle" }, `@${username}`),
    bio && h("p", { class: "text", dir: "auto" }, bio),
    h(
      "ul",
      { class: "meta" },
      fact("place", location && userText(location)),
      fact("link", website && link),
      fact("calendar", birth_date && `Born ${day(birth_date)}`),
      fact("clock", `Joined ${month(signed_up_at)}`),
    ),
    counts(author),
  );
}

function counts({ username, cheeps, following, followers }) {
  const count = (number, word) => [h("strong", {}, number.toLocaleString("en-GB")), ` ${word}`];
  return h(
    "p",
    { class: "counts" },
    h("span", {}, ...count(cheeps, cheeps === 1 ? "cheep" : "cheeps")),
    h("a", { href: `#/@${username}/following` }, ...count(following, "following")),
    h("a", { href: `#/@${username}/followers` }, ...count(followers, followers === 1 ? "follower" : "followers")),
  );
}
