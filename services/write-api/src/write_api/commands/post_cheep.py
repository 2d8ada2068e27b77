from __future__ import annotations

import msgspec

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.events.cheep_posted import CheepPosted
from write_api.commands.lookup import author_of
from write_api.domain import values
from write_api.domain.repositories import Repositories


async def post_cheep(command: PostCheep, work: Repositories, now: int) -> CheepPosted | None:
    """Post a cheep. Return None if the same post was made before, even if the cheep was changed since."""
    post = values.checked(msgspec.structs.asdict(command), now)
    author = await author_of(work, post["author_id"])
    known = await work.cheeps.of_id(post["cheep_id"])
    if known is not None:
        known.accept_repeat(author.author_id, post["message"])
        return None
    cheep = author.post(post["cheep_id"], post["message"], now)
    await work.cheeps.save(cheep)
    return CheepPosted(
        cheep_id=cheep.cheep_id,
        author_id=cheep.author_id,
        author_username=author.username,
        message=cheep.message,
        cheep_date=cheep.cheep_date,
    )
