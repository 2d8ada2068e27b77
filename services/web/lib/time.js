/** Times as people read them. */

const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const DAY_OF_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const MONTH = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric" });

/** Return how long ago a time was: "now", "5 min", "3 h", "2 d", then the day. A time ahead of this clock is now. */
export function relative(iso, now = Date.now()) {
  const then = new Date(iso);
  const seconds = (now - then) / 1000;
  if (seconds < 45) return "now";
  if (seconds < 3570) return `${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 84600) return `${Math.round(seconds / 3600)} h`;
  if (seconds < 7 * 86400) return `${Math.round(seconds / 86400)} d`;
  return (then.getFullYear() === new Date(now).getFullYear() ? DAY : DAY_OF_YEAR).format(then);
}

/** Return the date and the time to the second, in this browser's time zone. */
export function exact(iso) {
  return EXACT.format(new Date(iso));
}

/** Return the month of a time: "March 2022". */
export function month(iso) {
  return MONTH.format(new Date(iso));
}

/** Return a day such as "14 March 2022" of its ISO form. A day has no time zone. */
export function day(iso) {
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(new Date(iso));
}

/** Keep every `<time class="since">` of the page up to date. */
export function keepTimes() {
  setInterval(() => {
    for (const element of document.querySelectorAll("time.since")) {
      const text = relative(element.dateTime);
      if (element.textContent !== text) element.textContent = text;
    }
  }, 20_000);
}
