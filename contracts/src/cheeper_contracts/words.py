"""The words of a text, as search compares them: folded (`folding.py`), and split at what is no letter, mark or digit.

Scripts that are written without spaces between words are split into bigrams instead: each two neighbouring characters
with their marks, and the last one alone. So whatever part of such a text is searched for, each of its words begins one
of the text's, and no dictionary is needed. The scripts are those of line breaking class SA, ID and CJ of UAX #14.

The projector stores the words with a document, the audit compares them, and read-api makes them from a query, so all
use this module. A change of what it returns is a change of the views: it needs another version of their projections.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby, islice, pairwise
from typing import Final

from cheeper_contracts.folding import folded

LONGEST: Final = 1_024
"""The code points of a text in which words are found, more than any text has. The rest of a longer one is not read:
to refuse it would stop a projection."""
MOST_WORDS: Final = 1_000
"""The words of which a document is found by the first ones. The longest message has about 260, unless it is made of
characters that stand for many."""

_OF_ASCII: Final = re.compile("[0-9a-z]+")
_WITHOUT_SPACES: Final = re.compile(
    "["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u1950-\u19df\u1a20-\u1aaf\uaa80-\uaadf"  # Tai Le, New Tai Lue, Tai Tham, Tai Viet
    "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u3040-\u30ff\u31f0-\u31ff\U0001aff0-\U0001b16f"  # Hiragana, Katakana
    "\u3100-\u312f\u31a0-\u31bf\ua000-\ua4cf"  # Bopomofo, Yi
    "]"
)


def words_of(*texts: str | None) -> list[str]:
    """Return the words of some texts, each once, sorted, MOST_WORDS at most. A text that is None has no words."""
    found = dict.fromkeys(word for text in texts if text for word in _all(text[:LONGEST]))
    return sorted(found if len(found) <= MOST_WORDS else islice(found, MOST_WORDS))


def _all(text: str) -> Iterator[str]:
    if text.isascii():  # most are, and nothing of what follows is needed for them
        yield from _OF_ASCII.findall(text.lower())
        return
    plain = folded(text, LONGEST)
    spaced = "".join(character if _is_of_a_word(character) else " " for character in plain).split()
    for word in spaced:
        if not any(map(str.isalnum, word)):
            continue
        if _WITHOUT_SPACES.search(word):
            yield from _parts(word)
        else:
            yield word


def _parts(word: str) -> Iterator[str]:
    """Yield the bigrams of the parts in scripts without spaces, and the other parts as they are."""
    for without_spaces, part in groupby(_with_marks(word), lambda each: bool(_WITHOUT_SPACES.match(each))):
        if without_spaces:
            characters = list(part)
            yield from map("".join, pairwise(characters))
            yield characters[-1]
        else:
            yield "".join(part)


def _with_marks(word: str) -> list[str]:
    """Return the characters of a word, each with the marks behind it."""
    characters: list[str] = []
    for character in word:
        if characters and not character.isalnum():
            characters[-1] += character
        else:
            characters.append(character)
    return characters


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")
