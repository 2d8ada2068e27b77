/** Requests of JSON and their failures. It knows the form of every response, and no path: those are api.js's. */

const SECONDS = 20;

/** The server refused a request: `message` is its sentence for people, `code` is stable, `fields` are the wrong ones. */
export class ApiError extends Error {
  constructor(status, data, retryAfter) {
    super(data?.message ?? `The server responded with status ${status}`);
    this.status = status;
    this.code = data?.code ?? "";
    this.fields = data?.fields ?? [];
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later, without any change. */
  get isTemporary() {
    return this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

/** There was no response: the network, or the whole server, is unavailable. */
export class NoResponseError extends Error {
  constructor() {
    super("Cheeper cannot be reached at the moment");
    this.isTemporary = true;
    this.retryAfter = 0;
  }
}

/** Send a request, and return the response's `{data, meta}`. Throw ApiError or NoResponseError. */
export async function request(method, path, { body, key, headers = {} } = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  if (key !== undefined) sent["Idempotency-Key"] = key;
  const options = {
    method,
    headers: sent,
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(SECONDS * 1000),
  };
  const [response, content] = await responded(path, options);
  if (!response.ok) throw new ApiError(response.status, content?.data, retryAfter(response));
  if (content === null) throw new NoResponseError(); // a proxy on the way has responded, or the response broke off
  return content;
}

/** Open a stream of events, which ends with `signal` at the latest, and return its texts. Throw ApiError or NoResponseError. */
export async function opened(path, { headers = {}, signal }) {
  const options = { headers: { Accept: "text/event-stream", ...headers }, cache: "no-store", signal };
  const response = await fetch(path, options).catch(() => null);
  if (response === null) throw new NoResponseError();
  if (!response.ok) {
    const content = await response.json().catch(() => null);
    throw new ApiError(response.status, content?.data, retryAfter(response));
  }
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) throw new NoResponseError();
  return response.body.pipeThrough(new TextDecoderStream());
}

async function responded(path, options) {
  try {
    const response = await fetch(path, options);
    return [response, await response.json().catch(() => null)];
  } catch {
    throw new NoResponseError();
  }
}

function retryAfter(response) {
  const seconds = Number(response.headers.get("Retry-After"));
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 60) : 1;
}

/** Resolve after so many seconds, or as soon as the browser is online again. */
export function pause(seconds) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    addEventListener("online", done);
  });
}
