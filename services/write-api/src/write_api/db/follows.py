from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from write_api.db.arrays import Rows, among, given, rows_of
from write_api.db.constraints import refusing
from write_api.db.tables import FOLLOWED_SIGNED_UP, FOLLOWER_SIGNED_UP, ONE_PAIR_A_FOLLOW_ID, follows
from write_api.domain.errors import AuthorNotFound, FollowIdTaken
from write_api.domain.follow import Follow
from write_api.domain.values import Identifier

_pair = (follows.c.from_author_id, follows.c.to_author_id)
_of_pairs = select(follows).where(among(*_pair))
_columns = tuple(follows.c)
_insert = insert(follows).from_select(_columns, rows_of(_columns))
_delete = delete(follows).where(among(*_pair))

Pair = tuple[str, str]
"""Who follows, and whom: what a follow is known by."""


class PostgresFollows:
    """Follows in Postgres."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_id(self, from_author_id: str, to_author_id: str) -> Follow | None:
        """As `domain.repositories` has it."""
        return (await self.of_ids([(from_author_id, to_author_id)])).get((from_author_id, to_author_id))

    async def of_ids(self, pairs: Collection[Pair]) -> dict[Pair, Follow]:
        """Those of the follows that there are."""
        rows = await self._connection.execute(_of_pairs, _given(pairs))
        return {
            (row.from_author_id, row.to_author_id): Follow(
                follow_id=Identifier(row.follow_id),
                from_author_id=Identifier(row.from_author_id),
                to_author_id=Identifier(row.to_author_id),
                followed_at=row.followed_at,
            )
            for row in rows
        }

    async def save(self, follow: Follow) -> None:
        """As `domain.repositories` has it."""
        refusals = {
            ONE_PAIR_A_FOLLOW_ID: FollowIdTaken(follow.follow_id),
            FOLLOWER_SIGNED_UP: AuthorNotFound(follow.from_author_id),
            FOLLOWED_SIGNED_UP: AuthorNotFound(follow.to_author_id),
        }
        with refusing(refusals):
            await self._write(ended=[follow] if follow.ended_at else [], begun=[] if follow.ended_at else [follow])

    async def save_all(self, changed: Sequence[Follow]) -> None:
        """Keep these, in whatever state their pairs are. Raises IntegrityError where `save` names a refusal."""
        await self._write(ended=changed, begun=[follow for follow in changed if follow.ended_at is None])

    async def _write(self, *, ended: Sequence[Follow], begun: Sequence[Follow]) -> None:
        if ended:
            pairs = [(follow.from_author_id, follow.to_author_id) for follow in ended]
            await self._connection.execute(_delete, _given(pairs))
        if begun:
            await self._connection.execute(_insert, given(_columns, map(dataclasses.asdict, begun)))


def _given(pairs: Collection[Pair]) -> Rows:
    return given(_pair, [{"from_author_id": one, "to_author_id": other} for one, other in pairs])
