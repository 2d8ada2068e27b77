/** When the views are to be read again: by a stream of the server where there is one, else each half minute while somebody
 *  looks at the page; and when they come back to it. `change` has `isPeriodic` in its detail. */

import * as api from "./api.js";
import { Stream } from "./stream.js";

const PERIOD = 30_000;

class Live extends EventTarget {
  /** Begin. */
  start() {
    const fresh = (isPeriodic) => document.visibilityState === "visible" && this.changed({ isPeriodic });
    setInterval(() => fresh(true), PERIOD);
    addEventListener("focus", () => fresh(false));
    addEventListener("online", () => fresh(false));
    document.addEventListener("visibilitychange", () => fresh(false));
  }

  /** Announce that there may be something new. */
  changed({ isPeriodic = false } = {}) {
    this.dispatchEvent(new CustomEvent("change", { detail: { isPeriodic } }));
  }

  /** Open the stream of an author's timeline until `signal`: `take(name, data)` gets each event. */
  timeline(authorId, take, signal) {
    return new Stream((lastId, ended) => api.timelineStream(authorId, lastId, ended), take, signal);
  }
}

export const live = new Live();
