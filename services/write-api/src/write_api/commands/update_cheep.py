from __future__ import annotations

import msgspec

from cheeper_contracts.commands.update_cheep import UpdateCheep
from cheeper_contracts.events.cheep_updated import CheepUpdated
from write_api.commands.lookup import author_of, cheep_of
from write_api.domain import values
from write_api.domain.repositories import Repositories


async def update_cheep(command: UpdateCheep, work: Repositories, now: int) -> CheepUpdated | None:
    """Change the text of a cheep. Return None if it has this text already."""
    edit = values.checked(msgspec.structs.asdict(command), now)
    cheep = await cheep_of(work, edit["cheep_id"])
    edited_at = cheep.edit(edit["author_id"], edit["message"], now)
    if edited_at is None:
        return None
    await work.cheeps.save(cheep)
    return CheepUpdated(
        cheep_id=cheep.cheep_id,
        author_id=cheep.author_id,
        author_username=(await author_of(work, cheep.author_id)).username,
        message=cheep.message,
        cheep_date=cheep.cheep_date,
        edited_at=edited_at,
        in_reply_to=cheep.in_reply_to,
    )
