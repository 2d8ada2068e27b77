from __future__ import annotations

import msgspec

from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from write_api.domain.author import Author
from write_api.domain.errors import AuthorIdTaken
from write_api.domain.repositories import Repositories


async def sign_up(command: SignUp, work: Repositories, now: int) -> NewAuthorSigned:
    """Sign an author up. Raise AuthorIdTaken if anybody has signed up with the id, whatever else this sign-up has: ids
    and names are public, so a repeat that was recognised by its content would confirm a guess at an address. A repeat
    by its message id does not come here.
    """
    author = Author.sign_up(msgspec.structs.asdict(command), now)
    if await work.authors.of_id(author.author_id) is not None:
        raise AuthorIdTaken(author.author_id)
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
