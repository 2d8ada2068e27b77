/** The HTTP API of docs/api.md, and the only module that knows its paths but those of accounts. What the API's responses lack
 *  ("do I follow?") comes from further requests, made here alone. */

import { opened, pause, request } from "./http.js";
import { session } from "./session.js";

const PAGE = 20;
const ATTEMPTS = 3;
const FOLLOWING_PAGES = 20; // of 100 authors: whoever follows more may see "Follow" where it has no effect

/** What each query waits for, and who learns whether it was in vain; queue.js and app.js set them. */
export const reads = { after: () => null, stale: () => {} };

const id = encodeURIComponent;

async function query(path, parameters = {}) {
  const after = reads.after();
  const given = Object.entries({ ...(after && { after, timeout: 2 }), ...parameters }).filter(
    ([, value]) => value != null,
  );
  const address = given.length ? `${path}?${new URLSearchParams(given)}` : path;
  const { data, meta } = await withPatience(() => authorised((headers) => request("GET", address, { headers })));
  if (after) reads.stale(meta.stale === true);
  return { data, meta };
}

/** Send a request with the caller's token, and once more with the next one if that was refused. */
async function authorised(send) {
  const headers = await session.headers();
  try {
    return await send(headers);
  } catch (error) {
    if (error.status !== 401) throw error;
    const next = await session.headers(headers);
    if (next.Authorization) return send(next);
    await session.refuse();
    throw error;
  }
}

async function withPatience(send) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send();
    } catch (error) {
      if (!error.isTemporary || attempt === ATTEMPTS) throw error;
      await pause(Math.min(error.retryAfter || attempt, 3));
    }
  }
}

// --- queries: a list resolves to {items, next}, next being the cursor of the page behind, or null -------------------

async function list(path, key, cursor, size = PAGE, more = {}) {
  const { data, meta } = await query(path, { size, cursor, ...more });
  return { items: data[key], next: meta.next_cursor ?? null };
}

async function found(path, parameters, page) {
  const { data, meta } = await query(path, { ...parameters, page: page ?? 1, page_size: PAGE });
  const next = data.page < data.total_pages ? data.page + 1 : null;
  return { items: data.items, next, total: data.total, capped: meta.total_is_capped === true };
}

export const trace = async (of) => (await query(`/inspector/trace/${id(of)}`)).data;
export const system = async () => (await query("/inspector/system")).data;
export const failed = async () => (await query("/inspector/failed")).data;
export const sides = async (authorId) => (await query(`/inspector/author/${id(authorId)}`)).data;
export const generations = async () => (await query("/operations/generations")).data.generations;
export const action = async (actionId) => (await query(`/operations/${id(actionId)}`)).data;
export const actions = (cursor) => list("/operations", "actions", cursor);
export const author = async (authorId) => (await query(`/author/${id(authorId)}`)).data;
export const authorOf = async (username) => (await query("/author", { username })).data;
export const cheep = async (cheepId) => (await query(`/cheep/${id(cheepId)}`)).data;
export const cheepsOf = (authorId, cursor) => list(`/author/${id(authorId)}/cheeps`, "cheeps", cursor);
export const answers = (cheepId, cursor) => list(`/cheep/${id(cheepId)}/answers`, "cheeps", cursor);
export const followers = (authorId, cursor) => list(`/author/${id(authorId)}/followers`, "authors", cursor);
export const following = (authorId, cursor, size) => list(`/author/${id(authorId)}/following`, "authors", cursor, size);
export const cheepsWith = (q, page) => found("/search", { q }, page);
export const authorsWith = (q, page) => found("/search/authors", { q }, page);

/** Return a timeline with the author's own cheeps in it, newest first. */
export const home = (authorId, cursor) => list(`/author/${id(authorId)}/timeline`, "cheeps", cursor, PAGE, { own: 1 });

/** Open the stream of a timeline with the own cheeps behind the event of that id, or from now on if it is null. Resolve to its texts. */
export function timelineStream(authorId, lastId, signal) {
  const position = lastId && { "Last-Event-ID": lastId };
  const path = `/author/${id(authorId)}/timeline/stream?own=1`;
  return authorised((headers) => opened(path, { headers: { ...headers, ...position }, signal }));
}

export const notifications = (authorId, cursor) => list(notificationsOf(authorId), "notifications", cursor);

/** Return how many of the newest notifications are unread. */
export const unread = async (authorId) => (await query(notificationsOf(authorId), { size: 1 })).meta.unread;

const notificationsOf = (authorId) => `/author/${id(authorId)}/notifications`;

// --- the authors whom the caller follows ----------------------------------------------------------------------------

let followed = { of: null, ids: new Set(), reader: null, complete: false };

/** Return whether the caller follows an author, as far as the first 2,000 whom it follows say. */
export async function isFollowed(authorId) {
  if (followed.of !== session.id)
    followed = { of: session.id, ids: new Set(), reader: pagesOfFollowing(session.id), complete: false };
  const mine = followed;
  while (!mine.ids.has(authorId) && !mine.complete) {
    mine.loading ??= mine.reader.next().finally(() => (mine.loading = null));
    const { value, done } = await mine.loading.catch(startAgain);
    for (const each of value ?? []) mine.ids.add(each.author_id);
    mine.complete = done;
  }
  return mine.ids.has(authorId);
}

/** Note that the caller follows an author now, or no longer. */
export function noteFollowed(authorId, isSo) {
  if (isSo) followed.ids.add(authorId);
  else followed.ids.delete(authorId);
}

/** Load the followed authors anew when they are needed next. */
export function forgetFollowed() {
  followed = { of: null, ids: new Set() };
}

function startAgain(error) {
  forgetFollowed();
  throw error;
}

async function* pagesOfFollowing(authorId) {
  let cursor = null;
  for (let page = 0; page < FOLLOWING_PAGES; page += 1) {
    const { items, next } = await following(authorId, cursor, 100).catch(emptyIfUnknown);
    yield items;
    if (next === null) return;
    cursor = next;
  }
}

function emptyIfUnknown(error) {
  if (error.code === "author_not_found") return { items: [], next: null };
  throw error;
}

// --- commands: each makes a request that can be stored and sent later, by `send` ------------------------------------

export const commands = {
  SignUp: ({ author_id, username, email }) => ["POST", "/author", { author_id, username, email }],
  UpdateProfile: ({ author_id, changes }) => ["PATCH", `/author/${id(author_id)}`, changes],
  ChangeEmail: ({ author_id, email }) => ["PUT", `/author/${id(author_id)}/email`, { email }],
  Follow: ({ author_id, to }) => ["POST", "/follow", { from_author_id: author_id, to_author_id: to }],
  Unfollow: ({ author_id, to }) => ["DELETE", `/author/${id(author_id)}/following/${id(to)}`],
  MarkNotificationsRead: ({ author_id, notification_id }) => [
    "PUT",
    `/author/${id(author_id)}/notifications/read`,
    { notification_id },
  ],
  Mute: ({ author_id, to }) => ["PUT", `/author/${id(author_id)}/muted/${id(to)}`],
  Unmute: ({ author_id, to }) => ["DELETE", `/author/${id(author_id)}/muted/${id(to)}`],
  Block: ({ author_id, to }) => ["PUT", `/author/${id(author_id)}/blocked/${id(to)}`],
  Unblock: ({ author_id, to }) => ["DELETE", `/author/${id(author_id)}/blocked/${id(to)}`],
  PostCheep: ({ author_id, cheep_id, message }) => ["POST", "/cheep", { cheep_id, author_id, message }],
  UpdateCheep: ({ author_id, cheep_id, message }) => ["PATCH", `/cheep/${id(cheep_id)}`, { author_id, message }],
  DeleteCheep: ({ author_id, cheep_id }) => ["DELETE", `/cheep/${id(cheep_id)}?author_id=${id(author_id)}`],
  AnswerCheep: ({ author_id, cheep_id, message, in_reply_to }) => [
    "POST",
    `/cheep/${id(in_reply_to)}/answer`,
    { cheep_id, author_id, message },
  ],
};

/** Send a command once, with its key. A repeat with the same key has no second effect. */
export function send({ kind, about, key }) {
  const [method, path, body] = commands[kind](about);
  return authorised((headers) => request(method, path, { body, key, headers }));
}

/** Do what an operator requests, with its key, and return its entry in the trail. A repeat with the same key acts once. */
export const act = (action, key) => operate("/operations", action, key);

/** Return the failed messages with what people wrote in them, which is in the trail with the reason. */
export const revealed = (reason, key) => operate("/operations/failed", { reason }, key);

const operate = async (path, body, key) =>
  (await withPatience(() => authorised((headers) => request("POST", path, { body, key, headers })))).data;

/** Return the status of a command once it is visible everywhere, or the one that it has after some seconds. */
export async function outcome(key) {
  const path = `/command/${id(key)}?after=${id(key)}&timeout=8`;
  return (await authorised((headers) => request("GET", path, { headers }))).data;
}

/** Return what a command has made or changed, as everybody sees it now, or null if that is gone. */
export async function result({ kind, about }) {
  const isCheep = ["PostCheep", "UpdateCheep", "AnswerCheep"].includes(kind);
  try {
    if (isCheep) return await cheep(about.cheep_id);
    return kind === "DeleteCheep" ? null : await author(about.to ?? about.author_id);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}
