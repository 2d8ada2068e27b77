/** `<cheep-card>`: one cheep, with what its author and everybody else may do with it. */

import { drafts } from "../data/drafts.js";
import { queue } from "../data/queue.js";
import { session } from "../data/session.js";
import { avatar, h, icon, userText } from "../lib/dom.js";
import { highlighted } from "../lib/text.js";
import { composer } from "./cheep-composer.js";
import { confirmed } from "./confirm.js";
import { since } from "./since.js";

const PENDING = { waiting: "waiting to be sent", accepted: "on its way" };

export class CheepCard extends HTMLElement {
  #item;
  query = "";
  parent = null;

  connectedCallback() {
    this.addEventListener("click", this.#open);
    addEventListener("draft", this);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.#open);
    removeEventListener("draft", this);
  }

  /** Begin to edit if a refused edit of this cheep comes back. */
  handleEvent({ detail }) {
    if (detail === this.#place && !this.querySelector("cheep-composer")) this.#edit();
  }

  /** The cheep: as the API has it, with `pending` while it is not visible yet. */
  set item(cheep) {
    const had = this.contains(document.activeElement) ? document.activeElement.dataset.action : null;
    this.#item = cheep;
    const editing = this.querySelector("cheep-composer");
    const typing = editing?.contains(document.activeElement) ? document.activeElement : null;
    const big = this.classList.contains("big");
    this.replaceChildren(
      h(
        "article",
        { class: cheep.pending ? "cheep pending" : "cheep" },
        h(
          "a",
          { href: `#/@${cheep.author_username}`, tabIndex: -1, "aria-hidden": "true" },
          avatar({ author_id: cheep.author_id, username: cheep.author_username }, big ? "medium" : ""),
        ),
        h(
          "div",
          { class: "body" },
          this.#heading(cheep),
          cheep.in_reply_to && !big && cheep.in_reply_to !== this.parent && this.#replied(cheep),
          editing ?? this.#text(cheep),
          this.#actions(cheep),
        ),
      ),
    );
    typing?.focus(); // to be moved has cost it the focus
    if (had) this.querySelector(`[data-action="${had}"]`)?.focus();
  }

  get #place() {
    return `edit.${this.#item.cheep_id}`;
  }

  #heading(cheep) {
    return h(
      "header",
      {},
      h(
        "a",
        { class: "name", href: `#/@${cheep.author_username}`, "data-action": "author" },
        userText(`@${cheep.author_username}`),
      ),
      h("a", { class: "when", href: `#/cheep/${cheep.cheep_id}`, "data-action": "open" }, since(cheep.cheep_date)),
      cheep.edited_at && h("span", { class: "mark" }, "edited"),
      cheep.pending && h("span", { class: "badge" }, icon("clock"), PENDING[cheep.pending]),
    );
  }

  #replied(cheep) {
    return h(
      "p",
      { class: "replied" },
      icon("answer"),
      h("a", { href: `#/cheep/${cheep.in_reply_to}` }, "In answer to a cheep"),
    );
  }

  #text(cheep) {
    const parts = this.query
      ? highlighted(cheep.cheep_message, this.query)
      : [{ text: cheep.cheep_message, found: false }];
    return h(
      "p",
      { class: "text", dir: "auto" },
      ...parts.map(({ text, found }) => (found ? h("mark", {}, text) : text)),
    );
  }

  #actions(cheep) {
    const button = (name, label, onclick) =>
      h("button", { type: "button", class: "action", onclick, "data-action": name }, icon(name), label);
    const answers = cheep.number_of_answers ? `Answer · ${cheep.number_of_answers}` : "Answer";
    return h(
      "footer",
      {},
      button("answer", answers, () => this.#answer()),
      session.is(cheep.author_id) && button("edit", "Edit", () => this.#edit()),
      session.is(cheep.author_id) && button("trash", "Delete", () => this.#delete()),
    );
  }

  #open = (event) => {
    const isControl = event.target.closest("a, button, textarea, cheep-composer");
    if (isControl || this.classList.contains("big") || String(getSelection())) return;
    location.hash = `#/cheep/${this.#item.cheep_id}`;
  };

  #answer() {
    const here = document.querySelector(`cheep-composer[data-place="answer.${this.#item.cheep_id}"]`);
    if (here) here.focus();
    else location.hash = `#/cheep/${this.#item.cheep_id}?answer`;
  }

  #edit() {
    const { cheep_id, cheep_message } = this.#item;
    if (!drafts.get(this.#place)) drafts.set(this.#place, cheep_message);
    const end = () => {
      drafts.set(this.#place, "");
      editor.remove();
      this.item = this.#item;
      this.querySelector('[data-action="edit"]')?.focus();
    };
    const editor = composer({
      place: this.#place,
      label: "Edit your cheep",
      button: "Save",
      cancel: end,
      send(message) {
        end();
        if (message !== cheep_message) queue.add("UpdateCheep", { author_id: session.id, cheep_id, message });
      },
    });
    this.querySelector(".text")?.replaceWith(editor);
    editor.focus();
  }

  async #delete() {
    if (!(await confirmed("Delete this cheep?", "It disappears for everybody. Its answers stay.", "Delete"))) return;
    queue.add("DeleteCheep", { author_id: session.id, cheep_id: this.#item.cheep_id });
    this.dispatchEvent(new Event("deleted", { bubbles: true }));
  }
}

customElements.define("cheep-card", CheepCard);

/** Return a card without a cheep yet; the words of `query` will be marked in it. Beside its `parent` it does not name it. */
export function cheepCard({ query = "", parent = null, isBig = false } = {}) {
  const card = document.createElement("cheep-card");
  Object.assign(card, { query, parent, className: isBig ? "big" : "" });
  return card;
}
