/** `<command-journey>`: the latest commands of this page on their way, and how long each took to be visible. */

import { queue } from "../data/queue.js";
import { h } from "../lib/dom.js";

const SHOWN = 4;
const WORDS = {
  PostCheep: "Post",
  AnswerCheep: "Answer",
  UpdateCheep: "Edit",
  DeleteCheep: "Delete",
  Follow: "Follow",
  Unfollow: "Unfollow",
  MarkNotificationsRead: "Mark as read",
  Mute: "Mute",
  Unmute: "Unmute",
  Block: "Block",
  Unblock: "Unblock",
  SignUp: "Sign up",
  UpdateProfile: "Profile",
  ChangeEmail: "E-mail address",
};
const STEPS = ["written", "accepted", "visible"];
const REACHED = { waiting: 1, accepted: 2, visible: 3, refused: 1 };

export class CommandJourney extends HTMLElement {
  #latest = [];
  #ending;

  connectedCallback() {
    this.#ending = new AbortController();
    const { signal } = this.#ending;
    queue.addEventListener("change", () => this.#show(), { signal });
    queue.addEventListener("visible", ({ detail }) => this.#arrived(detail.entry), { signal });
    this.#show();
  }

  disconnectedCallback() {
    this.#ending.abort();
  }

  #arrived(entry) {
    const milliseconds = entry.sent ? Math.round(performance.now() - entry.sent) : null;
    this.#latest = [...this.#latest, { ...entry, milliseconds }].slice(-SHOWN);
  }

  #show() {
    const shown = [...this.#latest, ...queue.entries].slice(-SHOWN).reverse();
    this.replaceChildren(
      h("h2", {}, "Your commands"),
      shown.length
        ? h("ul", {}, ...shown.map(row))
        : h(
            "p",
            { class: "hint" },
            "What you write is a command: it is accepted first, and a moment later every view shows it.",
          ),
    );
  }
}

function row({ kind, about, state, milliseconds }) {
  const reached = REACHED[state];
  const words = { refused: "refused", waiting: "waiting to be sent", accepted: "accepted, not visible yet" };
  const status = words[state] ?? (milliseconds === null ? "visible" : `visible after ${milliseconds} ms`);
  const subject = about.message ?? (about.username && about.to ? `@${about.username}` : "");
  return h(
    "li",
    { class: state },
    h("p", {}, h("strong", {}, WORDS[kind]), subject && h("bdi", { dir: "auto", class: "subject" }, subject)),
    h(
      "span",
      { class: "steps", "aria-hidden": "true" },
      ...STEPS.map((_, index) => h("i", { class: index < reached ? "done" : "" })),
    ),
    h("span", { class: "hint" }, status),
  );
}

customElements.define("command-journey", CommandJourney);
