from __future__ import annotations

import msgspec

from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from write_api.domain.author import Author
from write_api.domain.repositories import Repositories


async def sign_up(command: SignUp, work: Repositories, now: int) -> NewAuthorSigned | None:
    """Sign an author up. Return None if the same sign-up was made before."""
    author = Author.sign_up(msgspec.structs.asdict(command), now)
    known = await work.authors.of_id(author.author_id)
    if known is not None:
        known.accept_repeat(author)
        return None
    await work.authors.save(author)
    return NewAuthorSigned(
        author_id=author.author_id,
        username=author.username,
        signed_up_at=author.signed_up_at,
        name=author.name,
        bio=author.bio,
        location=author.location,
        website=author.website,
        birth_date=author.birth_date,
    )
