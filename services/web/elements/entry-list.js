/** `<entry-list>`: a list that loads further entries as the user scrolls, by cursor, and learns of new ones. */

import { h } from "../lib/dom.js";
import { Entries } from "../lib/entries.js";
import { failure, skeletons } from "../lib/loading.js";

const AHEAD = "800px 0px"; // the next page is loaded before its place comes into view
const NEAR_TOP = 80; // pixels

export class EntryList extends HTMLElement {
  #options;
  #entries;
  #elements = new Map();
  #loading = false;
  #refreshing = false;
  #again = null; // the options of a refresh that was wanted during another load
  #observer = null;
  #ending = null;

  /** `load(cursor)` resolves to {items, next}, `key(item)` names an item, `create()` returns an element with an `item`.
   *  Optional: `overlaid(items)` returns what is shown of the items, `events(list, signal)` subscribes to what changes
   *  them, `empty` is the sentence without entries, `news(count)` the one of new entries. `direct` lists show new entries at
   *  once, unless somebody reads on further down; others announce them. */
  set options(options) {
    this.#options = {
      overlaid: (items) => items,
      events: () => {},
      empty: "Nothing here yet.",
      news: (count) => `Show ${count} new`,
      direct: false,
      ...options,
    };
    this.#entries = new Entries(this.#options.key);
  }

  connectedCallback() {
    if (!this.#ending) this.#build();
    this.#ending = new AbortController();
    this.#observer = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && this.more(), {
      rootMargin: AHEAD,
    });
    this.#observer.observe(this.end);
    this.#options.events(this, this.#ending.signal);
    if (this.#entries.next === undefined) this.more();
    else this.refresh();
  }

  disconnectedCallback() {
    this.#ending.abort();
    this.#observer.disconnect();
  }

  /** Whether the list may lack what is new, since it could not be loaded again. */
  isStale = false;

  /** Load the next page, if there is one. */
  async more() {
    if (this.#loading || this.#entries.next === null) return;
    this.#loading = true;
    this.entries.setAttribute("aria-busy", "true");
    this.end.replaceChildren();
    this.loading.replaceChildren(...skeletons(this.#entries.next === undefined ? 6 : 2));
    try {
      await this.#entries.more(this.#options.load);
      this.render();
      this.#showEnd();
    } catch (error) {
      this.end.replaceChildren(failure(error, error.isTemporary && (() => this.more())));
    } finally {
      this.loading.replaceChildren();
      this.#loading = false;
      this.entries.removeAttribute("aria-busy");
    }
    this.#catchUp();
  }

  /** Load the first page again: what is known is brought up to date, what is new is shown where it moves nothing. With
   *  `anew`, pages further down may have changed too. */
  async refresh({ anew = false } = {}) {
    if (this.#loading || this.#refreshing) {
      this.#again = { anew: anew || this.#again?.anew };
      return;
    }
    if (this.#entries.next === undefined) return;
    this.#refreshing = true;
    const before = this.#entries.next;
    try {
      const options = { withholds: () => this.#withholds(), expected: this.#expected(), anew };
      await this.#entries.refresh(this.#options.load, options);
      this.isStale = false;
      this.render();
      if (!this.#loading && this.#entries.next !== before) this.#showEnd();
    } catch {
      this.isStale = true; // what is shown is still true of its time
    } finally {
      this.#refreshing = false;
    }
    this.#catchUp();
  }

  /** Load the first page again in place of all that is shown. */
  async reload() {
    try {
      await this.#entries.reload(this.#options.load);
      this.render();
      this.#showEnd();
    } catch {
      this.isStale = true; // what is shown stays until the next occasion
    }
  }

  /** Change the items that were loaded, for what was done here: `change` returns the new ones. */
  patch(change) {
    this.#entries.change(change);
    this.render();
  }

  /** Change the items for what others did: what is new is shown where it moves nothing. */
  follow(change) {
    this.#entries.change(change, () => this.#withholds(), this.#expected());
    this.render();
  }

  #catchUp() {
    const again = this.#again;
    this.#again = null;
    if (again && this.isConnected) this.refresh(again);
  }

  /** Return whether a new entry would move what somebody reads. */
  #withholds() {
    const isRead = scrollY > NEAR_TOP || this.entries.querySelector(":focus-visible") !== null;
    return !this.#options.direct || isRead;
  }

  /** Return the names of the entries that are shown although they were not loaded. */
  #expected() {
    return new Set(this.#options.overlaid([]).map(this.#options.key));
  }

  /** Bring the elements up to date with the items. An element stays what it is as long as its item is in the list. */
  render() {
    const { key, create, overlaid, empty, news } = this.#options;
    const shown = overlaid(this.#entries.shown);
    const elements = new Map();
    for (const item of shown) {
      const element = this.#elements.get(key(item)) ?? h("li", {}, create());
      const text = JSON.stringify(item);
      if (element.shown !== text) element.firstChild.item = item;
      element.shown = text;
      elements.set(key(item), element);
    }
    for (const [name, element] of this.#elements) if (!elements.has(name)) element.remove();
    [...elements.values()].forEach((element, index) => {
      if (this.entries.children[index] !== element)
        this.entries.insertBefore(element, this.entries.children[index] ?? null);
    });
    this.#elements = elements;
    this.entries.hidden = shown.length === 0;
    this.nothing.replaceChildren(
      ...(shown.length || this.#entries.next === undefined ? [] : [h("p", { class: "empty" }, empty)]),
    );
    const waiting = this.#entries.waiting;
    this.news.hidden = waiting === 0;
    this.news.textContent = waiting ? news(waiting) : "";
  }

  #showEnd() {
    this.end.replaceChildren();
    if (this.#entries.next === null) return;
    this.end.append(h("button", { type: "button", class: "quiet more", onclick: () => this.more() }, "Show more"));
    this.#observer.unobserve(this.end); // it reports changes alone, and the new end may be in view from the start
    this.#observer.observe(this.end);
  }

  #build() {
    const toTop = () => {
      this.#entries.showAll();
      this.render();
      this.#showEnd();
      if (scrollY > NEAR_TOP) scrollTo({ top: 0 });
      this.entries.querySelector('a:not([tabindex="-1"])')?.focus({ preventScroll: true });
    };
    this.news = h("button", { type: "button", class: "news", hidden: true, onclick: toTop });
    this.entries = h("ol", { class: "entries", hidden: true, "aria-label": this.#options.label });
    this.nothing = h("div");
    this.loading = h("div"); // apart from the end, which would be seen to move to behind what was loaded
    this.end = h("div", { class: "end" });
    const announced = h("div", { class: "announced", role: "status" }, this.news);
    this.append(announced, this.entries, this.nothing, this.loading, this.end);
    this.render();
  }
}

customElements.define("entry-list", EntryList);

/** Return a list with these options. */
export function entryList(options) {
  const list = document.createElement("entry-list");
  list.options = options;
  return list;
}
