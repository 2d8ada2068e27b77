from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from write_api.db.constraints import refusing
from write_api.db.tables import FOLLOWED_SIGNED_UP, FOLLOWER_SIGNED_UP, ONE_PAIR_A_FOLLOW_ID, follows
from write_api.domain.errors import AuthorNotFound, FollowIdTaken
from write_api.domain.follow import Follow
from write_api.domain.values import Identifier

_of_pair = (follows.c.from_author_id == bindparam("from_id"), follows.c.to_author_id == bindparam("to_id"))
_of_id = select(follows).where(*_of_pair)
_insert = insert(follows)
_remove = delete(follows).where(*_of_pair)


class PostgresFollows:
    """Follows in Postgres."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_id(self, from_author_id: str, to_author_id: str) -> Follow | None:
        """As `domain.repositories` has it."""
        pair = {"from_id": from_author_id, "to_id": to_author_id}
        row = (await self._connection.execute(_of_id, pair)).one_or_none()
        if row is None:
            return None
        return Follow(
            follow_id=Identifier(row.follow_id),
            from_author_id=Identifier(row.from_author_id),
            to_author_id=Identifier(row.to_author_id),
            followed_at=row.followed_at,
        )

    async def save(self, follow: Follow) -> None:
        """As `domain.repositories` has it."""
        if follow.ended_at is not None:
            pair = {"from_id": follow.from_author_id, "to_id": follow.to_author_id}
            await self._connection.execute(_remove, pair)
            return
        refusals = {
            ONE_PAIR_A_FOLLOW_ID: FollowIdTaken(follow.follow_id),
            FOLLOWER_SIGNED_UP: AuthorNotFound(follow.from_author_id),
            FOLLOWED_SIGNED_UP: AuthorNotFound(follow.to_author_id),
        }
        with refusing(refusals):
            await self._connection.execute(
                _insert,
                {
                    "follow_id": follow.follow_id,
                    "from_author_id": follow.from_author_id,
                    "to_author_id": follow.to_author_id,
                    "followed_at": follow.followed_at,
                },
            )
