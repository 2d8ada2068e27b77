from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from write_api.db.arrays import among
from write_api.db.constraints import refusing
from write_api.db.tables import ONE_EMAIL, ONE_USERNAME, authors, cheeps
from write_api.domain import values
from write_api.domain.author import Author
from write_api.domain.errors import EmailTaken, UsernameTaken
from write_api.domain.values import Bio, BirthDate, Email, Identifier, Location, Name, Username, Website

_last_cheep_date = (
    select(func.coalesce(func.max(cheeps.c.cheep_date), 0))
    .where(cheeps.c.author_id == authors.c.author_id)
    .scalar_subquery()
)
_of_ids = select(authors, _last_cheep_date.label("last_cheep_date")).where(among(authors.c.author_id))
_insert = insert(authors).on_conflict_do_nothing(index_elements=[authors.c.author_id]).returning(authors.c.author_id)
# A statement of its own and no upsert: that would lock the row against those who only refer to it, which every follow
# and post does, even where the address stays.
_update = update(authors).where(authors.c.author_id == bindparam("id"))
_CHANGEABLE: Final = ("email", "email_unique_form", "name", "bio", "location", "website", "birth_date")


class PostgresAuthors:
    """Authors in Postgres."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_id(self, author_id: str) -> Author | None:
        """As `domain.repositories` has it."""
        return (await self.of_ids([author_id])).get(author_id)

    async def of_ids(self, author_ids: Collection[str]) -> dict[str, Author]:
        """Those of the authors that there are."""
        rows = await self._connection.execute(_of_ids, {"author_id": list(author_ids)})
        return {row.author_id: _author(row) for row in rows}

    async def save(self, author: Author) -> None:
        """As `domain.repositories` has it."""
        with refusing({ONE_USERNAME: UsernameTaken(author.username), ONE_EMAIL: EmailTaken()}):
            await self.save_all([author])

    async def save_all(self, changed: Sequence[Author]) -> None:
        """Keep these, new or changed. Raises IntegrityError where `save` names a refusal."""
        rows = [_row(author) for author in changed]
        new = set((await self._connection.execute(_insert, rows)).scalars())
        updates = [
            {"id": row["author_id"], **{column: row[column] for column in _CHANGEABLE}}
            for row in rows
            if row["author_id"] not in new
        ]
        if updates:
            await self._connection.execute(_update, updates)


def _author(row: Row[Any]) -> Author:
    return Author(
        author_id=Identifier(row.author_id),
        username=Username(row.username),
        email=Email(row.email),
        name=row.name and Name(row.name),
        bio=None if row.bio is None else Bio(row.bio),
        location=None if row.location is None else Location(row.location),
        website=row.website and Website(row.website),
        birth_date=row.birth_date and BirthDate(row.birth_date.isoformat()),
        signed_up_at=row.signed_up_at,
        sign_up_digest=bytes(row.sign_up_digest),
        last_cheep_date=row.last_cheep_date,
    )


def _row(author: Author) -> dict[str, Any]:
    return {
        "author_id": author.author_id,
        "username": author.username,
        "email": author.email,
        "email_unique_form": values.unique_form(author.email),
        "name": author.name,
        "bio": author.bio,
        "location": author.location,
        "website": author.website,
        "birth_date": author.birth_date and date.fromisoformat(author.birth_date),
        "signed_up_at": author.signed_up_at,
        "sign_up_digest": author.sign_up_digest,
    }
