/** The notifications: a welcome, new followers and answers; those that were not read yet are marked. */

import * as api from "../data/api.js";
import { live } from "../data/live.js";
import { session } from "../data/session.js";
import { unread } from "../data/unread.js";
import { entryList } from "../elements/entry-list.js";
import { since } from "../elements/since.js";
import { avatar, h, icon } from "../lib/dom.js";

export const title = () => "Notifications";

export class NotificationRow extends HTMLElement {
  set item({ kind, author_id, author_username: username, cheep_id, cheep_message: message, at, isUnread }) {
    const who = username ? h("a", { class: "name", href: `#/@${username}` }, `@${username}`) : "An author";
    const sentences = {
      welcome: ["Welcome to Cheeper! Find authors to follow in ", h("a", { href: "#/search" }, "search"), "."],
      new_follower: [who, " follows you now."],
      answer: [who, " answered your cheep."],
    };
    this.replaceChildren(
      h(
        "article",
        { class: isUnread ? "cheep notification unseen" : "cheep notification" },
        username ? avatar({ author_id, username }) : h("span", { class: "avatar mark" }, icon("bell")),
        h(
          "div",
          { class: "body" },
          h(
            "header",
            {},
            h("p", {}, ...(sentences[kind] ?? ["Something happened."])),
            h(
              "span",
              { class: "when" },
              since(at),
              isUnread && h("span", { class: "dot" }, h("span", { class: "for-readers" }, "unread")),
            ),
          ),
          message && h("a", { class: "text excerpt", dir: "auto", href: `#/cheep/${cheep_id}` }, message),
          kind === "answer" && !message && h("p", { class: "hint" }, "The answer was deleted."),
        ),
      ),
    );
  }
}

customElements.define("notification-row", NotificationRow);

/** Return the elements of the view. */
export function show() {
  const marked = new Set(); // what was unread when it was loaded stays marked while the view is open
  const load = async (cursor) => {
    const { items, next } = await api.notifications(session.id, cursor);
    for (const each of items) if (!each.read) marked.add(each.notification_id);
    if (cursor === null) unread.read(items[0]);
    return { items: items.map((each) => ({ ...each, isUnread: marked.has(each.notification_id) })), next };
  };
  return [
    entryList({
      label: "Notifications",
      load,
      key: (each) => each.notification_id,
      create: () => document.createElement("notification-row"),
      events: (list, signal) => live.addEventListener("change", () => list.refresh(), { signal }),
      empty: "Nothing has happened yet.",
    }),
  ];
}
