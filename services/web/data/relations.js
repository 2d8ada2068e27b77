/** Whom the caller mutes and blocks: what the server lists, and what is on its way. The lists are loaded when they are first
 *  needed, and anew when somebody comes back to the page. */

import * as api from "./api.js";
import { live } from "./live.js";
import { onItsWay } from "./overlay.js";
import { queue } from "./queue.js";
import { session } from "./session.js";

const PAGES = 20; // of 100 authors: beyond that, an author may seem not to be muted, and a mute has no effect
const EFFECTS = {
  Mute: { muted: true },
  Unmute: { muted: false },
  Block: { blocked: true },
  Unblock: { blocked: false },
};

class Relations extends EventTarget {
  #of = null;
  #known = { muted: new Set(), blocked: new Set() };

  constructor() {
    super();
    const announce = () => this.dispatchEvent(new Event("change"));
    queue.addEventListener("visible", ({ detail }) => this.#keep(detail.entry));
    queue.addEventListener("change", announce);
    session.addEventListener("change", announce);
    live.addEventListener("change", ({ detail }) => detail.isPeriodic || this.#of === null || this.#load());
  }

  /** Return `{muted, blocked, pending}`: what holds of an author, with what is on its way. */
  of(authorId) {
    if (this.#of !== session.id) this.#load();
    let found = { muted: this.#known.muted.has(authorId), blocked: this.#known.blocked.has(authorId) };
    for (const { kind, about, state } of queue.entries.filter(onItsWay))
      if (kind in EFFECTS && about.to === authorId && session.is(about.author_id))
        found = { ...found, ...EFFECTS[kind], pending: state };
    return found;
  }

  async #load() {
    const caller = session.id;
    if (this.#of !== caller) this.#known = { muted: new Set(), blocked: new Set() };
    this.#of = caller;
    if (caller === null) return;
    try {
      const [muted, blocked] = await Promise.all([all(api.mutes, caller), all(api.blocks, caller)]);
      if (this.#of !== caller) return;
      this.#known = { muted, blocked };
      this.dispatchEvent(new Event("change"));
    } catch {
      if (this.#of === caller) this.#of = null; // the next need loads them
    }
  }

  #keep({ kind, about }) {
    if (!(kind in EFFECTS) || about.author_id !== this.#of) return;
    for (const [name, holds] of Object.entries(EFFECTS[kind])) this.#known[name][holds ? "add" : "delete"](about.to);
  }
}

async function all(read, authorId) {
  const found = new Set();
  let cursor = null;
  for (let page = 0; page < PAGES; page += 1) {
    const { items, next } = await read(authorId, cursor);
    for (const each of items) found.add(each.author_id);
    if (next === null) break;
    cursor = next;
  }
  return found;
}

export const relations = new Relations();
