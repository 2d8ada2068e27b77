from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from write_api.db.arrays import among, given, rows_of
from write_api.db.tables import cheeps
from write_api.domain.cheep import Cheep
from write_api.domain.errors import CheepIdTaken
from write_api.domain.values import CheepText, Identifier

_of_id = select(cheeps).where(cheeps.c.cheep_id == bindparam("id"))
_of_id_held = _of_id.with_for_update(read=True)  # FOR SHARE: answers hold a cheep together, an UPDATE waits for all
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


class PostgresCheeps:
    """Cheeps in Postgres."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_id(self, cheep_id: str, *, hold: bool = False) -> Cheep | None:
        """As `domain.repositories` has it."""
        row = (await self._connection.execute(_of_id_held if hold else _of_id, {"id": cheep_id})).one_or_none()
        return None if row is None else _cheep(row)

    async def of_ids(self, cheep_ids: Collection[str]) -> dict[str, Cheep]:
        """Those of the cheeps that there are."""
        rows = await self._connection.execute(_of_ids, {"cheep_id": list(cheep_ids)})
        return {row.cheep_id: _cheep(row) for row in rows}

    async def save(self, cheep: Cheep) -> None:
        """As `domain.repositories` has it."""
        await self.save_all([cheep])

    async def save_all(self, changed: Sequence[Cheep]) -> None:
        """Keep these. Raises CheepIdTaken of one."""
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
