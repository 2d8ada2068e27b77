/** A stream of the server's events for as long as somebody sees the page: resumed behind the last event wherever it ends,
 *  at once after an end in order, and after longer and longer pauses while it is refused. Meanwhile the views poll. */

import { EventParser } from "../lib/sse.js";
import { pause } from "./http.js";

/** In milliseconds. The server sends a comment each 15 s; a page that is hidden for long has no use for events. */
export const times = { silence: 45_000, hidden: 60_000, longestPause: 60_000, firstPause: 1_000 };

export class Stream {
  /** Whether events arrive. */
  isOpen = false;
  #open;
  #take;
  #signal;
  #lastId = null;
  #retry = times.firstPause;
  #failures = 0;

  /** Begin. `open(lastId, signal)` resolves to the texts of a stream, `take(name, data)` gets each event, until `signal`. */
  constructor(open, take, signal) {
    [this.#open, this.#take, this.#signal] = [open, take, signal];
    this.#run();
  }

  async #run() {
    while (!this.#signal.aborted) {
      await visible(this.#signal);
      if (this.#signal.aborted) return;
      let least = 0;
      try {
        await this.#connect();
      } catch (error) {
        if (error.status === 422 && this.#lastId !== null)
          this.#lastId = null; // it names no position any more
        else if (error.status && !error.isTemporary) return; // another attempt would be refused as well
        least = (error.retryAfter ?? 0) * 1000;
        this.#failures += 1;
      }
      if (!this.#signal.aborted) await pause(Math.max(least, this.#pause()) / 1000);
    }
  }

  /** Return a pause: the server's own, and after failures up to twice as long each time, so that not all come at once. */
  #pause() {
    const longest = Math.min(this.#retry * 2 ** this.#failures, times.longestPause);
    return this.#failures ? longest * (0.5 + Math.random() / 2) : this.#retry;
  }

  async #connect() {
    const connection = new AbortController();
    const signal = AbortSignal.any([this.#signal, connection.signal]);
    const end = () => connection.abort();
    const watch = new Watch(end);
    addEventListener("offline", end, { signal });
    try {
      const texts = await this.#open(this.#lastId, signal);
      await this.#read(texts, watch);
    } finally {
      this.isOpen = false;
      watch.end();
      end();
    }
  }

  async #read(texts, watch) {
    const parser = new EventParser(this.#lastId);
    const reader = texts.getReader();
    for (;;) {
      const { value, done } = await reader.read().catch(() => ({ done: true })); // a broken connection is an end
      if (done) return;
      this.isOpen = true;
      this.#failures = 0;
      watch.heard();
      for (const { name, data } of parser.take(value)) {
        if (this.#signal.aborted) return;
        this.#take(name, JSON.parse(data));
        this.#lastId = parser.lastId;
      }
      this.#retry = parser.retry ?? this.#retry;
    }
  }
}

/** Ends a connection that is silent for too long, or whose page is hidden for long. */
class Watch {
  #silence;
  #hidden;
  #end;
  #ending = new AbortController();

  constructor(end) {
    this.#end = end;
    document.addEventListener("visibilitychange", () => this.#see(), { signal: this.#ending.signal });
    this.heard();
    this.#see();
  }

  heard() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(this.#end, times.silence);
  }

  end() {
    this.#ending.abort();
    clearTimeout(this.#silence);
    clearTimeout(this.#hidden);
  }

  #see() {
    clearTimeout(this.#hidden);
    if (document.visibilityState === "hidden") this.#hidden = setTimeout(this.#end, times.hidden);
  }
}

/** Resolve once the page is visible, or `signal` has aborted. */
function visible(signal) {
  return new Promise((resolve) => {
    const check = () => {
      if (document.visibilityState === "hidden" && !signal.aborted) return;
      document.removeEventListener("visibilitychange", check);
      signal.removeEventListener("abort", check);
      resolve();
    };
    document.addEventListener("visibilitychange", check);
    signal.addEventListener("abort", check);
    check();
  });
}
