/** `<author-row>`: one author in a list, with the button to follow. */

import { avatar, h, userText } from "../lib/dom.js";
import { highlighted } from "../lib/text.js";
import { followButton } from "./follow-button.js";

export class AuthorRow extends HTMLElement {
  query = "";

  set item(author) {
    const address = `#/@${author.username}`;
    this.replaceChildren(
      h("a", { class: "picture", href: address, tabIndex: -1, "aria-hidden": "true" }, avatar(author)),
      h(
        "div",
        { class: "body" },
        h(
          "a",
          { class: "name", href: address },
          author.name ? userText(this.#marked(author.name)) : this.#marked(`@${author.username}`),
        ),
        author.name && h("span", { class: "handle" }, this.#marked(`@${author.username}`)),
        author.bio && h("p", { class: "text", dir: "auto" }, author.bio),
      ),
      followButton(author),
    );
  }

  #marked(text) {
    if (!this.query) return h("span", {}, text);
    return h(
      "span",
      {},
      ...highlighted(text, this.query).map((part) => (part.found ? h("mark", {}, part.text) : part.text)),
    );
  }
}

customElements.define("author-row", AuthorRow);

/** Return a row without an author yet; the words of `query` will be marked in it. */
export function authorRow(query = "") {
  const row = document.createElement("author-row");
  row.query = query;
  return row;
}
