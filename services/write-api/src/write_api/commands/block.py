from __future__ import annotations

import msgspec

from cheeper_contracts.commands.block import Block as BlockCommand
from cheeper_contracts.events.author_blocked import AuthorBlocked
from write_api.commands.lookup import author_of
from write_api.domain.block import Block
from write_api.domain.repositories import Repositories


async def block(command: BlockCommand, work: Repositories, now: int) -> AuthorBlocked | None:
    """Let one author block another, and end the other's follow, whose key this is. Return None if it does already.

    The follow in the other direction has the other key: a process manager ends it.
    """
    new = Block.begin(msgspec.structs.asdict(command), now)
    for author_id in (new.author_id, new.blocked_id):
        await author_of(work, author_id)
    if await work.blocks.of_id(new.author_id, new.blocked_id) is not None:
        return None
    await work.blocks.save(new)
    follow = await work.follows.of_id(new.blocked_id, new.author_id)
    if follow is not None:
        follow.end(now)
        await work.follows.save(follow)
    return AuthorBlocked(
        author_id=new.author_id,
        blocked_id=new.blocked_id,
        blocked_at=new.blocked_at,
        follow_id=None if follow is None else follow.follow_id,
    )
