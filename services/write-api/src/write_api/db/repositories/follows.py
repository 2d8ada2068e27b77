from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import BigInteger, Uuid, bindparam, delete, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from write_api.bus.unit_of_work import ClashError
from write_api.db.arrays import Rows, among, given, rows_of
from write_api.db.repositories.identity_map import IdentityMap
from write_api.db.schema.tables import (
    FOLLOWED_SIGNED_UP,
    FOLLOWER_SIGNED_UP,
    ONE_PAIR_A_FOLLOW_ID,
    begun_follows,
    follows,
)
from write_api.domain.errors import AuthorNotFound, FollowIdTaken, Refusal, TooManyFollows, TooManyFollowsADay
from write_api.domain.follow import Follow
from write_api.domain.quotas import DAY, Quotas
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

_begun = (begun_follows.c.from_author_id, begun_follows.c.followed_at)
_insert_begun = insert(begun_follows).from_select(_begun, rows_of(_begun))
_TIMES = bindparam("times", type_=ARRAY(BigInteger))
_DAY = bindparam("day", type_=BigInteger)
_forget_begun = text(
    "DELETE FROM begun_follows USING unnest(:followers, :times) AS new(follower, at)"
    " WHERE from_author_id = follower AND followed_at <= at - :day"
).bindparams(_FOLLOWERS, _TIMES, _DAY)
# One that was dated before, by a transaction that had to wait for the lock, counts too.
_any_with_more_a_day = text(
    "SELECT EXISTS (SELECT FROM unnest(:followers, :times) AS new(follower, at) WHERE (SELECT count(*) FROM"
    " (SELECT FROM begun_follows WHERE from_author_id = follower"
    " AND followed_at > at - :day LIMIT :most + 1) AS first_ones) > :most)"
).bindparams(_FOLLOWERS, _TIMES, _DAY)

Pair = tuple[str, str]
"""The follower and the followed author, which are the identity of a follow."""


class PostgresFollows(IdentityMap[Pair, Follow]):
    """The follows in Postgres."""

    has_unique_name = True

    def __init__(self, connection: AsyncConnection, *, separately: bool = False, quotas: Quotas) -> None:
        super().__init__(connection, separately=separately)
        self._quotas = quotas

    async def prefetch(self, identities: Collection[Pair]) -> None:
        """Read these in one statement. With a quota of a day, lock all their followers first: two transactions that
        write their follows one by one, in different orders, would lock them in these orders, and deadlock.
        """
        if identities and self._quotas.follows_per_day is not None:
            await self._connection.execute(_lock, {"followers": sorted({follower for follower, _ in identities})})
        await super().prefetch(identities)

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
            if self._quotas.follows_per_day is not None:
                await self._refuse_too_many_a_day(begun, self._quotas.follows_per_day)

    async def _refuse_too_many(self, followers: Sequence[str]) -> None:
        """Raise TooManyFollows if one of them follows more than one may, with those that were just inserted."""
        most = self._quotas.follows
        near = await self._with_more_than(max(most - _AT_ONCE, 0), followers)
        if near:
            await self._connection.execute(_lock, {"followers": near})
            if await self._with_more_than(most, near):
                raise TooManyFollows(most)

    async def _refuse_too_many_a_day(self, begun: Sequence[Follow], most: int) -> None:
        """Note the follows that begin. Raise TooManyFollowsADay if their followers began more than `most` within a day:
        each follower is locked, so that no two transactions pass that together.
        """
        followers, times = [one.from_author_id for one in begun], [one.followed_at for one in begun]
        new = {"followers": followers, "times": times, "day": DAY}
        await self._connection.execute(_lock, {"followers": sorted(set(followers))})
        await self._connection.execute(_forget_begun, new)
        await self._connection.execute(_insert_begun, given(_begun, map(dataclasses.asdict, begun)))
        if (await self._connection.execute(_any_with_more_a_day, {**new, "most": most})).scalar_one():
            raise TooManyFollowsADay(most)

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
