/** Sign-in by an external provider: the browser leaves the page for the provider's, and comes back with a code.
 *
 *  The secret of an attempt is in this tab alone (sessionStorage), and in no URL, so a code that comes back is of use to the
 *  tab that left, and to nobody who made this page open with a code of their own. */

import { h } from "../lib/dom.js";
import { sentence } from "../lib/loading.js";
import * as accounts from "./requests.js";
import { tokens } from "./tokens.js";

const ITEM = "cheeper.attempt";
const FAILED = "The sign-in was not completed. Try again.";
let failure = "";

/** Return what signs in by each of these providers `{name, title}`, and reports why the last sign-in failed. */
export function providerButtons(providers) {
  if (providers.length === 0) return [];
  const report = h("p", { class: "error", role: "alert" }, failure);
  failure = "";
  const begin = async ({ name }) => {
    report.textContent = "";
    try {
      const { url, secret, state } = await accounts.beginExternal(name);
      sessionStorage.setItem(ITEM, JSON.stringify({ secret, state, hash: location.hash }));
      location.assign(url);
    } catch (error) {
      report.textContent = sentence(error);
    }
  };
  const button = (provider) =>
    h("button", { type: "button", onclick: () => begin(provider) }, "Sign in with ", h("bdi", {}, provider.title));
  return [h("div", { class: "row providers" }, ...providers.map(button)), report];
}

/** Complete a sign-in if the browser comes back from a provider. Its parameters leave the address at once. */
export async function complete() {
  const given = new URLSearchParams(location.search);
  if (!given.has("state") || !(given.has("code") || given.has("error"))) return;
  const attempt = taken();
  history.replaceState(history.state, "", `${location.pathname}${attempt?.hash || "#/"}`);
  if (attempt?.state !== given.get("state")) return; // it is of another tab, or somebody else's
  failure = FAILED;
  if (!given.has("code")) return;
  try {
    const proof = { secret: attempt.secret, state: attempt.state, code: given.get("code") };
    if (given.has("iss")) proof.iss = given.get("iss");
    tokens.begin("", await accounts.completeExternal(proof));
    failure = "";
  } catch (error) {
    failure = sentence(error);
  }
}

function taken() {
  const stored = sessionStorage.getItem(ITEM);
  sessionStorage.removeItem(ITEM);
  return JSON.parse(stored);
}
