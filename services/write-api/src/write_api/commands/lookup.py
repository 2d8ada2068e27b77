"""Lookups of aggregates without which a command is refused."""

from __future__ import annotations

from write_api.domain.author import Author
from write_api.domain.cheep import Cheep
from write_api.domain.errors import AuthorNotFound, Blocked, CheepNotFound
from write_api.domain.repositories import Repositories


async def author_of(work: Repositories, author_id: str) -> Author:
    """Return the author. Raise AuthorNotFound."""
    author = await work.authors.of_id(author_id)
    if author is None:
        raise AuthorNotFound(author_id)
    return author


async def cheep_of(work: Repositories, cheep_id: str, *, lock: bool = False) -> Cheep:
    """Return the cheep, even a deleted one. `lock` is as for `Cheeps.of_id`. Raise CheepNotFound."""
    cheep = await work.cheeps.of_id(cheep_id, lock=lock)
    if cheep is None:
        raise CheepNotFound(cheep_id)
    return cheep


async def refuse_blocked(work: Repositories, one: str, other: str) -> None:
    """Raise Blocked if one of two authors blocks the other."""
    for pair in ((one, other), (other, one)):
        if await work.blocks.of_id(*pair) is not None:
            raise Blocked
