/** The entries of a list: loaded page by page, loaded anew from its beginning, and changed while that goes on.
 *
 *  What is new can be withheld until somebody wants to see it. A change that comes while a page is on its way is applied to
 *  that page too, since it may have been read before. */

const CHANGES = 500; // that are remembered for later pages of the same chain of cursors

export class Entries {
  /** The cursor of the next page: undefined before the first one is loaded, null behind the last one. */
  next;
  #key;
  #all = [];
  #withheld = new Set();
  #replacement = null; // what is shown in place of all entries, once what is new is shown
  #history = [];
  #loads = new Set();

  /** `key` returns the name of an entry. */
  constructor(key) {
    this.#key = key;
  }

  /** The entries that are to be seen. */
  get shown() {
    return this.#all.filter((each) => !this.#withheld.has(this.#key(each)));
  }

  /** How many entries are withheld. */
  get waiting() {
    if (!this.#replacement) return this.#withheld.size;
    const shown = new Set(this.shown.map(this.#key));
    return this.#replacement.items.filter((each) => !shown.has(this.#key(each))).length;
  }

  /** Load the next page, and put it to the end. */
  async more(load) {
    const chain = this.#history;
    const { items, next, history } = await this.#load(load, this.next ?? null, this.next === undefined ? [] : chain);
    if (this.#history !== chain) return; // the list has begun anew meanwhile
    const known = this.#keys();
    this.#all = [...this.#all, ...items.filter((each) => !known.has(this.#key(each)))];
    [this.next, this.#history] = [next, history];
  }

  /** Load the first page in place of all entries. */
  async reload(load) {
    this.#replacement = await this.#load(load, null, []);
    this.showAll();
  }

  /** Load the first page again: what is known is brought up to date. What is new waits for `showAll` if `withholds()`;
   *  `expected` are the names of entries that are no news. With `anew` the pages behind the first one are not up to date. */
  async refresh(load, { withholds, expected = new Set(), anew = false }) {
    const page = await this.#load(load, null, []);
    const found = new Map(page.items.map((each) => [this.#key(each), each]));
    const reach = this.#all.findLastIndex((each) => found.has(this.#key(each)));
    const isWhole = page.next === null;
    const kept = this.#all.filter((each, index) => (index > reach && !isWhole) || found.has(this.#key(each)));
    const updated = kept.map((each) => found.get(this.#key(each)) ?? each);
    const hasMoved = anew && (!withholds() || this.#newIn(page.items).length > 0);
    if (this.#all.length && (reach < 0 || hasMoved)) {
      [this.#all, this.#replacement] = [updated, page];
      if (!updated.length || !withholds()) this.showAll();
      return;
    }
    this.#replacement = null;
    this.#take([...page.items, ...updated.filter((each) => !found.has(this.#key(each)))], withholds, expected);
    if (this.#all.length === page.items.length) [this.next, this.#history] = [page.next, page.history];
  }

  /** Change the entries, those that are still on their way too: `change` returns the new ones of given ones. What it adds
   *  waits for `showAll` if `withholds()`. */
  change(change, withholds = () => false, expected = new Set()) {
    const histories = [...this.#loads, this.#history, this.#replacement?.history].filter(Boolean);
    for (const history of new Set(histories)) {
      history.push(change);
      if (history.length > CHANGES) history.shift();
    }
    if (this.next === undefined) return;
    if (this.#replacement) this.#replacement.items = change(this.#replacement.items);
    this.#take(change(this.#all), withholds, expected);
  }

  /** Show what was withheld. */
  showAll() {
    if (this.#replacement) {
      const { items, next, history } = this.#replacement;
      [this.#all, this.next, this.#history, this.#replacement] = [items, next, history, null];
    }
    this.#withheld.clear();
  }

  async #load(load, cursor, history) {
    this.#loads.add(history);
    try {
      const { items, next } = await load(cursor);
      return { items: history.reduce((all, change) => change(all), items), next, history };
    } finally {
      this.#loads.delete(history);
    }
  }

  #take(items, withholds, expected) {
    const fresh = this.#newIn(items).filter((each) => !expected.has(this.#key(each)));
    const isEmpty = this.#all.length === 0;
    this.#all = items;
    if (fresh.length && (isEmpty || !withholds())) this.showAll();
    else for (const each of fresh) this.#withheld.add(this.#key(each));
    const known = this.#keys();
    this.#withheld = new Set([...this.#withheld].filter((each) => known.has(each)));
  }

  #newIn(items) {
    const known = this.#keys();
    return items.filter((each) => !known.has(this.#key(each)));
  }

  #keys() {
    return new Set(this.#all.map(this.#key));
  }
}
