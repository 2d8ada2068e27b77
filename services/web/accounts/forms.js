/** The forms of accounts: to sign in, to set a password by a code, and to replace one. */

import { h } from "../lib/dom.js";
import { field, form } from "../lib/forms.js";
import * as accounts from "./requests.js";
import { tokens } from "./tokens.js";

const LENGTHS = "8 to 128 characters";

function address(use, value) {
  const options = { id: `${use}-email`, type: "email", autocomplete: "username", required: true, value };
  return field("E-mail address", { name: "email", ...options });
}

function secret(use, label, name, hint = "") {
  const autocomplete = name === "password" ? "current-password" : "new-password";
  const options = { id: `${use}-${name}`, type: "password", dir: "ltr", autocomplete, required: true, hint };
  return field(label, { name, ...options });
}

/** Return the address of a form that has no field for it, as managers of passwords look for it. */
function account(email) {
  return h("input", { type: "email", name: "email", autocomplete: "username", value: email, hidden: true });
}

/** Return the form with which an account is signed in. */
export function signInForm(email = "") {
  const fields = [address("sign-in", email), secret("sign-in", "Password", "password")];
  return form("Sign in", fields, "Sign in", async (values) =>
    tokens.begin(values.email, await accounts.signIn(values.email, values.password)),
  );
}

/** Return what makes an account, or sets the password of one: a form for the address, and then one for its code. */
export function accountForms() {
  const place = h("div");
  const begin = (email) => {
    const send = async (values) => {
      await accounts.sendCode(values.email);
      next(values.email);
    };
    place.replaceChildren(form("Create an account", [address("account", email)], "Send me a code", send));
  };
  const next = (email) => {
    const options = { dir: "ltr", autocomplete: "one-time-code", spellcheck: false, required: true };
    const password = secret("account", "New password", "new_password", LENGTHS);
    const fields = [account(email), field("Code", { name: "code", ...options }), password];
    place.replaceChildren(
      h(
        "p",
        { class: "hint", role: "status" },
        "A code is on its way to ",
        h("bdi", {}, email),
        ", good for 30 minutes. On a machine without mail it is a file, in the folder that make up has printed.",
      ),
      form("Set a password", fields, "Set the password", async (values) =>
        tokens.begin(email, await accounts.setPassword(email, values.code, values.new_password)),
      ),
      h("button", { type: "button", class: "quiet", onclick: () => begin(email) }, "Use another address"),
    );
    place.querySelector("[name=code]").focus();
  };
  begin("");
  return place;
}

/** Return the form that replaces the password of an account that is signed in. */
export function passwordForm({ email }) {
  const fields = [
    account(email),
    secret("change", "Password now", "password"),
    secret("change", "New password", "new_password", `${LENGTHS}. You are signed out everywhere else.`),
  ];
  const element = form("Password", fields, "Change", async ({ password, new_password }) => {
    tokens.renew(await accounts.changePassword(email, password, new_password));
    element.reset();
    return "Changed.";
  });
  return element;
}
