/** `<follow-button>`: follows an author or no longer does. It shows the wish at once, and undoes it if it is refused. There
 *  is none for an author whom the caller blocks. */

import * as api from "../data/api.js";
import { overlaidProfile } from "../data/overlay.js";
import { queue } from "../data/queue.js";
import { relations } from "../data/relations.js";
import { session } from "../data/session.js";
import { h } from "../lib/dom.js";

export class FollowButton extends HTMLElement {
  #author;
  #followed = null; // unknown
  #ending;

  set author(author) {
    this.#author = author;
    this.button = h("button", { type: "button", class: "follow", onclick: () => this.#toggle() });
    this.replaceChildren(this.button);
    this.#show();
  }

  connectedCallback() {
    this.#ending = new AbortController();
    relations.addEventListener("change", () => this.#show(), { signal: this.#ending.signal });
    queue.addEventListener("visible", ({ detail }) => this.#learn(detail.entry), { signal: this.#ending.signal });
    this.#load();
  }

  disconnectedCallback() {
    this.#ending.abort();
  }

  async #load() {
    const { author_id } = this.#author;
    const isNobodyElse = session.id === null || session.is(author_id);
    this.#followed = !isNobodyElse && (await api.isFollowed(author_id).catch(() => false));
    this.#show();
  }

  #learn({ kind, about }) {
    if (!["Follow", "Unfollow", "Block"].includes(kind) || about.to !== this.#author.author_id) return;
    this.#followed = kind === "Follow";
    api.noteFollowed(about.to, this.#followed);
    this.#show();
  }

  get #wish() {
    return overlaidProfile(this.#author, this.#followed ?? false, queue.entries, session.id);
  }

  #show() {
    const { followed, pending } = this.#wish;
    const { author_id } = this.#author;
    this.button.hidden = session.id === null || session.is(author_id) || relations.of(author_id).blocked;
    this.button.textContent = followed ? "Following" : "Follow";
    this.button.setAttribute("aria-label", `${followed ? "Unfollow" : "Follow"} @${this.#author.username}`);
    this.button.classList.toggle("is-followed", followed);
    this.button.classList.toggle("pending", Boolean(pending));
    this.classList.toggle("unknown", this.#followed === null);
  }

  #toggle() {
    const kind = this.#wish.followed ? "Unfollow" : "Follow";
    queue.add(kind, { author_id: session.id, to: this.#author.author_id, username: this.#author.username });
  }
}

customElements.define("follow-button", FollowButton);

/** Return the button for an author. */
export function followButton(author) {
  const element = document.createElement("follow-button");
  element.author = author;
  return element;
}
