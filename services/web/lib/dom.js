/** The making of elements: text becomes a text node, always, and nothing here makes markup of a string. */

const SVG = "http://www.w3.org/2000/svg";

/** Return a new element. A property in `on…` is a listener, one that the element has is set, any other is an attribute;
 *  `class` and `data-…` are attributes, and a value of null or false leaves the attribute out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.startsWith("aria") && name !== "list") element[name] = value;
    else if (value !== null && value !== false && value !== undefined)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Return a text of a person in an element of its own, so that its direction changes nothing beside it. */
export function userText(text, properties = {}) {
  return h("bdi", { dir: "auto", ...properties }, text);
}

const PATHS = {
  home: "M4 11.5 12 4.5l8 7V20h-5.5v-5h-5v5H4z",
  search: "M10.8 4.5a6.3 6.3 0 1 1 0 12.6 6.3 6.3 0 0 1 0-12.6zM15.5 15.5 20 20",
  bell: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4",
  person: "M12 4.5a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 0 1 0-7.6zM4.8 20c.8-3.8 3.6-5.6 7.2-5.6s6.4 1.8 7.2 5.6",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M13 7a2 2 0 1 0 4 0 2 2 0 0 0-4 0zM7 17a2 2 0 1 0 4 0 2 2 0 0 0-4 0z",
  answer: "M5 5.5h14v10.5h-8l-4 3.5v-3.5H5z",
  edit: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  trash: "M5 7h14M9.5 7V4.5h5V7M7 7l.8 12.5h8.4L17 7M10.3 10.5v5.5M13.7 10.5v5.5",
  back: "M11 5l-7 7 7 7M4.5 12H20",
  clock: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM12 8v4.5l3 2",
  place: "M12 21c-4-4.5-6-7.7-6-10.5a6 6 0 0 1 12 0C18 13.3 16 16.5 12 21zM12 8.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  link: "M10 14l4-4M9 11l-2.5 2.5a3 3 0 0 0 4.2 4.2L13 15.5M15 13l2.5-2.5a3 3 0 0 0-4.2-4.2L11 8.5",
  calendar: "M5 6.5h14V20H5zM5 10.5h14M9 4v4M15 4v4",
  more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  warning: "M12 4.5 21 20H3zM12 10.5v4.5M12 17.2v.3",
};

/** Return a line icon of that name, hidden from screen readers: the text beside it says what it means. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of [
    ["viewBox", "0 0 24 24"],
    ["class", "icon"],
    ["aria-hidden", "true"],
  ])
    svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Return the picture of an author: the first letter, on one of eight colours that the id chooses. */
export function avatar(author, size = "") {
  const name = author.username ?? "?";
  const colour = [...(author.author_id ?? name)].reduce((sum, each) => (sum * 31 + each.codePointAt(0)) % 8191, 7) % 8;
  return h(
    "span",
    { class: `avatar colour-${colour} ${size}`.trim(), "aria-hidden": "true" },
    name.slice(0, 1).toUpperCase(),
  );
}
