"""All cheeps of an author."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cheeper_audit.difference import Fault, of_members
from cheeper_audit.stores.redis import Command
from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.redis import entries
from cheeper_audit.views.redis.base import Commands, RedisView, pushed
from cheeper_contracts import views

# The bytes of an entry compare as (cheep_date, cheep_id), here as in Redis.
_LISTS: Final = r"""
    SELECT c.author_id::text, string_agg(int8send(c.cheep_date) || uuid_send(c.cheep_id), '\x'::bytea
                                         ORDER BY c.cheep_date DESC, c.cheep_id DESC)
      FROM cheeps AS c WHERE c.author_id = ANY(%s::uuid[]) AND c.deleted_at IS NULL GROUP BY c.author_id
"""


class AuthorCheeps(RedisView[bytes]):
    """The list of the author's own, whole and in order."""

    pattern = views.AUTHOR_CHEEPS

    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the entries in one text, of each author who has any."""
        return dict(write_model.rows(_LISTS, list(ids)))

    def read(self, key: str) -> Command:
        """Return the whole list."""
        return ("LRANGE", key, 0, -1)

    def faults(self, found: list[bytes], expected: bytes | None) -> tuple[Fault, ...]:
        """Return the faults entry by entry."""
        if entries.equal(found, expected or b""):
            return ()
        return of_members(
            [entries.describe(each) for each in found], [entries.describe(each) for each in entries.split(expected)]
        )

    def writing(self, key: str, expected: bytes) -> Commands:
        """Return all entries."""
        return pushed(key, entries.split(expected))
