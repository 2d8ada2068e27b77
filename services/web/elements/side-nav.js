/** `<side-nav>`: the ways through the page, with the mark of unread notifications. */

import { session } from "../data/session.js";
import { unread } from "../data/unread.js";
import { avatar, h, icon, userText } from "../lib/dom.js";

export class SideNav extends HTMLElement {
  #ending;

  connectedCallback() {
    this.#ending = new AbortController();
    const { signal } = this.#ending;
    session.addEventListener("change", () => this.#show(), { signal });
    unread.addEventListener("change", () => this.#showUnread(), { signal });
    addEventListener("hashchange", () => this.#showCurrent(), { signal });
    this.#show();
  }

  disconnectedCallback() {
    this.#ending.abort();
  }

  #show() {
    const author = session.author;
    const links = author
      ? [
          ["home", "Home", "#/"],
          ["search", "Search", "#/search"],
          ["bell", "Notifications", "#/notifications"],
          ["person", "Profile", `#/@${author.username}`],
          ["settings", "Settings", "#/settings"],
        ]
      : [
          ["home", "Welcome", "#/"],
          ["search", "Search", "#/search"],
        ];
    this.replaceChildren(
      h(
        "a",
        { class: "brand", href: "#/", "aria-label": "Cheeper, home" },
        h("img", { src: "/web/icon.svg", alt: "", width: 36, height: 36 }),
        h("span", {}, "Cheeper"),
      ),
      h(
        "ul",
        {},
        ...links.map(([name, label, href]) =>
          h("li", {}, h("a", { href, "data-name": name }, icon(name), h("span", {}, label))),
        ),
      ),
      h(
        "div",
        { class: "me", hidden: !author },
        author && avatar(author, "small"),
        author && userText(`@${author.username}`),
      ),
    );
    this.#showCurrent();
    this.#showUnread();
  }

  #showCurrent() {
    for (const link of this.querySelectorAll("li a")) {
      const isCurrent =
        link.hash === "#/" ? ["", "#/"].includes(location.hash) : location.hash.split("?")[0] === link.hash;
      if (isCurrent) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  #showUnread() {
    const link = this.querySelector('[data-name="bell"]');
    if (!link) return;
    link.querySelector(".unread")?.remove();
    if (unread.count === 0) return;
    const shown = unread.count >= unread.most ? `${unread.most}+` : String(unread.count);
    link.append(h("span", { class: "unread" }, shown, h("span", { class: "for-readers" }, " unread")));
  }
}

customElements.define("side-nav", SideNav);
