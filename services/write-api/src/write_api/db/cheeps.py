from __future__ import annotations

from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from write_api.db.constraints import refusing
from write_api.db.tables import ONE_CHEEP_AN_ID, cheeps
from write_api.domain.cheep import Cheep
from write_api.domain.errors import CheepIdTaken
from write_api.domain.values import CheepText, Identifier

_of_id = select(cheeps).where(cheeps.c.cheep_id == bindparam("id"))
_insert = insert(cheeps)


class PostgresCheeps:
    """Cheeps in Postgres."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_id(self, cheep_id: str) -> Cheep | None:
        """As `domain.repositories` has it."""
        row = (await self._connection.execute(_of_id, {"id": cheep_id})).one_or_none()
        if row is None:
            return None
        return Cheep(
            cheep_id=Identifier(row.cheep_id),
            author_id=Identifier(row.author_id),
            message=CheepText(row.message),
            cheep_date=row.cheep_date,
            post_digest=bytes(row.post_digest),
            in_reply_to=row.in_reply_to and Identifier(row.in_reply_to),
            deleted_at=row.deleted_at,
        )

    async def save(self, cheep: Cheep) -> None:
        """As `domain.repositories` has it."""
        with refusing({ONE_CHEEP_AN_ID: CheepIdTaken(cheep.cheep_id)}):
            await self._connection.execute(
                _insert,
                {
                    "cheep_id": cheep.cheep_id,
                    "author_id": cheep.author_id,
                    "message": cheep.message,
                    "cheep_date": cheep.cheep_date,
                    "post_digest": cheep.post_digest,
                    "in_reply_to": cheep.in_reply_to,
                    "deleted_at": cheep.deleted_at,
                },
            )
