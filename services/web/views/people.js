/** The followers of an author, and the authors whom it follows. */

import * as api from "../data/api.js";
import { authorRow } from "../elements/author-row.js";
import { entryList } from "../elements/entry-list.js";
import { h } from "../lib/dom.js";
import { loadInto } from "../lib/loading.js";

export const title = ({ username, which }) => `${which === "followers" ? "Followers" : "Following"} · @${username}`;

/** Return the elements of the view. */
export function show({ username, which }) {
  const place = h("div");
  const tab = (name, label) =>
    h("a", { href: `#/@${username}/${name}`, ...(name === which && { "aria-current": "page" }) }, label);
  loadInto(
    place,
    () => api.authorOf(username),
    ({ author_id }) =>
      entryList({
        label: title({ username, which }),
        load: (cursor) => (which === "followers" ? api.followers : api.following)(author_id, cursor),
        key: (author) => author.author_id,
        create: authorRow,
        empty: which === "followers" ? "Nobody follows this author yet." : "This author follows nobody yet.",
      }),
  );
  return [
    h(
      "nav",
      { class: "tabs", "aria-label": "Lists of authors" },
      tab("followers", "Followers"),
      tab("following", "Following"),
    ),
    place,
  ];
}
