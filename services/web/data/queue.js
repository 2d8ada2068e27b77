/** The commands of this browser on their way: waiting (not sent, or without a response), accepted, visible or refused.
 *
 *  They are sent one after the other, each with its own Idempotency-Key, until there is a response: a repeat posts nothing
 *  twice. They are kept in localStorage, each under its own key, so they survive an offline browser and a closed page. */

import { newId } from "../lib/ids.js";
import * as api from "./api.js";
import { pause } from "./http.js";
import { session } from "./session.js";

const ITEM = "cheeper.command.";
const LONGEST_PAUSE = 15; // seconds

class Queue extends EventTarget {
  #entries = stored();
  #sending = false;

  constructor() {
    super();
    api.reads.after = () => this.#entries.findLast((each) => each.state === "accepted")?.key ?? null;
    addEventListener("storage", (event) => {
      if (event.key?.startsWith(ITEM)) this.#reload();
    });
  }

  /** Send what is left of the last visit. */
  start() {
    for (const entry of this.#entries.filter((each) => each.state === "accepted")) this.#settle(entry);
    session.addEventListener("change", () => this.#send());
    this.#send();
  }

  /** The entries in the order in which they were written: `{key, kind, about, at, state, error}`. */
  get entries() {
    return this.#entries;
  }

  /** Put a command into the queue, and return its entry. */
  add(kind, about) {
    const entry = { key: newId(), kind, about, at: new Date().toISOString(), state: "waiting", error: null };
    this.#entries = [...this.#entries, entry];
    this.#changed(entry);
    this.#send();
    return entry;
  }

  /** Put a command into the queue, and resolve once it was accepted. Throw the error with which it was refused: such an
   *  entry is dropped, since its form still has what was written. */
  submit(kind, about) {
    const entry = this.add(kind, about);
    return new Promise((resolve, reject) => {
      const check = () => {
        if (entry.state === "waiting") return;
        this.removeEventListener("change", check);
        if (entry.state !== "refused") return resolve(entry);
        this.drop(entry.key);
        reject(entry.error);
      };
      this.addEventListener("change", check);
    });
  }

  /** Forget a command that was refused. */
  drop(key) {
    this.#remove(this.#entries.find((each) => each.key === key));
  }

  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    for (let failures = 0; ;) {
      const entry = this.#entries.find((each) => each.state === "waiting" && session.acts(each.about.author_id));
      if (entry === undefined) break;
      try {
        await api.send(entry);
        failures = 0;
        entry.sent = performance.now();
        this.#become(entry, "accepted");
        this.#settle(entry);
      } catch (error) {
        if (error.status === 401 && session.isExpired) continue; // it is sent after the next sign-in
        if (!error.isTemporary) this.#refuse(entry, error);
        else {
          entry.reason = error.message;
          this.dispatchEvent(new Event("change"));
          await pause(Math.max(error.retryAfter, Math.min(2 ** failures / 2, LONGEST_PAUSE)));
          failures += 1;
        }
      }
    }
    this.#sending = false;
  }

  async #settle(entry) {
    while (entry.state === "accepted" && this.#entries.includes(entry)) {
      while (!session.acts(entry.about.author_id)) await session.changed();
      try {
        const { status, code, message, overdue } = await api.outcome(entry.key);
        if (status === "rejected") return this.#refuse(entry, { message, code, fields: [] });
        if (status === "projected") return this.#visible(entry, await api.result(entry));
        if (overdue) await api.send(entry); // it may be lost; the key makes a repeat harmless
      } catch (error) {
        if (error.status === 404 && Date.now() - new Date(entry.at) > 60_000) await api.send(entry).catch(() => {});
        else if (error.status === 401 && session.isExpired) continue;
        else if (error.status && error.status !== 404 && !error.isTemporary) return this.#remove(entry);
        await pause(Math.max(error.retryAfter ?? 0, 1));
      }
      await pause(0.2);
    }
  }

  #visible(entry, result) {
    entry.state = "visible";
    this.dispatchEvent(new CustomEvent("visible", { detail: { entry, result } }));
    this.#remove(entry);
  }

  #refuse(entry, error) {
    entry.error = { message: error.message, status: error.status, code: error.code, fields: error.fields ?? [] };
    this.#become(entry, "refused");
    this.dispatchEvent(new CustomEvent("refused", { detail: { entry } }));
  }

  #become(entry, state) {
    entry.state = state;
    this.#changed(entry);
  }

  #changed(entry) {
    localStorage.setItem(ITEM + entry.key, JSON.stringify(entry));
    this.dispatchEvent(new Event("change"));
  }

  #remove(entry) {
    this.#entries = this.#entries.filter((each) => each !== entry);
    if (entry) localStorage.removeItem(ITEM + entry.key);
    this.dispatchEvent(new Event("change"));
  }

  #reload() {
    const known = new Map(this.#entries.map((each) => [each.key, each]));
    this.#entries = stored().map((each) => (known.has(each.key) ? Object.assign(known.get(each.key), each) : each));
    this.dispatchEvent(new Event("change"));
  }
}

function stored() {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(ITEM));
  const entries = keys.map((key) => JSON.parse(localStorage.getItem(key)));
  return entries.sort((a, b) => a.at.localeCompare(b.at));
}

export const queue = new Queue();
