"""Texts that people read: whether there is anything to see, and how far a text's directional controls reach.

What shows nothing is decided by Unicode's own properties, as the `regex` library has them, and by two more characters
that Unicode counts as symbols and fonts draw as nothing.
"""

from __future__ import annotations

from typing import Final

import regex

_BLANKS: Final = "\N{BRAILLE PATTERN BLANK}\N{MUSICAL SYMBOL NULL NOTEHEAD}"
_UNSEEN: Final = regex.compile(rf"[\p{{Default_Ignorable_Code_Point}}\p{{White_Space}}\p{{Cf}}\p{{Cc}}{_BLANKS}]*")
_NO_PART_OF_A_LINK: Final = regex.compile(r"[\p{White_Space}\p{Cf}\p{Cc}\\]")
_CONTROLS: Final = regex.compile(r"[\p{Cc}--\n]", regex.V1)
_DIRECTIONAL: Final = regex.compile("[\u202a-\u202e\u2066-\u2069]")

_POP_EMBEDDING: Final = "\N{POP DIRECTIONAL FORMATTING}"
_POP_ISOLATE: Final = "\N{POP DIRECTIONAL ISOLATE}"
_CLOSED_BY: Final = {
    "\N{LEFT-TO-RIGHT EMBEDDING}": _POP_EMBEDDING,
    "\N{RIGHT-TO-LEFT EMBEDDING}": _POP_EMBEDDING,
    "\N{LEFT-TO-RIGHT OVERRIDE}": _POP_EMBEDDING,
    "\N{RIGHT-TO-LEFT OVERRIDE}": _POP_EMBEDDING,
    "\N{LEFT-TO-RIGHT ISOLATE}": _POP_ISOLATE,
    "\N{RIGHT-TO-LEFT ISOLATE}": _POP_ISOLATE,
    "\N{FIRST STRONG ISOLATE}": _POP_ISOLATE,
}
_ENDS_OF_PARAGRAPHS: Final = "\n\N{PARAGRAPH SEPARATOR}"


def is_visible(text: str) -> bool:
    """Return True if there is something to see in the text."""
    return _UNSEEN.fullmatch(text) is None


def has_controls(text: str) -> bool:
    """Return True if the text has a control character other than newline."""
    return _CONTROLS.search(text) is not None


def may_stand_in_a_link(text: str) -> bool:
    """Return True if every character may stand in a URL: none is white space, a control, invisible, or a backslash,
    which browsers take for a slash.
    """
    return _NO_PART_OF_A_LINK.search(text) is None


def has_directional_controls(text: str) -> bool:
    """Return True if the text embeds, overrides or isolates a direction (U+202A to U+202E, U+2066 to U+2069)."""
    return _DIRECTIONAL.search(text) is not None


def isolated(text: str) -> str:
    """Return the text with directional controls that end where it ends, and look the same.

    A control reaches to its closing character or the end of its paragraph, and where a text stands among others, that
    is the end of all of them. So whatever a paragraph opens is closed at its end. A closing character that closes
    nothing is dropped, since it would close what is open around the text. The pairs are those of Unicode's rules X1 to
    X7 (UAX #9): an isolate's end also ends the embeddings within it, and no embedding's end reaches out of an isolate.
    """
    if not has_directional_controls(text):
        return text
    closed: list[str] = []
    open_: list[str] = []
    for character in text:
        if character in _CLOSED_BY:
            open_.append(_CLOSED_BY[character])
        elif character == _POP_EMBEDDING:
            if open_[-1:] != [character]:
                continue
            open_.pop()
        elif character == _POP_ISOLATE:
            if character not in open_:
                continue
            while open_.pop() != character:
                pass
        elif character in _ENDS_OF_PARAGRAPHS:
            closed += reversed(open_)
            open_.clear()
        closed.append(character)
    return "".join([*closed, *reversed(open_)])
