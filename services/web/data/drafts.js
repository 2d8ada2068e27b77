/** Texts that were written and not sent, by the place where they were written, so that none is lost with its page. */

const ITEM = "cheeper.draft.";

export const drafts = {
  /** Return the text of a place, "" if nothing was written there. */
  get: (place) => localStorage.getItem(ITEM + place) ?? "",

  /** Keep the text of a place; an empty one is forgotten. */
  set(place, text) {
    if (text === "") localStorage.removeItem(ITEM + place);
    else localStorage.setItem(ITEM + place, text);
  },
};
