/** The caller: the author as whom this browser acts. With AUTH=open anybody may be any author, so the id is all of it; with
 *  accounts, the author is the one of the account that is signed in, and `headers` prove it.
 *
 *  It announces `change` when the views are to begin anew, and `expired` when the account has to be signed in again. */

import * as accounts from "../accounts/requests.js";
import { tokens } from "../accounts/tokens.js";

const ITEM = "cheeper.author";

class Session extends EventTarget {
  #author = read();

  constructor() {
    super();
    addEventListener("storage", (event) => {
      if (event.key === ITEM || event.key === null) this.#become(read());
    });
    tokens.addEventListener("change", () => this.#follow());
  }

  /** The author `{author_id, username}`, or null. */
  get author() {
    return this.#author;
  }

  /** The author's id, or null. */
  get id() {
    return this.#author?.author_id ?? null;
  }

  /** The account `{id, email}` that is signed in, or null. */
  get account() {
    return tokens.state === "good" ? tokens.account : null;
  }

  /** Whether the author acts on once the account is signed in again. */
  get isExpired() {
    return tokens.state === "expired";
  }

  /** Return the headers that prove who the caller is, other ones than those that were `refused`. */
  async headers(refused = {}) {
    const token = await tokens.access(refused.Authorization?.replace("Bearer ", ""));
    return token ? { Authorization: `Bearer ${token}` } : {};
  }

  /** Learn that a request was refused for lack of a token: whoever can, has to sign in. */
  async refuse() {
    const isUnknown = () => tokens.state === "none" && this.id !== null;
    if (isUnknown() && (await accounts.exist().catch(() => false)) && isUnknown()) tokens.expire();
  }

  /** Check that an author is the caller. */
  is(authorId) {
    return this.id !== null && this.id === authorId;
  }

  /** Check that commands of an author can be sent: without accounts those of all can. */
  acts(authorId) {
    return tokens.state === "none" || this.account?.id === authorId;
  }

  /** Act as this author from now on, also after the page was closed. */
  begin({ author_id, username }) {
    localStorage.setItem(ITEM, JSON.stringify({ author_id, username }));
    this.#become({ author_id, username });
  }

  /** Act as nobody. What was written and not sent yet stays in the queue. */
  end() {
    localStorage.removeItem(ITEM);
    this.#author = null;
    if (tokens.state === "none") this.#become(null);
    else tokens.end();
  }

  /** Resolve when another author acts, or an account is signed in or out. */
  changed() {
    return new Promise((resolve) => this.addEventListener("change", resolve, { once: true }));
  }

  #follow() {
    if (this.isExpired && this.id !== null) return this.dispatchEvent(new Event("expired"));
    if (this.isExpired) return tokens.end();
    if (this.account && this.id !== this.account.id) {
      localStorage.removeItem(ITEM);
      this.#author = null;
    }
    this.#become(this.#author);
  }

  #become(author) {
    this.#author = author;
    this.dispatchEvent(new Event("change"));
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(ITEM));
  } catch {
    return null;
  }
}

export const session = new Session();
