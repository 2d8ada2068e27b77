"""Aggregates that a command stands on: each is there, or the command is refused."""

from __future__ import annotations

from write_api.bus.unit_of_work import UnitOfWork
from write_api.domain.author import Author
from write_api.domain.cheep import Cheep
from write_api.domain.errors import AuthorNotFound, CheepNotFound


async def author_of(work: UnitOfWork, author_id: str) -> Author:
    """The author. Raises AuthorNotFound."""
    author = await work.authors.of_id(author_id)
    if author is None:
        raise AuthorNotFound(author_id)
    return author


async def cheep_of(work: UnitOfWork, cheep_id: str, *, hold: bool = False) -> Cheep:
    """The cheep, be it deleted; `hold` as for `Cheeps.of_id`. Raises CheepNotFound."""
    cheep = await work.cheeps.of_id(cheep_id, hold=hold)
    if cheep is None:
        raise CheepNotFound(cheep_id)
    return cheep
