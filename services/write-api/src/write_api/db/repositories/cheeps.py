from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BigInteger, Row, Uuid, bindparam, literal_column, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from write_api.db.arrays import among, given, rows_of
from write_api.db.repositories.identity_map import IdentityMap
from write_api.db.schema.tables import cheeps
from write_api.domain.cheep import Cheep
from write_api.domain.errors import CheepIdTaken, TooManyPostsADay
from write_api.domain.quotas import DAY, Quotas
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
).returning(cheeps.c.cheep_id, literal_column("xmax = 0").label("is_new"))  # only an update sets xmax
_any_with_more_a_day = text(
    "SELECT EXISTS (SELECT FROM unnest(:authors, :times) AS new(author, at) WHERE (SELECT count(*) FROM"
    " (SELECT FROM cheeps WHERE author_id = author AND cheep_date > at - :day LIMIT :most + 1) AS first_ones) > :most)"
).bindparams(
    bindparam("authors", type_=ARRAY(Uuid(as_uuid=False))),
    bindparam("times", type_=ARRAY(BigInteger)),
    bindparam("day", type_=BigInteger),
)


class PostgresCheeps(IdentityMap[str, Cheep]):
    """The cheeps in Postgres."""

    def __init__(self, connection: AsyncConnection, *, separately: bool = False, quotas: Quotas) -> None:
        super().__init__(connection, separately=separately)
        self._posts_per_day = quotas.posts_per_day

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
        """Insert or update these. Raise CheepIdTaken for one of those whose id another author's cheep has, and
        TooManyPostsADay if an author of new ones has posted more within a day: an author's cheeps change under its key.
        """
        saved = await self._connection.execute(_save, given(_columns, map(dataclasses.asdict, changed)))
        is_new = {row.cheep_id: row.is_new for row in saved}
        taken = {cheep.cheep_id for cheep in changed} - is_new.keys()
        if taken:
            raise CheepIdTaken(min(taken))
        if self._posts_per_day is not None:
            await self._refuse_too_many_a_day(
                [cheep for cheep in changed if is_new[cheep.cheep_id]], self._posts_per_day
            )

    async def _refuse_too_many_a_day(self, new: Sequence[Cheep], most: int) -> None:
        authors, times = [one.author_id for one in new], [one.cheep_date for one in new]
        parameters = {"authors": authors, "times": times, "day": DAY, "most": most}
        if (await self._connection.execute(_any_with_more_a_day, parameters)).scalar_one():
            raise TooManyPostsADay(most)


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
