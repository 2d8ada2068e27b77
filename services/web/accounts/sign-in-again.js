/** `<sign-in-again>`: asks for the password once a session has ended. The view stays, with all that was written in it. */

import { session } from "../data/session.js";
import { h, icon } from "../lib/dom.js";
import { providerButtons } from "./external.js";
import { signInForm } from "./forms.js";
import * as accounts from "./requests.js";
import { tokens } from "./tokens.js";

export class SignInAgain extends HTMLElement {
  #ending;

  connectedCallback() {
    this.#ending = new AbortController();
    for (const event of ["change", "expired"])
      session.addEventListener(event, () => this.#show(), { signal: this.#ending.signal });
    this.#show();
  }

  disconnectedCallback() {
    this.#ending.abort();
  }

  #show() {
    if (!session.isExpired || session.id === null) return this.replaceChildren();
    if (this.firstChild) return;
    const others = h("div");
    this.append(
      h(
        "section",
        { class: "panel ended", "aria-label": "Sign in again" },
        h("p", { role: "alert" }, icon("warning"), "Sign in again to go on. Nothing that you wrote is lost."),
        signInForm(tokens.account.email),
        others,
        h("button", { type: "button", class: "quiet", onclick: () => session.end() }, "Sign out"),
      ),
    );
    this.#offer(others);
  }

  async #offer(place) {
    const providers = await accounts.providers().catch(() => null); // a password does without them
    place.replaceChildren(...providerButtons(providers ?? []));
  }
}

customElements.define("sign-in-again", SignInAgain);
