/** `<refused-list>`: what the server refused, with its sentence and what was written, until it is taken back or dropped. */

import { queue } from "../data/queue.js";
import { h, icon } from "../lib/dom.js";
import { sentence } from "../lib/loading.js";
import { putBack } from "./cheep-composer.js";

const WORDS = {
  PostCheep: "Your cheep was not posted.",
  AnswerCheep: "Your answer was not posted.",
  UpdateCheep: "Your edit was not saved.",
  DeleteCheep: "Your cheep was not deleted.",
  Follow: "You could not follow this author.",
  Unfollow: "You could not unfollow this author.",
  MarkNotificationsRead: "Your notifications were not marked as read.",
  Mute: "You could not mute this author.",
  Unmute: "You could not unmute this author.",
  Block: "You could not block this author.",
  Unblock: "You could not unblock this author.",
};

export class RefusedList extends HTMLElement {
  #ending;

  connectedCallback() {
    this.#ending = new AbortController();
    queue.addEventListener("change", () => this.#show(), { signal: this.#ending.signal });
    this.setAttribute("role", "alert");
    this.#show();
  }

  disconnectedCallback() {
    this.#ending.abort();
  }

  #show() {
    // Those of forms are shown in their form.
    const refused = queue.entries.filter((each) => each.state === "refused" && each.kind in WORDS);
    const keys = refused.map((each) => each.key).join();
    if (keys === this.dataset.keys) return;
    this.dataset.keys = keys;
    this.replaceChildren(...refused.map((entry) => this.#notice(entry)));
  }

  #notice(entry) {
    const { message } = entry.about;
    return h(
      "section",
      { class: "refused" },
      icon("warning"),
      h(
        "div",
        {},
        h("p", {}, h("strong", {}, WORDS[entry.kind]), " ", sentence(entry.error)),
        message && h("blockquote", { dir: "auto" }, message),
        h(
          "div",
          { class: "row" },
          h(
            "button",
            { type: "button", class: "quiet", onclick: () => queue.drop(entry.key) },
            message ? "Discard" : "Dismiss",
          ),
          message &&
            h("button", { type: "button", class: "primary", onclick: () => this.#takeBack(entry) }, "Edit again"),
        ),
      ),
    );
  }

  #takeBack({ key, kind, about, error }) {
    const isGone = error.code === "cheep_not_found"; // then its place is gone too
    const places = {
      PostCheep: ["new", "#/"],
      AnswerCheep: [`answer.${about.in_reply_to}`, `#/cheep/${about.in_reply_to}?answer`],
    };
    const [place, address] = places[isGone ? "PostCheep" : kind] ?? [
      `edit.${about.cheep_id}`,
      `#/cheep/${about.cheep_id}`,
    ];
    queue.drop(key);
    putBack(place, about.message);
    if (location.hash !== address) location.hash = address;
  }
}

customElements.define("refused-list", RefusedList);
