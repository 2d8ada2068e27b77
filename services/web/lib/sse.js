/** Server-Sent Events, as the HTML standard reads them. The browser's EventSource sends no header of ours, and does not
 *  report the status with which a stream was refused. */

export class EventParser {
  /** The pause before the next connection, in milliseconds, or null if the server has named none. */
  retry = null;
  /** The id of the last event, or null before the first one with an id. */
  lastId = null;
  #rest = "";
  #id = null;
  #name = "";
  #data = [];

  /** Go on behind the event with that id. */
  constructor(lastId = null) {
    this.lastId = this.#id = lastId;
  }

  /** Take the next piece of the text, and return the events that it completes: `{name, data}`. */
  *take(text) {
    const all = this.#rest + text;
    const lines = all.replace(/\r$/, "").split(/\r\n|\n|\r/); // a last \r may be half of a \r\n
    this.#rest = lines.pop() + (all.endsWith("\r") ? "\r" : "");
    for (const line of lines) {
      if (line !== "") this.#field(line);
      else yield* this.#event();
    }
  }

  *#event() {
    const [name, data] = [this.#name || "message", this.#data];
    [this.#name, this.#data] = ["", []];
    this.lastId = this.#id;
    if (data.length) yield { name, data: data.join("\n") };
  }

  #field(line) {
    const [, name, value] = /^([^:]*)(?:: ?)?(.*)$/s.exec(line);
    if (name === "event") this.#name = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retry = Number(value);
  }
}
