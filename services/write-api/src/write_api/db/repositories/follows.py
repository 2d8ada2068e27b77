from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import Uuid, bindparam, delete, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from write_api.bus.unit_of_work import ClashError
from write_api.db.arrays import Rows, among, given, rows_of
from write_api.db.repositories.identity_map import IdentityMap
from write_api.db.schema.tables import FOLLOWED_SIGNED_UP, FOLLOWER_SIGNED_UP, ONE_PAIR_A_FOLLOW_ID, follows
from write_api.domain.errors import AuthorNotFound, FollowIdTaken, Refusal, TooManyFollows
from write_api.domain.follow import FOLLOWS_MAX, Follow
from write_api.domain.values import Identifier

_pair = (follows.c.from_author_id, follows.c.to_author_id)
_of_pairs = select(follows).where(among(*_pair))
_columns = tuple(follows.c)
_insert = insert(follows).from_select(_columns, rows_of(_columns))
_delete = delete(follows).where(among(*_pair))

_AT_ONCE: Final = 1_000
"""More follows than the transactions that run at one time can begin together for one author. An author who is so near
to the most is locked, so that no two transactions pass it together; the others are not."""

_FOLLOWERS = bindparam("followers", type_=ARRAY(Uuid(as_uuid=False)))
_with_more_than = text(
    "SELECT follower::text FROM unnest(:followers) AS follower WHERE (SELECT count(*) FROM"
    " (SELECT FROM follows WHERE from_author_id = follower LIMIT :most + 1) AS first_ones) > :most"
).bindparams(_FOLLOWERS)
# In one order, and after the locks of the keys: two transactions that write their follows together never deadlock.
_lock = text(
    "SELECT pg_advisory_xact_lock(key)"
    " FROM (SELECT hashtextextended('follows of ' || follower, 0) AS key FROM unnest(:followers) AS follower"
    " ORDER BY key) AS sorted"
).bindparams(_FOLLOWERS)

Pair = tuple[str, str]
"""The follower and the followed author, which are the identity of a follow."""


class PostgresFollows(IdentityMap[Pair, Follow]):
    """The follows in Postgres."""

    has_unique_name = True

    def __init__(self, connection: AsyncConnection, *, separately: bool = False, most: int = FOLLOWS_MAX) -> None:
        super().__init__(connection, separately=separately)
        self._most = most

    async def of_id(self, from_author_id: str, to_author_id: str) -> Follow | None:
        """Return the follow as `domain.repositories` describes."""
        follow = await self.get((from_author_id, to_author_id))
        return None if follow is None or follow.ended_at is not None else follow

    async def save(self, follow: Follow) -> None:
        """Save the follow as `domain.repositories` describes. Raise ClashError if only separate writes can tell whether
        its follow_id is taken: another pair of this transaction has it or had it.
        """
        pair = (follow.from_author_id, follow.to_author_id)
        if not self._separately and any(
            other.follow_id == follow.follow_id and (other.from_author_id, other.to_author_id) != pair
            for other in self.known()
        ):
            raise ClashError("another pair of this batch has or had the follow_id")
        self.put(pair, follow)

    async def find(self, identities: Collection[Pair]) -> dict[Pair, Follow]:
        """Read the follows that exist."""
        rows = await self._connection.execute(_of_pairs, _given(identities))
        return {
            (row.from_author_id, row.to_author_id): Follow(
                follow_id=Identifier(row.follow_id),
                from_author_id=Identifier(row.from_author_id),
                to_author_id=Identifier(row.to_author_id),
                followed_at=row.followed_at,
            )
            for row in rows
        }

    async def write(self, changed: Sequence[Follow]) -> None:
        """Remove the ended follows, which free their ids, and insert the others."""
        ended = [(one.from_author_id, one.to_author_id) for one in changed if one.ended_at is not None]
        begun = [one for one in changed if one.ended_at is None]
        if ended:
            await self._connection.execute(_delete, _given(ended))
        if begun:
            await self._connection.execute(_insert, given(_columns, map(dataclasses.asdict, begun)))
            await self._refuse_too_many(sorted({one.from_author_id for one in begun}))

    async def _refuse_too_many(self, followers: Sequence[str]) -> None:
        """Raise TooManyFollows if one of them follows more than one may, with those that were just inserted."""
        near = await self._with_more_than(max(self._most - _AT_ONCE, 0), followers)
        if near:
            await self._connection.execute(_lock, {"followers": near})
            if await self._with_more_than(self._most, near):
                raise TooManyFollows(self._most)

    async def _with_more_than(self, most: int, followers: Sequence[str]) -> list[str]:
        rows = await self._connection.execute(_with_more_than, {"followers": list(followers), "most": most})
        return sorted(rows.scalars())

    def refusals(self, aggregate: Follow) -> Mapping[str, Refusal]:
        """Return the refusals of an id that is taken and of authors who have not signed up."""
        return {
            ONE_PAIR_A_FOLLOW_ID: FollowIdTaken(aggregate.follow_id),
            FOLLOWER_SIGNED_UP: AuthorNotFound(aggregate.from_author_id),
            FOLLOWED_SIGNED_UP: AuthorNotFound(aggregate.to_author_id),
        }


def _given(pairs: Collection[Pair]) -> Rows:
    return given(_pair, [{"from_author_id": one, "to_author_id": other} for one, other in pairs])
