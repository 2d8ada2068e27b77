/** How many of the newest notifications the caller has not read. The server counts them, keeps the mark, and says by a stream
 *  when they have changed. One tab that is visible has the stream for all, since a browser opens few connections to a server;
 *  a tab that does not have it polls, beside what it hears from that one. */

import * as api from "./api.js";
import { live } from "./live.js";
import { onItsWay } from "./overlay.js";
import { queue } from "./queue.js";
import { session } from "./session.js";

const KIND = "MarkNotificationsRead";
const NAME = "cheeper.notifications"; // of the lock, and of the channel between the tabs

/** Announces `change` of the number, and `news` when the list has changed. */
class Unread extends EventTarget {
  #count = 0;
  #stream = null;
  #ending = new AbortController();
  #tabs = new BroadcastChannel(NAME);

  /** The most that is shown. */
  most = 9;

  /** Count now, and whenever there may be something new. */
  start() {
    live.addEventListener("change", ({ detail }) => (detail.isPeriodic && this.isCovered) || this.load());
    session.addEventListener("change", () => {
      this.load();
      this.#listen();
    });
    document.addEventListener("visibilitychange", () => this.#listen());
    this.#tabs.addEventListener("message", ({ data }) => session.is(data) && this.#changed());
    this.#listen();
    queue.addEventListener("visible", ({ detail }) => detail.entry.kind === KIND && this.load());
    this.load();
  }

  /** Whether this tab hears by the stream of what changes. */
  get isCovered() {
    return this.#stream?.isOpen === true;
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

  /** Have the stream as long as a caller sees the page and no other tab has it. Pages of plain HTTP have no locks, and poll. */
  #listen() {
    this.#ending.abort();
    if (session.id === null || document.visibilityState !== "visible" || !navigator.locks) return;
    const [caller, ending] = [session.id, new AbortController()];
    const { signal } = (this.#ending = ending);
    const hear = () => {
      this.#tabs.postMessage(caller);
      this.#changed();
    };
    const hold = () =>
      new Promise((release) => {
        signal.addEventListener("abort", release);
        if (signal.aborted) return release();
        this.#stream = live.notifications(caller, hear, signal);
      });
    navigator.locks.request(NAME, { signal }, hold).catch(() => {}); // the wait for it has ended
  }

  #changed() {
    this.load();
    this.dispatchEvent(new Event("news"));
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
