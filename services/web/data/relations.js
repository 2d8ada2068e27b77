/** Whom the caller mutes and blocks, as this browser knows it: what it did itself is kept in localStorage. Who was muted
 *  elsewhere is muted once more here without an effect, and known from then on. */

import { onItsWay } from "./overlay.js";
import { queue } from "./queue.js";
import { session } from "./session.js";

const EFFECTS = {
  Mute: { muted: true },
  Unmute: { muted: false },
  Block: { blocked: true },
  Unblock: { blocked: false },
};

class Relations extends EventTarget {
  constructor() {
    super();
    const announce = () => this.dispatchEvent(new Event("change"));
    queue.addEventListener("visible", ({ detail }) => this.#keep(detail.entry));
    queue.addEventListener("change", announce);
    session.addEventListener("change", announce);
  }

  /** Return `{muted, blocked, pending}`: what holds of an author, with what is on its way. */
  of(authorId) {
    let found = { muted: false, blocked: false, ...this.#stored(session.id)[authorId] };
    for (const { kind, about, state } of queue.entries.filter(onItsWay))
      if (kind in EFFECTS && about.to === authorId && session.is(about.author_id))
        found = { ...found, ...EFFECTS[kind], pending: state };
    return found;
  }

  #keep({ kind, about }) {
    if (!(kind in EFFECTS)) return;
    const stored = this.#stored(about.author_id);
    const now = { ...stored[about.to], ...EFFECTS[kind] };
    const { [about.to]: _, ...others } = stored;
    const all = now.muted || now.blocked ? { ...others, [about.to]: now } : others;
    localStorage.setItem(item(about.author_id), JSON.stringify(all));
  }

  #stored(callerId) {
    return JSON.parse(localStorage.getItem(item(callerId)) ?? "{}");
  }
}

const item = (callerId) => `cheeper.relations.${callerId}`;

export const relations = new Relations();
