"""Folds what a person who searches may write in another way: case, accents, optional marks and letters with a stroke.

The data are Unicode's own, of the version that Python's `unicodedata` has: decompositions, categories and the names of
characters. What they lack is the short table of CLDR's transform Latin-ASCII below. Folded are:

- accents: the marks of Unicode's blocks of combining diacritical marks;
- marks that are optional in writing: vowel signs and other points of the Arabic, Hebrew and Syriac scripts, the Arabic
  tatweel, and characters that only format a text or choose a variant, such as the soft hyphen;
- Latin letters that Unicode does not decompose, by their names: LATIN SMALL LETTER L WITH STROKE is an l.

Other marks are kept: the vowel signs of Indic and Thai letters, and the voicing marks of kana, make other letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from cheeper_contracts.text import casefolded, normalized

_GROWTH: Final = 18 * 3 * 4
"""The most code points that NFKD, case folding and NFKD make of one."""

_ACCENTS: Final = ((0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F))
"""Unicode's blocks of combining diacritical marks."""
_VARIANTS: Final = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
"""Variation selectors: they choose the form of the character before them."""
_POINTED: Final = ((0x0590, 0x08FF), (0xFB1E, 0xFB1E), (0x10EAB, 0x10EFF))
"""Blocks of the scripts whose points are optional."""
_POINTED_SCRIPTS: Final = ("ARABIC ", "HEBREW ", "SYRIAC ")
"""The beginnings of the names of their characters, since these blocks hold other scripts too."""
_FORMATS: Final = ((0x00AD, 0x00AD), (0x0600, 0x08FF), (0x200C, 0x206F), (0xFEFF, 0xFEFF))
"""Blocks of characters that only format. U+200B is not among them: it is a space between words that takes no room."""
_LATIN: Final = (
    (0x0080, 0x024F),
    (0x0250, 0x02AF),
    (0x1D00, 0x1DBF),
    (0x2C60, 0x2C7F),
    (0xA720, 0xA7FF),
    (0xAB30, 0xAB6F),
)

_TATWEEL: Final = 0x0640
_LETTER: Final = re.compile(r"LATIN SMALL (?:LETTER|LIGATURE) ([A-Z]|AE|OE)(?: WITH .+)?")
_LATIN_ASCII: Final = dict(
    zip("\u00f0\u00fe\u0131\u0138\u014b\u0254\u0259\u025b\u0275\u0289", ("d", "th", *"iqnoeeou"), strict=True)
)
"""Letters whose names name no other letter (eth, thorn, dotless i, kra, eng, open o, schwa, open e, barred o, u bar),
as in the transform Latin-ASCII of CLDR."""


def folded(text: str, most: int) -> str:
    """Return a text of at most `most` code points without the differences that search ignores. Raise TextTooLongError.

    What is no accent is put together again at the end, so that a syllable of Hangul begins with itself alone.
    """
    grown = most * _GROWTH
    lower = casefolded(normalized("NFKD", text, most), grown)
    # Once more: folding makes letters that can be taken apart again.
    return normalized("NFKC", normalized("NFKD", lower, grown).translate(_FOLDED), grown)


def _characters(*blocks: tuple[int, int]) -> Iterator[str]:
    return (chr(code) for first, last in blocks for code in range(first, last + 1))


def _is_point(character: str) -> bool:
    name = unicodedata.name(character, "")
    return unicodedata.category(character) == "Mn" and name.startswith(_POINTED_SCRIPTS)


def _letters() -> Iterator[tuple[str, str]]:
    for character in _characters(*_LATIN):
        letter = _LETTER.fullmatch(unicodedata.name(character, ""))
        if letter and not unicodedata.decomposition(character):
            yield character, letter[1].lower()


_FOLDED: Final[dict[int, str]] = {
    **{ord(character): "" for character in _characters(*_ACCENTS, *_VARIANTS)},
    **{ord(character): "" for character in _characters(*_POINTED) if _is_point(character)},
    **{ord(character): "" for character in _characters(*_FORMATS) if unicodedata.category(character) == "Cf"},
    _TATWEEL: "",
    **{ord(character): letter for character, letter in (*_letters(), *_LATIN_ASCII.items())},
}
"""The replacement of each character by its code point, for a text that is decomposed and in lower case."""
