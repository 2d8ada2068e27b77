/** `<status-line>`: says that the browser is offline, or that what is shown may lack the own latest commands. */

import { reads } from "../data/api.js";
import { queue } from "../data/queue.js";
import { session } from "../data/session.js";
import { h, icon } from "../lib/dom.js";

export class StatusLine extends HTMLElement {
  #isStale = false;
  #ending;

  connectedCallback() {
    this.#ending = new AbortController();
    const { signal } = this.#ending;
    this.setAttribute("role", "status");
    reads.stale = (isStale) => {
      this.#isStale = isStale;
      this.#show();
    };
    queue.addEventListener("change", () => this.#show(), { signal });
    for (const event of ["change", "expired"]) session.addEventListener(event, () => this.#show(), { signal });
    for (const event of ["online", "offline"]) addEventListener(event, () => this.#show(), { signal });
    this.#show();
  }

  disconnectedCallback() {
    this.#ending.abort();
  }

  #show() {
    const text = this.#text();
    if (this.dataset.text === text) return;
    this.dataset.text = text;
    this.replaceChildren(...(text ? [h("p", {}, icon("clock"), text)] : []));
  }

  #text() {
    const isOurs = (each) => session.isExpired || session.acts(each.about.author_id);
    const waiting = queue.entries.filter((each) => each.state === "waiting" && isOurs(each));
    const accepted = queue.entries.some((each) => each.state === "accepted");
    if (!accepted) this.#isStale = false;
    const count = waiting.length === 1 ? "One command waits" : `${waiting.length} commands wait`;
    if (!navigator.onLine)
      return waiting.length ? `You are offline. ${count}, and will be sent when you are back.` : "You are offline.";
    if (session.isExpired)
      return waiting.length ? `You are signed out. ${count}, and will be sent when you have signed in.` : "";
    if (waiting.some((each) => each.reason))
      return `Cheeper cannot take commands at the moment. ${count}, and will be sent.`;
    return this.#isStale ? "What you see may be out of date: your latest change is on its way." : "";
  }
}

customElements.define("status-line", StatusLine);
