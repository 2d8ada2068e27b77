"""Lists of entries as one text, which is how they are compared: 24 bytes a cheep, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from cheeper_contracts.views import ENTRY_BYTES, unpack_entry


def cut(text: bytes | None) -> list[bytes]:
    """The entries of a text, none of none."""
    whole = text or b""
    return [whole[at : at + ENTRY_BYTES] for at in range(0, len(whole), ENTRY_BYTES)]


def are(entries: Sequence[bytes], text: bytes) -> bool:
    """Whether these are the entries of the text. Joining them is faster than cutting that; but pieces of other lengths
    may join to the same.
    """
    return b"".join(entries) == text and set(map(len, entries)) <= {ENTRY_BYTES}


def named(entry: bytes) -> str:
    """An entry for a line: the cheep's id, with its date, since an entry with another date is another one."""
    if len(entry) != ENTRY_BYTES:
        return f"{entry[:ENTRY_BYTES].hex()}, which is no entry"
    cheep_date, cheep_id = unpack_entry(entry)
    return f"{cheep_id} of {cheep_date}"


def in_order(entries: Sequence[bytes]) -> bool:
    """Whether each stands behind a newer one."""
    return all(newer > older for newer, older in pairwise(entries))
