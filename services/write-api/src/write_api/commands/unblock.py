from __future__ import annotations

import msgspec

from cheeper_contracts.commands.unblock import Unblock
from cheeper_contracts.events.author_unblocked import AuthorUnblocked
from write_api.commands.lookup import author_of
from write_api.domain import values
from write_api.domain.repositories import Repositories


async def unblock(command: Unblock, work: Repositories, now: int) -> AuthorUnblocked | None:
    """End a block. Return None if there is none, as for two ids of one author."""
    pair = values.checked(msgspec.structs.asdict(command), now)
    for author_id in pair.values():
        await author_of(work, author_id)
    block = await work.blocks.of_id(pair["author_id"], pair["blocked_id"])
    if block is None:
        return None
    block.end(now)
    await work.blocks.save(block)
    return AuthorUnblocked(author_id=block.author_id, blocked_id=block.blocked_id, unblocked_at=now)
