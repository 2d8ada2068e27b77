/** How many of the newest notifications the caller has not read. The server counts them, and keeps the mark. */

import * as api from "./api.js";
import { live } from "./live.js";
import { onItsWay } from "./overlay.js";
import { queue } from "./queue.js";
import { session } from "./session.js";

const KIND = "MarkNotificationsRead";

class Unread extends EventTarget {
  #count = 0;

  /** The most that is shown. */
  most = 9;

  /** Count now, and whenever there may be something new. */
  start() {
    live.addEventListener("change", () => this.load());
    session.addEventListener("change", () => this.load());
    queue.addEventListener("visible", ({ detail }) => detail.entry.kind === KIND && this.load());
    this.load();
  }

  /** The number of unread notifications, at most `most`. */
  get count() {
    return this.#count;
  }

  /** Mark all as read. `newest` is the first notification of the list. */
  read(newest) {
    this.#become(0);
    if (!newest || newest.read || this.#marks().some((each) => each.about.notification_id === newest.notification_id))
      return;
    queue.add(KIND, { author_id: session.id, notification_id: newest.notification_id });
  }

  /** Count the unread notifications. While a mark is on its way, what was unread before it does not count. */
  async load() {
    if (session.id === null) return this.#become(0);
    const caller = session.id;
    const count = await api.unread(caller).catch(() => null);
    if (count === null || caller !== session.id || this.#marks().length) return;
    this.#become(Math.min(count, this.most));
  }

  #marks() {
    return queue.entries.filter((each) => each.kind === KIND && onItsWay(each) && session.is(each.about.author_id));
  }

  #become(count) {
    if (count === this.#count) return;
    this.#count = count;
    this.dispatchEvent(new Event("change"));
  }
}

export const unread = new Unread();
