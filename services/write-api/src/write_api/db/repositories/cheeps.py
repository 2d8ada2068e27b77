from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from write_api.db.arrays import among, given, rows_of
from write_api.db.repositories.identity_map import IdentityMap
from write_api.db.schema.tables import cheeps
from write_api.domain.cheep import Cheep
from write_api.domain.errors import CheepIdTaken
from write_api.domain.values import CheepText, Identifier

# FOR SHARE: answers lock a cheep together, and an UPDATE waits for all of them.
_of_id_locked = select(cheeps).where(cheeps.c.cheep_id == bindparam("id")).with_for_update(read=True)
_of_ids = select(cheeps).where(among(cheeps.c.cheep_id))
_columns = tuple(cheeps.c)
_insert = insert(cheeps).from_select(_columns, rows_of(_columns))
# An author's cheeps change under its key, so a row that is there already is either the author's, known and changed, or
# another author's, who was as fast: that one stays as it is.
_save = _insert.on_conflict_do_update(
    index_elements=[cheeps.c.cheep_id],
    set_={name: _insert.excluded[name] for name in ("message", "edited_at", "deleted_at")},
    where=cheeps.c.author_id == _insert.excluded.author_id,
).returning(cheeps.c.cheep_id)


class PostgresCheeps(IdentityMap[str, Cheep]):
    """The cheeps in Postgres."""

    async def of_id(self, cheep_id: str, *, lock: bool = False) -> Cheep | None:
        """Return the cheep as `domain.repositories` describes. The lock of a change that is to be written is enough."""
        if lock and not self.is_changed(cheep_id):
            row = (await self._connection.execute(_of_id_locked, {"id": cheep_id})).one_or_none()
            return None if row is None else _cheep(row)
        return await self.get(cheep_id)

    async def save(self, cheep: Cheep) -> None:
        """Save the cheep as `domain.repositories` describes."""
        self.put(cheep.cheep_id, cheep)

    def last_date(self, author_id: str, latest: int) -> int:
        """Return the date, at most `latest`, of the author's last cheep that this transaction knows, 0 if it knows
        none.
        """
        dates = (cheep.cheep_date for cheep in self.known() if cheep.author_id == author_id)
        return max((date for date in dates if date <= latest), default=0)

    async def find(self, identities: Collection[str]) -> dict[str, Cheep]:
        """Read the cheeps that exist."""
        rows = await self._connection.execute(_of_ids, {"cheep_id": list(identities)})
        return {row.cheep_id: _cheep(row) for row in rows}

    async def write(self, changed: Sequence[Cheep]) -> None:
        """Insert or update these. Raise CheepIdTaken for one of those whose id another author's cheep has."""
        saved = await self._connection.execute(_save, given(_columns, map(dataclasses.asdict, changed)))
        taken = {cheep.cheep_id for cheep in changed} - set(saved.scalars())
        if taken:
            raise CheepIdTaken(min(taken))


def _cheep(row: Row[Any]) -> Cheep:
    return Cheep(
        cheep_id=Identifier(row.cheep_id),
        author_id=Identifier(row.author_id),
        message=CheepText(row.message),
        cheep_date=row.cheep_date,
        post_digest=bytes(row.post_digest),
        in_reply_to=row.in_reply_to and Identifier(row.in_reply_to),
        edited_at=row.edited_at,
        deleted_at=row.deleted_at,
    )
