/** The first page: sign up as a new author, or go on as one who exists; with accounts, sign in. */

import { providerButtons } from "../accounts/external.js";
import { accountForms, signInForm } from "../accounts/forms.js";
import * as accounts from "../accounts/requests.js";
import * as api from "../data/api.js";
import { queue } from "../data/queue.js";
import { session } from "../data/session.js";
import { field, form } from "../lib/forms.js";
import { h } from "../lib/dom.js";
import { newId } from "../lib/ids.js";
import { loadInto } from "../lib/loading.js";

export const title = () => "Welcome to Cheeper";

const LEAD = "Short notes from people you choose to follow.";
let providers; // undefined while unknown, null without accounts

/** Return the elements of the view: those of sign-in, if this Cheeper has accounts. */
export function show() {
  const place = h("div");
  const placeholder = [h("div", { class: "skeleton tall", "aria-hidden": "true" })];
  if (session.account) loadInto(place, () => authorOfAccount(session.account), newAuthor, { placeholder });
  else if (providers !== undefined) place.append(...start());
  else loadInto(place, probe, start, { placeholder });
  return [h("p", { class: "lead" }, LEAD), place];
}

async function probe() {
  providers = await accounts.providers();
}

function start() {
  if (providers === null)
    return [
      panel("Create an author", authorForm([username(), email()], signUp)),
      panel(
        "Continue as an author",
        h("p", { class: "hint" }, "This Cheeper runs without sign-in: everybody may act as every author."),
        form(
          "Continue as an author",
          [field("Username of an author", { name: "who", autocapitalize: "none", spellcheck: false, required: true })],
          "Continue",
          goOn,
        ),
      ),
    ];
  const hint = "Or set a new password, if you have forgotten yours: both begin with a code by mail.";
  return [
    panel("Sign in", signInForm(), ...providerButtons(providers)),
    panel("Create an account", h("p", { class: "hint" }, hint), accountForms()),
  ];
}

/** Act as the author of an account if there is one. It has the account's id. */
async function authorOfAccount({ id }) {
  const author = await api.author(id).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
  if (author !== null && session.account?.id === id) session.begin(author); // else it was signed out meanwhile
}

function newAuthor() {
  if (session.id !== null || session.account === null) return []; // the next view is there
  const { id, email: known } = session.account;
  const who = known ? ["You are signed in as ", h("bdi", {}, known), "."] : ["You are signed in."];
  return [
    panel(
      "Choose a username",
      h("p", { class: "hint" }, ...who, " One step is left."),
      authorForm(known ? [username()] : [username(), email()], (values) => signUp({ email: known, ...values }, id)),
      h("button", { type: "button", class: "quiet", onclick: () => session.end() }, "Sign out"),
    ),
  ];
}

const panel = (title, ...children) => h("section", { class: "panel" }, h("h2", {}, title), ...children);
const authorForm = (fields, send) => form("Create an author", fields, "Sign up", send);

const username = () =>
  field("Username", {
    name: "username",
    autocomplete: "username",
    maxLength: 30,
    autocapitalize: "none",
    spellcheck: false,
    required: true,
    hint: "1 to 30 letters, digits and _",
  });

const email = () =>
  field("E-mail address", {
    name: "email",
    type: "email",
    autocomplete: "email",
    required: true,
    hint: "Never shown to others",
  });

async function signUp({ username, email }, author_id = newId()) {
  await queue.submit("SignUp", { author_id, username, email });
  session.begin({ author_id, username });
}

async function goOn({ who }) {
  try {
    session.begin(await api.authorOf(who.replace(/^@/, "")));
  } catch (error) {
    if (error.status === 404)
      throw {
        message: "There is no author of this username",
        fields: [{ field: "who", message: "There is no author of this username." }],
      };
    if (error.fields?.length) error.fields = error.fields.map((each) => ({ ...each, field: "who" }));
    throw error;
  }
}
