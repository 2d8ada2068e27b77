from __future__ import annotations

import msgspec

from cheeper_contracts.commands.delete_cheep import DeleteCheep
from cheeper_contracts.events.cheep_deleted import CheepDeleted
from write_api.commands.lookup import cheep_of
from write_api.domain import values
from write_api.domain.repositories import Repositories


async def delete_cheep(command: DeleteCheep, work: Repositories, now: int) -> CheepDeleted | None:
    """Delete a cheep; answers to it stay. Return None if it is deleted already."""
    deletion = values.checked(msgspec.structs.asdict(command), now)
    cheep = await cheep_of(work, deletion["cheep_id"])
    deleted_at = cheep.delete(deletion["author_id"], now)
    if deleted_at is None:
        return None
    await work.cheeps.save(cheep)
    return CheepDeleted(
        cheep_id=cheep.cheep_id,
        author_id=cheep.author_id,
        cheep_date=cheep.cheep_date,
        deleted_at=deleted_at,
        in_reply_to=cheep.in_reply_to,
    )
