from __future__ import annotations

import msgspec

from cheeper_contracts.commands.mute import Mute as MuteCommand
from cheeper_contracts.events.author_muted import AuthorMuted
from write_api.commands.lookup import author_of
from write_api.domain.mute import Mute
from write_api.domain.repositories import Repositories


async def mute(command: MuteCommand, work: Repositories, now: int) -> AuthorMuted | None:
    """Let one author mute another, followed or not. Return None if it does already."""
    new = Mute.begin(msgspec.structs.asdict(command), now)
    for author_id in (new.author_id, new.muted_id):
        await author_of(work, author_id)
    if await work.mutes.of_id(new.author_id, new.muted_id) is not None:
        return None
    await work.mutes.save(new)
    return AuthorMuted(author_id=new.author_id, muted_id=new.muted_id, muted_at=new.muted_at)
