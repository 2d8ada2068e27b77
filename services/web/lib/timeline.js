/** The events of a timeline's stream, applied to a list of cheeps that is newest first: pure functions. */

/** Return the cheeps after an event. Each event may be applied twice. Those that need a read change nothing here. */
export function applied(cheeps, name, data) {
  if (name === "cheep") return placed(cheeps, data);
  if (name === "edited") return cheeps.map((each) => (each.cheep_id === data.cheep_id ? newer(each, data) : each));
  if (name === "deleted") return cheeps.filter((each) => each.cheep_id !== data.cheep_id);
  if (name === "unfollowed") return cheeps.filter((each) => each.author_id !== data.author_id);
  return cheeps;
}

/** Put a cheep directly below the one that `below` names, which may not be loaded yet, or else on top of what is as old. */
function placed(cheeps, { below, ...cheep }) {
  const others = cheeps.filter((each) => each.cheep_id !== cheep.cheep_id);
  const known = cheeps.find((each) => each.cheep_id === cheep.cheep_id);
  const above = below ? others.findIndex((each) => each.cheep_id === below) : -1;
  if (below && above < 0) return cheeps;
  const older = below ? above + 1 : others.findIndex((each) => each.cheep_date <= cheep.cheep_date);
  const at = older < 0 ? others.length : older;
  return [...others.slice(0, at), known ? newer(known, cheep) : cheep, ...others.slice(at)];
}

/** Return the later state of a cheep: a page that was read after an event may have an edit more than the event. */
function newer(known, cheep) {
  return (known.edited_at ?? "") > (cheep.edited_at ?? "") ? known : cheep;
}
