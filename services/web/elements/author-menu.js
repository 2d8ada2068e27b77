/** `<author-menu>`: what else one may do about an author: mute and block, and end both. */

import { queue } from "../data/queue.js";
import { relations } from "../data/relations.js";
import { session } from "../data/session.js";
import { h, icon } from "../lib/dom.js";
import { confirmed } from "./confirm.js";

export class AuthorMenu extends HTMLElement {
  #author;
  #ending;

  set author(author) {
    this.#author = author;
    const toggle = () => this.#open(this.list.hidden);
    this.button = h(
      "button",
      { type: "button", class: "quiet menu", "aria-label": `More about @${author.username}`, onclick: toggle },
      icon("more"),
    );
    this.list = h("ul", { hidden: true });
    this.replaceChildren(this.button, this.list);
    this.#open(false);
  }

  connectedCallback() {
    this.#ending = new AbortController();
    const { signal } = this.#ending;
    relations.addEventListener("change", () => this.#show(), { signal });
    document.addEventListener("click", (event) => this.contains(event.target) || this.#open(false), { signal });
    this.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !this.contains(relatedTarget)) this.#open(false);
    });
    this.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || this.list.hidden) return;
      this.#open(false);
      this.button.focus();
    });
    this.#show();
  }

  disconnectedCallback() {
    this.#ending.abort();
  }

  #open(isOpen) {
    this.list.hidden = !isOpen;
    this.button.setAttribute("aria-expanded", isOpen);
    if (isOpen) this.list.querySelector("button")?.focus();
  }

  #show() {
    const { muted, blocked } = relations.of(this.#author.author_id);
    const labels = [muted ? "Unmute" : "Mute", blocked ? "Unblock" : "Block"];
    if (labels.join() === this.dataset.labels) return;
    this.dataset.labels = labels.join();
    this.list.replaceChildren(...labels.map((label) => h("li", {}, this.#item(label))));
  }

  #item(kind) {
    const choose = () => {
      this.#open(false);
      this.button.focus();
      if (kind === "Block") block(this.#author);
      else send(kind, this.#author);
    };
    return h("button", { type: "button", onclick: choose }, `${kind} @${this.#author.username}`);
  }
}

customElements.define("author-menu", AuthorMenu);

/** Return the menu about an author. */
export function authorMenu(author) {
  const element = document.createElement("author-menu");
  element.author = author;
  return element;
}

/** Return what the caller has hidden of an author, each with the button that ends it. */
export function relationNotes(author) {
  const { muted, blocked, pending } = relations.of(author.author_id);
  const note = (text, kind) =>
    h(
      "div",
      { class: pending ? "relation pending" : "relation" },
      h("p", {}, text),
      h("button", { type: "button", class: "quiet", onclick: () => send(kind, author) }, kind),
    );
  return [
    blocked && note("You block this author. Neither of you can follow or answer the other.", "Unblock"),
    muted && note("You mute this author, whose cheeps are not in your timeline.", "Unmute"),
  ].filter(Boolean);
}

async function block(author) {
  const explanation =
    "Follows between you end, and neither of you can follow or answer the other. Your cheeps stay public.";
  if (await confirmed(`Block @${author.username}?`, explanation, "Block")) send("Block", author);
}

function send(kind, { author_id, username }) {
  queue.add(kind, { author_id: session.id, to: author_id, username });
}
