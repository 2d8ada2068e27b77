/** `<cheep-composer>`: writes a message. What is written is kept under the name of its place until it is sent. */

import { drafts } from "../data/drafts.js";
import { h } from "../lib/dom.js";
import { isVisible, length, MESSAGE_LENGTH, trimmed } from "../lib/text.js";

const NEAR_END = 20;

export class CheepComposer extends HTMLElement {
  /** `place` names the draft, `label` the text field, `button` what sends it; `send(message)` gets the trimmed message,
   *  `cancel`, if given, is called by a second button and by Escape. */
  set options({ place, label, button, placeholder = "", send, cancel }) {
    this.dataset.place = place;
    this.place = place;
    this.send = send;
    this.cancel = cancel;
    this.input = h("textarea", {
      rows: 2,
      dir: "auto",
      placeholder,
      "aria-label": label,
      "aria-describedby": `count-${place}`,
      value: drafts.get(place),
      oninput: () => this.#written(),
      onkeydown: (event) => this.#pressed(event),
    });
    this.count = h("span", { class: "count", id: `count-${place}` });
    this.button = h("button", { type: "button", class: "primary", onclick: () => this.#submit() }, button);
    const abandon = cancel && h("button", { type: "button", class: "quiet", onclick: cancel }, "Cancel");
    this.replaceChildren(this.input, h("div", { class: "row" }, this.count, abandon, this.button));
    this.#show();
  }

  connectedCallback() {
    addEventListener("draft", this);
  }

  disconnectedCallback() {
    removeEventListener("draft", this);
  }

  /** Take a text that was refused back. */
  handleEvent({ detail }) {
    if (detail !== this.place) return;
    this.input.value = drafts.get(this.place);
    this.#show();
    this.focus();
  }

  focus() {
    this.input.focus();
    this.input.setSelectionRange(this.input.value.length, this.input.value.length);
  }

  #written() {
    drafts.set(this.place, this.input.value);
    this.#show();
  }

  #pressed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#submit();
    if (event.key === "Escape" && this.cancel) this.cancel();
  }

  #show() {
    const left = MESSAGE_LENGTH - length(this.input.value);
    const text = left < 0 ? `${-left} too many` : left === 1 ? "1 character left" : `${left} characters left`;
    this.count.textContent = this.input.value ? text : "";
    this.count.classList.toggle("near", left <= NEAR_END && left >= 0);
    this.count.classList.toggle("over", left < 0);
    if (left <= NEAR_END) this.count.setAttribute("role", "status");
    else this.count.removeAttribute("role");
    this.button.setAttribute("aria-disabled", String(!this.#isSendable()));
  }

  #isSendable() {
    return isVisible(this.input.value) && length(this.input.value) <= MESSAGE_LENGTH;
  }

  #submit() {
    if (!this.#isSendable()) return this.input.focus();
    const message = trimmed(this.input.value);
    this.input.value = "";
    this.#written();
    this.send(message);
  }
}

customElements.define("cheep-composer", CheepComposer);

/** Return a composer with these options. */
export function composer(options) {
  const element = document.createElement("cheep-composer");
  element.options = options;
  return element;
}

/** Put a text back to the place where it was written, behind what stands there; whoever shows that place takes it. */
export function putBack(place, text) {
  drafts.set(place, [drafts.get(place), text].filter(Boolean).join("\n"));
  dispatchEvent(new CustomEvent("draft", { detail: place }));
}
