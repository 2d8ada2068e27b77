"""Lists of packed entries as one byte string, in which form they are compared."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from cheeper_contracts.views import ENTRY_BYTES, unpack_entry


def split(text: bytes | None) -> list[bytes]:
    """Return the entries of a byte string; None has none."""
    whole = text or b""
    return [whole[at : at + ENTRY_BYTES] for at in range(0, len(whole), ENTRY_BYTES)]


def equal(entries: Sequence[bytes], text: bytes) -> bool:
    """Return whether these are the entries of the byte string.

    Joining them is faster than splitting it; but entries of other lengths may join to the same.
    """
    return b"".join(entries) == text and set(map(len, entries)) <= {ENTRY_BYTES}


def describe(entry: bytes) -> str:
    """Return an entry for a line: the cheep's id, with its date, since an entry with another date is another one."""
    if len(entry) != ENTRY_BYTES:
        return f"{entry[:ENTRY_BYTES].hex()}, which is no entry"
    cheep_date, cheep_id = unpack_entry(entry)
    return f"{cheep_id} of {cheep_date}"


def in_order(entries: Sequence[bytes]) -> bool:
    """Return whether each entry comes after a newer one."""
    return all(newer > older for newer, older in pairwise(entries))
