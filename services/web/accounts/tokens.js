/** The tokens of the account that is signed in. They are in localStorage, for all tabs (ADR 56 says why), and are renewed
 *  before they expire, by one tab at a time: whoever uses an old refresh token for another time ends the session. */

import * as accounts from "./requests.js";

const ITEM = "cheeper.tokens";
const MARGIN = 60_000; // milliseconds that a token must be good for
const [PAUSE, TRIES] = [20, 100]; // milliseconds, and how often to look for what another tab stored

class Tokens extends EventTarget {
  #state = stateOf(read());
  #renewing = null;

  constructor() {
    super();
    addEventListener("storage", (event) => {
      if (event.key === ITEM || event.key === null) this.#check();
    });
  }

  /** "none" without an account, "good" for one that is signed in, "expired" for one whose session has ended. */
  get state() {
    return this.#state;
  }

  /** The account `{id, email}`, or null without one. The id is null if it is not known. */
  get account() {
    const stored = read();
    return stored && { id: stored.id, email: stored.email };
  }

  /** Sign an account in with the tokens of its new session. */
  begin(email, session) {
    const id = JSON.parse(atob(session.access_token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).sub;
    const wasGood = this.#state === "good";
    this.#keep({ id, email, ...received(session) });
    if (wasGood) this.dispatchEvent(new Event("change")); // it may be another account
  }

  /** Go on with the tokens of a new session of the same account. */
  renew(session) {
    this.#keep({ ...read(), ...received(session) });
  }

  /** Return a token that is good for a minute at least, another one than `refused`, or null without one. */
  async access(refused = null) {
    const stored = read();
    if (stateOf(stored) !== "good") return null;
    if (isGood(stored, refused)) return stored.access;
    this.#renewing ??= this.#renewAlone(refused).finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  /** Take that the session has ended, or that this Cheeper wants a sign-in now. The account stays, to be signed in again. */
  expire() {
    this.#keep({ id: null, email: "", ...read(), access: null, refresh: null });
  }

  /** Sign out. If the server cannot be reached, the session ends there when it is not renewed. */
  end() {
    const stored = read();
    this.#keep(null);
    if (stored?.refresh) accounts.signOut(stored.refresh).catch(() => {});
  }

  /** Renew while no other tab does. Pages of plain HTTP have no locks; then the server's 10 s of repetition must do. */
  async #renewAlone(refused) {
    const renew = () => this.#renew(refused);
    if (!navigator.locks) return renew();
    const [isFree, token] = await navigator.locks.request(ITEM, { ifAvailable: true }, async (lock) =>
      lock ? [true, await renew()] : [false],
    );
    if (isFree) return token;
    return navigator.locks.request(ITEM, async () => {
      await seen(refused);
      return renew();
    });
  }

  async #renew(refused) {
    const stored = read(); // another tab may have renewed them meanwhile
    if (stateOf(stored) !== "good") return null;
    if (isGood(stored, refused)) return stored.access;
    const isOurs = () => read()?.refresh === stored.refresh;
    try {
      const session = await accounts.refreshed(stored.refresh);
      if (isOurs()) this.#keep({ ...stored, ...received(session) });
    } catch (error) {
      if (error.isTemporary || ![401, 404, 422].includes(error.status)) throw error;
      if (isOurs() && error.status === 404) this.#keep(null); // there are no accounts any more
      else if (isOurs()) this.expire();
    }
    return read()?.access ?? null;
  }

  #keep(stored) {
    if (stored === null) localStorage.removeItem(ITEM);
    else localStorage.setItem(ITEM, JSON.stringify(stored));
    this.#check();
  }

  #check() {
    const state = stateOf(read());
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new Event("change"));
  }
}

function received({ access_token, refresh_token, expires_in }) {
  const life = expires_in * 1000;
  return { access: access_token, refresh: refresh_token, until: Date.now() + life - Math.min(MARGIN, life / 2) };
}

function isGood({ access, until }, refused) {
  return access !== refused && Date.now() < until;
}

function stateOf(stored) {
  if (stored === null) return "none";
  return stored.refresh ? "good" : "expired";
}

/** Wait for what another tab stored while it had the lock: a browser may pass the lock on before it shows that here. */
async function seen(refused) {
  const isOld = (stored) => stateOf(stored) === "good" && !isGood(stored, refused);
  for (let tries = 0; tries < TRIES && isOld(read()); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(ITEM));
  } catch {
    return null;
  }
}

export const tokens = new Tokens();
