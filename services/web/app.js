/** The page: chooses the view of the address, and starts what runs behind all views. */

import { complete } from "./accounts/external.js";
import "./accounts/sign-in-again.js";
import { live } from "./data/live.js";
import { queue } from "./data/queue.js";
import { session } from "./data/session.js";
import { theme } from "./data/theme.js";
import { unread } from "./data/unread.js";
import "./elements/command-journey.js";
import "./elements/refused-list.js";
import "./elements/side-nav.js";
import "./elements/status-line.js";
import { h } from "./lib/dom.js";
import { keepTimes } from "./lib/time.js";
import * as home from "./views/home.js";
import * as inspect from "./views/inspect.js";
import * as notifications from "./views/notifications.js";
import * as people from "./views/people.js";
import * as profile from "./views/profile.js";
import * as search from "./views/search.js";
import * as settings from "./views/settings.js";
import * as thread from "./views/thread.js";
import * as welcome from "./views/welcome.js";

const view = document.getElementById("view");
const heading = document.getElementById("heading");
let ending = new AbortController();

/** Return the view of an address, and what it is about. Views of the caller are the welcome page without one. */
export function routed(hash, hasCaller) {
  const [path, query = ""] = hash.replace(/^#/, "").split("?");
  const parameters = new URLSearchParams(query);
  const author = /^\/@([A-Za-z0-9_]+)(?:\/(followers|following))?$/.exec(path);
  const cheep = /^\/cheep\/([0-9a-fA-F-]{36})$/.exec(path);
  if (author)
    return author[2] ? [people, { username: author[1], which: author[2] }] : [profile, { username: author[1] }];
  if (cheep) return [thread, { cheepId: cheep[1], answer: parameters.has("answer") }];
  if (path === "/search")
    return [
      search,
      { query: parameters.get("q") ?? "", what: parameters.get("what") === "authors" ? "authors" : "cheeps" },
    ];
  if (path === "/inspect") return [inspect, { view: "trace", of: parameters.get("of") ?? "" }];
  if (path === "/inspect/author") return [inspect, { view: "author", id: parameters.get("id") ?? "" }];
  const operated = /^\/inspect\/(system|failed|generations|audit|operations)$/.exec(path);
  if (operated) return [inspect, { view: operated[1] }];
  if (!hasCaller) return [welcome, {}];
  return [{ "/notifications": notifications, "/settings": settings }[path] ?? home, {}];
}

function show() {
  ending.abort();
  ending = new AbortController();
  const [module, about] = routed(location.hash, session.id !== null);
  const title = module.title(about);
  document.title = title.includes("Cheeper") ? title : `${title} · Cheeper`;
  heading.replaceChildren(h("bdi", {}, title));
  document.getElementById("back").hidden = module === home || module === welcome;
  view.replaceChildren(...module.show({ ...about, signal: ending.signal }));
}

function moved() {
  show();
  scrollTo({ top: 0 });
  if (!view.contains(document.activeElement)) heading.focus({ preventScroll: true });
}

function start() {
  theme.apply();
  addEventListener("hashchange", moved);
  session.addEventListener("change", () => {
    if (location.hash === "#/settings" || location.hash === "") location.hash = "#/";
    show();
  });
  // As a link to a fragment it would be an address without a view, and lead home.
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    heading.focus();
  });
  document
    .getElementById("back")
    .addEventListener("click", () => (history.length > 1 ? history.back() : (location.hash = "#/")));
  queue.start();
  live.start();
  unread.start();
  keepTimes();
  show();
}

complete().then(start);
