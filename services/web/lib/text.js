/** Rules of texts, as the server applies them: how long a message is, and which of its words a search has found. */

export const MESSAGE_LENGTH = 260;

const EDGES =
  /^[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g;
const UNSEEN = /[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\u2800]/gu;

/** Return a text without the white space around it. */
export function trimmed(text) {
  return text.replace(EDGES, "");
}

/** Return the code points of a text, as the server counts them: in NFC, trimmed, with each directional control closed. */
export function length(text) {
  return [...closed(trimmed(text).normalize("NFC"))].length;
}

/** Check that a text shows something. */
export function isVisible(text) {
  return text.replace(UNSEEN, "") !== "";
}

/** Return a text in which each paragraph closes the directional controls that it opens, and no others. */
export function closed(text) {
  return text
    .split(/([\n\x1c-\x1e\x85\u2029])/)
    .map(closedParagraph)
    .join("");
}

function closedParagraph(text) {
  const open = [];
  let kept = "";
  for (const each of text) {
    if (/[\u202a\u202b\u202d\u202e]/.test(each)) open.push("\u202c");
    else if (/[\u2066-\u2068]/.test(each)) open.push("\u2069");
    else if (each === "\u202c") {
      if (open.at(-1) !== each) continue;
      open.pop();
    } else if (each === "\u2069") {
      if (!open.includes(each)) continue;
      while (open.pop() !== each); // an isolate ends whatever was opened within it
    }
    kept += each;
  }
  return kept + open.reverse().join("");
}

const LETTERS = { ł: "l", đ: "d", ø: "o", ħ: "h", ŧ: "t", œ: "oe", æ: "ae", þ: "th", ð: "d", ß: "ss", ı: "i", ŋ: "n" };
const OPTIONAL =
  /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe2f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0640\xad\u200c\u200d]/gu;
const UNSPACED =
  /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Bopo}\p{sc=Yiii}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}ー]/u;
const WORD = /[\p{L}\p{M}\p{N}]+/gu;

/** Return a text without the differences that search ignores: case, accents and optional marks. */
export function folded(text) {
  const plain = text.normalize("NFKD").toLowerCase().replace(OPTIONAL, "");
  return [...plain]
    .map((each) => LETTERS[each] ?? each)
    .join("")
    .normalize("NFKC");
}

/** Return a text as parts `{text, found}`: found are the beginnings of words with which a word of the query begins. */
export function highlighted(text, query) {
  const wanted = [...folded(query).matchAll(WORD)].map((match) => match[0]).sort((a, b) => b.length - a.length);
  const marked = new Set();
  for (const word of text.matchAll(WORD)) {
    const characters = charactersFrom(word[0], word.index);
    if (characters.some((each) => UNSPACED.test(each.folded))) markPairs(characters, wanted, marked);
    else markBeginning(characters, wanted, marked);
  }
  return parts(text, marked);
}

function charactersFrom(word, start) {
  let at = start;
  return [...word].map((each) => {
    const character = { at, end: at + each.length, folded: folded(each) };
    at = character.end;
    return character;
  });
}

function markBeginning(characters, wanted, marked) {
  const whole = characters.map((each) => each.folded).join("");
  const prefix = wanted.find((each) => whole.startsWith(each));
  if (prefix === undefined) return;
  let done = 0;
  for (const each of characters) {
    if (done >= prefix.length && each.folded !== "") return;
    mark(each, marked);
    done += each.folded.length;
  }
}

function markPairs(characters, wanted, marked) {
  for (const word of wanted) {
    const pairs = new Set([...word].slice(0, -1).map((each, index) => each + [...word][index + 1]));
    characters.forEach((each, index) => {
      const next = characters[index + 1];
      if (each.folded === word) mark(each, marked);
      if (next && pairs.has(each.folded + next.folded)) [each, next].forEach((one) => mark(one, marked));
    });
  }
}

function mark(character, marked) {
  for (let at = character.at; at < character.end; at += 1) marked.add(at);
}

function parts(text, marked) {
  const found = [];
  for (let at = 0; at < text.length; at += 1) {
    const last = found.at(-1);
    if (last && last.found === marked.has(at)) last.text += text[at];
    else found.push({ text: text[at], found: marked.has(at) });
  }
  return found;
}

/** Return an address that may be a link, or null: another scheme than http and https is never one. */
export function safeUrl(text) {
  try {
    const url = new URL(text);
    return ["http:", "https:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
