"""Aggregates that a command stands on: each is there, or the command is refused."""

from __future__ import annotations

from write_api.domain.author import Author
from write_api.domain.cheep import Cheep
from write_api.domain.errors import AuthorNotFound, CheepNotFound
from write_api.domain.repositories import Repositories


async def author_of(work: Repositories, author_id: str) -> Author:
    """The author. Raises AuthorNotFound."""
    author = await work.authors.of_id(author_id)
    if author is None:
        raise AuthorNotFound(author_id)
    return author


async def cheep_of(work: Repositories, cheep_id: str, *, lock: bool = False) -> Cheep:
    """The cheep, be it deleted; `hold` as for `Cheeps.of_id`. Raises CheepNotFound."""
    cheep = await work.cheeps.of_id(cheep_id, lock=lock)
    if cheep is None:
        raise CheepNotFound(cheep_id)
    return cheep
