/** The home timeline: a composer, the cheeps of the followed authors and the own ones. */

import * as api from "../data/api.js";
import { live } from "../data/live.js";
import { queue } from "../data/queue.js";
import { session } from "../data/session.js";
import { composer } from "../elements/cheep-composer.js";
import { cheepList } from "../elements/cheep-list.js";
import { newId } from "../lib/ids.js";
import { applied } from "../lib/timeline.js";

/** The commands after which the timeline has other authors. */
const CHANGING = ["Follow", "Unfollow", "Mute", "Unmute", "Block"];

export const title = () => "Home";

/** Return the elements of the view. */
export function show({ signal }) {
  const { author_id, username } = session.author;
  const timeline = cheepList({
    label: "Timeline",
    load: (cursor) => api.home(author_id, cursor),
    belongs: (cheep) => cheep.author_id === author_id,
    direct: true,
    stream: (list, signal) => live.timeline(author_id, follower(list), signal),
    empty: "Your timeline is quiet. Search for authors and follow them, or write the first cheep.",
  });
  const changed = ({ detail }) => CHANGING.includes(detail.entry.kind) && timeline.reload();
  queue.addEventListener("visible", changed, { signal });
  return [
    composer({
      place: "new",
      label: "Your cheep",
      placeholder: "What is going on?",
      button: "Cheep",
      send: (message) => queue.add("PostCheep", { author_id, username, cheep_id: newId(), message }),
    }),
    timeline,
  ];
}

/** Return what takes the events of the timeline's stream. */
function follower(list) {
  let anew = false; // an author who is followed now may have cheeps of any age
  return (name, data) => {
    if (name === "followed") anew = true;
    else if (name === "refresh") {
      list.refresh({ anew });
      anew = false;
    } else list.follow((cheeps) => applied(cheeps, name, data));
  };
}
