/** The accounts and sessions of docs/api.md, which a Cheeper with AUTH=tokens has: the only module that knows their paths. */

import { request } from "../data/http.js";

/** Return the providers `{name, title}` by which one may sign in, or null if this Cheeper has no accounts of its own. Then
 *  everybody may act as every author, or tokens come from an issuer that this page does not know. */
export async function providers() {
  try {
    return (await request("GET", "/.well-known/openid-configuration")).sign_in_providers ?? [];
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** Return whether this Cheeper has accounts of its own. */
export const exist = async () => (await providers()) !== null;

/** Have a code mailed, with which a password can be set. */
export const sendCode = (email) => request("POST", "/account", { body: { email } });

/** Set the password of an account, which the first code makes, and return the tokens of a new session. */
export const setPassword = async (email, code, password) =>
  (await request("PUT", "/account/password", { body: { email, code, new_password: password } })).data.session;

/** Replace a password, and return the tokens of a new session; all others end. */
export const changePassword = async (email, password, new_password) =>
  (await request("PUT", "/account/password", { body: { email, password, new_password } })).data.session;

/** Return the tokens of a new session. */
export const signIn = async (email, password) =>
  (await request("POST", "/session", { body: { email, password } })).data;

/** Begin a sign-in by a provider, and return where the browser goes, and what completes it: `{url, secret, state}`. */
export const beginExternal = async (provider) =>
  (await request("POST", "/session/external", { body: { provider } })).data;

/** Return the tokens of a new session for `{secret, state, code, iss}`. They are good once. */
export const completeExternal = async (returned) =>
  (await request("PUT", "/session/external", { body: returned })).data;

/** Return the session's next tokens. A refresh token is good once; its repetition within 10 s gets the same ones. */
export const refreshed = async (refresh_token) => (await request("POST", "/session", { body: { refresh_token } })).data;

/** End a session. */
export const signOut = (refresh_token) => request("DELETE", "/session", { body: { refresh_token } });
