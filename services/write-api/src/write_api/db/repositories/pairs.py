"""The repositories of what one author has against another: a row for a pair of authors, there while it lasts."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from write_api.db.arrays import Rows, among, given, rows_of
from write_api.db.repositories.identity_map import IdentityMap

Pair = tuple[str, str]
"""The author who acts and the one who is acted upon, in the order of the table's columns."""


class Lasting(Protocol):
    """An aggregate that is there until it ends."""

    ended_at: int | None


P = TypeVar("P", bound=Lasting)


class PostgresPairs(IdentityMap[Pair, P]):
    """The rows of a table in Postgres: the columns of the pair, which is its primary key, and the time since when."""

    def __init__(self, connection: AsyncConnection, table: Table, shape: type[P], *, separately: bool = False) -> None:
        super().__init__(connection, separately=separately)
        self._table, self._shape, self._columns = table, shape, tuple(table.c)
        self._pair = self._columns[:2]
        new = insert(table).from_select(self._columns, rows_of(self._columns))
        since = self._columns[2].name
        # A transaction may end what there is and begin it anew.
        self._save = new.on_conflict_do_update(index_elements=self._pair, set_={since: new.excluded[since]})

    async def prefetch(self, identities: Collection[Pair]) -> None:
        """Read these and those of the other direction in one statement, as most rules need both; what this transaction
        knows already may have been changed by it.
        """
        both = {each for pair in identities for each in (pair, pair[::-1])}
        await super().prefetch([pair for pair in both if pair not in self._known and not self.is_changed(pair)])

    async def of_id(self, author_id: str, other_id: str, /) -> P | None:
        """Return the aggregate as `domain.repositories` describes."""
        found = await self.get((author_id, other_id))
        return None if found is None or found.ended_at is not None else found

    async def save(self, aggregate: P) -> None:
        """Save the aggregate as `domain.repositories` describes."""
        one, other = (getattr(aggregate, column.name) for column in self._pair)
        self.put((one, other), aggregate)

    async def find(self, identities: Collection[Pair]) -> dict[Pair, P]:
        """Read those that exist."""
        found = await self._connection.execute(select(self._table).where(among(*self._pair)), self._given(identities))
        one, other = (column.name for column in self._pair)
        return {(row[one], row[other]): self._shape(**row) for row in found.mappings()}

    async def write(self, changed: Sequence[P]) -> None:
        """Remove those that ended, and write the others."""
        rows = [dataclasses.asdict(one) for one in changed]  # type: ignore[call-overload] # aggregates are dataclasses
        ended = [row for row in rows if row["ended_at"] is not None]
        begun = [row for row in rows if row["ended_at"] is None]
        if ended:
            await self._connection.execute(delete(self._table).where(among(*self._pair)), given(self._pair, ended))
        if begun:
            await self._connection.execute(self._save, given(self._columns, begun))

    def _given(self, pairs: Collection[Pair]) -> Rows:
        one, other = (column.name for column in self._pair)
        return given(self._pair, [{one: pair[0], other: pair[1]} for pair in pairs])
