from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, bindparam, case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from write_api.db.arrays import among
from write_api.db.repositories.cheeps import PostgresCheeps
from write_api.db.repositories.identity_map import IdentityMap
from write_api.db.schema.tables import ONE_EMAIL, ONE_USERNAME, authors, cheeps
from write_api.domain import values
from write_api.domain.author import AHEAD_MAX, Author
from write_api.domain.errors import EmailTaken, Refusal, UsernameTaken
from write_api.domain.values import Bio, BirthDate, Email, Identifier, Location, Name, Username, Website
from write_api.ops.clock_metrics import ClockMetrics

_last_cheep_date = (
    select(func.coalesce(func.max(cheeps.c.cheep_date), 0))
    .where(cheeps.c.author_id == authors.c.author_id)
    .scalar_subquery()
)
_of_ids = select(authors, _last_cheep_date.label("last_cheep_date")).where(among(authors.c.author_id))
_last_until = (
    select(cheeps.c.author_id, func.max(cheeps.c.cheep_date).label("last"))
    .where(among(cheeps.c.author_id), cheeps.c.cheep_date <= bindparam("latest"))
    .group_by(cheeps.c.author_id)
)
_insert = insert(authors).on_conflict_do_nothing(index_elements=[authors.c.author_id]).returning(authors.c.author_id)
# A statement of its own and no upsert: that would lock the row against those who only refer to it, which every follow
# and post does, even where the address stays.
# An address that stays keeps its unique form, which may be one of an earlier rule.
_update = (
    update(authors)
    .where(authors.c.author_id == bindparam("id"))
    .values(
        email_unique_form=case(
            (authors.c.email == bindparam("address"), authors.c.email_unique_form), else_=bindparam("unique_form")
        )
    )
)
_CHANGEABLE: Final = (
    "email",
    "name",
    "bio",
    "location",
    "website",
    "birth_date",
    "read_notified_at",
    "read_notification_id",
)
_named = select(authors.c.author_id).where(
    func.lower(authors.c.username) == func.lower(bindparam("username")), authors.c.author_id != bindparam("author_id")
)


class PostgresAuthors(IdentityMap[str, Author]):
    """The authors in Postgres. `last_cheep_date` counts the cheeps which the transaction has not written yet, and none
    that is too far ahead of its time `now`.
    """

    has_unique_name = True

    def __init__(
        self,
        connection: AsyncConnection,
        cheeps: PostgresCheeps,
        now: int,
        *,
        separately: bool = False,
        metrics: ClockMetrics | None = None,
    ) -> None:
        super().__init__(connection, separately=separately)
        self._cheeps = cheeps
        self._latest = now + AHEAD_MAX
        self._metrics = metrics

    async def of_id(self, author_id: str) -> Author | None:
        """Return the author as `domain.repositories` describes."""
        author = await self.get(author_id)
        if author is not None:
            author.last_cheep_date = max(author.last_cheep_date, self._cheeps.last_date(author_id, self._latest))
        return author

    async def save(self, author: Author) -> None:
        """Save the author as `domain.repositories` describes."""
        self.put(author.author_id, author)

    async def find(self, identities: Collection[str]) -> dict[str, Author]:
        """Read the authors that exist."""
        rows = await self._connection.execute(_of_ids, {"author_id": list(identities)})
        found = {row.author_id: _author(row) for row in rows}
        await self._bound_dates([one for one in found.values() if one.last_cheep_date > self._latest])
        return found

    async def _bound_dates(self, ahead: Sequence[Author]) -> None:
        """Set the last date of authors who have cheeps of a clock that was far ahead to that of their other cheeps."""
        if not ahead:
            return
        of = {"author_id": [author.author_id for author in ahead], "latest": self._latest}
        last = {row.author_id: row.last for row in await self._connection.execute(_last_until, of)}
        for author in ahead:
            author.last_cheep_date = last.get(author.author_id, 0)
        if self._metrics is not None:
            self._metrics.ahead(len(ahead))

    async def write(self, changed: Sequence[Author]) -> None:
        """Insert the new authors and update the others."""
        if self._separately:
            await self._refuse_taken_usernames(changed)
        rows = [_row(author) for author in changed]
        new = set((await self._connection.execute(_insert, rows)).scalars())
        updates = [
            {
                "id": row["author_id"],
                "address": row["email"],
                "unique_form": row["email_unique_form"],
                **{column: row[column] for column in _CHANGEABLE},
            }
            for row in rows
            if row["author_id"] not in new
        ]
        if updates:
            await self._connection.execute(_update, updates)

    async def _refuse_taken_usernames(self, changed: Sequence[Author]) -> None:
        """Raise UsernameTaken before any constraint breaks: which of two breaks first is not promised, and whoever
        guesses at an address must not learn that it is taken from a sign-up that cannot succeed anyway.
        """
        for author in changed:
            name = {"username": author.username, "author_id": author.author_id}
            if (await self._connection.execute(_named, name)).first() is not None:
                raise UsernameTaken(author.username)

    def refusals(self, aggregate: Author) -> Mapping[str, Refusal]:
        """Return the refusals of a name and an address that are taken."""
        return {ONE_USERNAME: UsernameTaken(aggregate.username), ONE_EMAIL: EmailTaken()}


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
        last_read=None if row.read_notified_at is None else (row.read_notified_at, row.read_notification_id),
        last_cheep_date=row.last_cheep_date,
    )


def _row(author: Author) -> dict[str, Any]:
    read_notified_at, read_notification_id = author.last_read or (None, None)
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
        "read_notified_at": read_notified_at,
        "read_notification_id": read_notification_id,
    }
