"""The words of a text, as search compares them: without case and accents, split at what is no letter or digit.

A letter that Unicode does not decompose stays as it is, such as the Polish l with a stroke. The projector stores the
words with a document and read-api makes them from a query, so both use this module.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from cheeper_contracts.text import casefolded, normalized

LONGEST: Final = 1_024
"""The code points of a text in which words are found, more than any text has. The rest of a longer one is not read:
to refuse it would stop a projection."""
_EXPANDED: Final = LONGEST * 18 * 3 * 4
"""The most code points that NFKD, case folding and NFKD make of that."""

_ACCENTS: Final = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
"""Unicode's blocks of combining diacritical marks. Other marks are no accents: vowel signs, voicing marks."""
_OF_ASCII: Final = re.compile("[0-9a-z]+")


def words_of(*texts: str | None) -> list[str]:
    """Return the words of some texts, each once, sorted. A text that is None has no words."""
    return sorted({word for text in texts if text for word in _all(text)})


def _all(text: str) -> list[str]:
    text = text[:LONGEST]
    if text.isascii():  # most are, and nothing of what follows is needed for them
        return _OF_ASCII.findall(text.lower())
    return _split(_plain(text))


def _plain(text: str) -> str:
    """Return the text in lower case, without the accents of its letters."""
    folded = casefolded(normalized("NFKD", text, LONGEST), _EXPANDED)
    # Once more: folding makes letters that can be taken apart again. What is no accent is put together again, so that
    # a syllable of Hangul begins with itself alone.
    return normalized("NFKC", _ACCENTS.sub("", normalized("NFKD", folded, _EXPANDED)), _EXPANDED)


def _split(text: str) -> list[str]:
    spaced = "".join(character if _is_of_a_word(character) else " " for character in text)
    return [word for word in spaced.split() if any(map(str.isalnum, word))]


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")
