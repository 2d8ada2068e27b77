"""The words of a text, as search compares them: without case and accents, split at what is no letter or digit.

The projector keeps them with a document and read-api makes them of a query, so both have them from here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")


def words_of(*texts: str | None) -> list[str]:
    """The words of some texts, each once, sorted; none of a text that is none."""
    return sorted({word for text in texts if text for word in _WORD.findall(_plain(text))})


def _plain(text: str) -> str:
    """The text in lower case, with the letters that accents stand on and without the accents."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    # Once more: folding makes letters that can be taken apart again.
    decomposed = unicodedata.normalize("NFKD", folded)
    return "".join(character for character in decomposed if not unicodedata.category(character).startswith("M"))
