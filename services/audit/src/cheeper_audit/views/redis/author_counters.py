"""An author's username and counters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cheeper_audit.difference import Fault, of_fields
from cheeper_audit.stores.redis import Command
from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.redis.base import Commands, RedisView
from cheeper_contracts import views

_FIELDS: Final = ("username", "followers", "following", "cheeps")
_COUNTERS: Final = """
    SELECT a.author_id::text, a.username,
           (SELECT count(*) FROM follows AS f WHERE f.to_author_id = a.author_id)::text,
           (SELECT count(*) FROM follows AS f WHERE f.from_author_id = a.author_id)::text,
           (SELECT count(*) FROM cheeps AS c WHERE c.author_id = a.author_id AND c.deleted_at IS NULL)::text
      FROM authors AS a WHERE a.author_id = ANY(%s::uuid[])
"""


class AuthorCounters(RedisView[dict[str, str]]):
    """A hash; a counter that nothing was ever added to is not there."""

    pattern = views.AUTHOR_COUNTERS

    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the fields of each author."""
        return {row[0]: dict(zip(_FIELDS, row[1:], strict=True)) for row in write_model.rows(_COUNTERS, list(ids))}

    def read(self, key: str) -> Command:
        """Return the whole hash."""
        return ("HGETALL", key)

    def faults(self, found: dict[bytes, bytes], expected: dict[str, str] | None) -> tuple[Fault, ...]:
        """Return the faults field by field."""
        fields = {name.decode(errors="replace"): value.decode(errors="replace") for name, value in found.items()}
        return of_fields(dict.fromkeys(_FIELDS[1:], "0") | fields if fields else None, expected)

    def writing(self, key: str, expected: dict[str, str]) -> Commands:
        """Return all fields."""
        return (("HSET", key, *(part for field in expected.items() for part in field)),)
