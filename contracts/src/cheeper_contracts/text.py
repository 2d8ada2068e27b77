"""Unicode's normalisation and case folding, bounded. No other module may call them: a lint rule and a test see to it.

To normalise a text takes time that grows with the square of its longest run of combining marks: seconds for the 64 KB
that a request may have. So each function here takes the most characters that its caller allows, and refuses a longer
text before it does anything else. The errors complete the sentence that begins with a field's name.
"""

from __future__ import annotations

import unicodedata
from itertools import groupby
from typing import Final, Literal

MARKS_IN_A_ROW: Final = 30
"""The most combining marks that may follow one another, as in the Stream-Safe Text Format of UAX #15. The scripts and
languages of the world need less than ten."""
DECOMPOSED: Final = 4
"""No character decomposes canonically into more code points. So a text that has n characters in NFC has at most 4 n
before, whatever form it was sent in, and a limit on those refuses nothing that the limit in NFC would accept."""

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]


class TextTooLongError(ValueError):
    """A text has more characters than its place allows."""

    def __init__(self, most: int) -> None:
        super().__init__(f"must have at most {most} characters")


class TooManyMarksError(ValueError):
    """A text piles up combining marks."""

    def __init__(self) -> None:
        super().__init__(f"must have at most {MARKS_IN_A_ROW} combining marks in a row")


def require_length(text: str, most: int) -> None:
    """Raise TextTooLongError if the text cannot have at most `most` characters in NFC. This takes no time."""
    if len(text) > DECOMPOSED * most:
        raise TextTooLongError(most)


def require_few_marks(text: str) -> None:
    """Raise TooManyMarksError if more combining marks follow one another than any language needs."""
    if text.isascii():  # most are
        return
    categories = list(map(unicodedata.category, text))
    if sum(map(categories.count, ("Mn", "Me", "Mc"))) <= MARKS_IN_A_ROW:  # nor have most others so many in all
        return
    if any(marks and sum(1 for _ in run) > MARKS_IN_A_ROW for marks, run in groupby(text, _is_mark)):
        raise TooManyMarksError


def nfc(text: str, most: int) -> str:
    """Return a text that somebody sent in NFC. Raise TextTooLongError if it has more than `most` characters then, and
    TooManyMarksError.
    """
    require_length(text, most)
    require_few_marks(text)
    normal = unicodedata.normalize("NFC", text)
    if len(normal) > most:
        raise TextTooLongError(most)
    return normal


def normalized(form: Form, text: str, most: int) -> str:
    """Return a text of at most `most` code points in that form. Raise TextTooLongError."""
    _require_code_points(text, most)
    return unicodedata.normalize(form, text)


def casefolded(text: str, most: int) -> str:
    """Return a text of at most `most` code points without the difference of case. Raise TextTooLongError."""
    _require_code_points(text, most)
    return text.casefold()


def without_case(text: str, most: int) -> str:
    """Return a text of at most `most` code points with each character folded by itself (Unicode's simple case folding),
    which does not change its length as a rule: ß stays ß. Raise TextTooLongError.
    """
    _require_code_points(text, most)
    if text.isascii():
        return text.lower()
    return "".join(folded if len(folded := character.casefold()) == 1 else character.lower() for character in text)


def _require_code_points(text: str, most: int) -> None:
    if len(text) > most:
        raise TextTooLongError(most)


def _is_mark(character: str) -> bool:
    return unicodedata.combining(character) != 0 or unicodedata.category(character) in {"Mn", "Me"}
