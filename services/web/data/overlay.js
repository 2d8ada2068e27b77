/** What the lists show of commands that are not visible in the views yet: pure functions over lists and entries. */

const POSTS = ["PostCheep", "AnswerCheep"];
const WISHES = { Follow: true, Unfollow: false, Block: false }; // whether the caller follows
/** Check that a command is not visible in the views yet, and not refused. */
export const onItsWay = (entry) => entry.state === "waiting" || entry.state === "accepted";

/** Return cheeps as they will be: with what is posted at the front (`belongs` decides which), edited, and without what is
 *  deleted. What is not visible yet has `pending`: waiting or accepted. */
export function overlaid(cheeps, entries, belongs, { oldestFirst = false } = {}) {
  const open = entries.filter(onItsWay);
  const known = new Set(cheeps.map((each) => each.cheep_id));
  const posted = open
    .filter((each) => POSTS.includes(each.kind) && !known.has(each.about.cheep_id))
    .map(asCheep)
    .filter(belongs);
  const all = oldestFirst ? [...cheeps, ...posted] : [...posted.reverse(), ...cheeps];
  return all.map((each) => changed(each, open)).filter((each) => each !== null);
}

/** Return a cheep as it will be, or null if it is being deleted. */
export function changed(cheep, entries) {
  const about = entries.filter((each) => onItsWay(each) && each.about.cheep_id === cheep.cheep_id);
  if (about.some((each) => each.kind === "DeleteCheep")) return null;
  const edit = about.findLast((each) => each.kind === "UpdateCheep");
  return edit ? { ...cheep, cheep_message: edit.about.message, edited_at: edit.at, pending: edit.state } : cheep;
}

/** Return the cheep that a command will make. */
export function asCheep(entry) {
  const { cheep_id, author_id, username, message, in_reply_to } = entry.about;
  return {
    cheep_id,
    author_id,
    author_username: username,
    cheep_message: message,
    cheep_date: entry.at,
    in_reply_to: in_reply_to ?? null,
    edited_at: null,
    pending: entry.state,
  };
}

/** Return a profile as it will be. `followed` is whether the caller follows it, in the views and then in what it sent. */
export function overlaidProfile(author, followed, entries, callerId) {
  let shown = { ...author, followed };
  for (const { kind, about, state } of entries.filter(onItsWay)) {
    const wish = WISHES[kind] ?? null;
    if (wish !== null && about.to === author.author_id && about.author_id === callerId && wish !== shown.followed)
      shown = { ...shown, followed: wish, followers: shown.followers + (wish ? 1 : -1), pending: state };
    if (kind === "UpdateProfile" && about.author_id === author.author_id)
      shown = { ...shown, ...about.changes, pending: state };
  }
  return shown;
}
