"""All cheeps of an author."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.redis import entries
from cheeper_audit.views.redis.sorted_sets import SortedSet
from cheeper_contracts import views

# The bytes of an entry compare as (cheep_date, cheep_id), here as in Redis.
_ENTRIES: Final = r"""
    SELECT c.author_id::text, string_agg(int8send(c.cheep_date) || uuid_send(c.cheep_id), '\x'::bytea
                                         ORDER BY c.cheep_date, c.cheep_id)
      FROM cheeps AS c WHERE c.author_id = ANY(%s::uuid[]) AND c.deleted_at IS NULL GROUP BY c.author_id
"""


class AuthorCheeps(SortedSet):
    """The set of the author's own, whole."""

    pattern = views.AUTHOR_CHEEPS

    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, list[bytes]]:
        """Return the entries, oldest first, of each author who has any."""
        return {owner: entries.split(text) for owner, text in write_model.rows(_ENTRIES, list(ids))}

    def describe(self, member: bytes) -> str:
        """Return the cheep's id with its date."""
        return entries.describe(member)
