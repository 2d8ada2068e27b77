from __future__ import annotations

import msgspec

from cheeper_contracts.commands.unmute import Unmute
from cheeper_contracts.events.author_unmuted import AuthorUnmuted
from write_api.commands.lookup import author_of
from write_api.domain import values
from write_api.domain.repositories import Repositories


async def unmute(command: Unmute, work: Repositories, now: int) -> AuthorUnmuted | None:
    """End a mute. Return None if there is none, as for two ids of one author."""
    pair = values.checked(msgspec.structs.asdict(command), now)
    for author_id in pair.values():
        await author_of(work, author_id)
    mute = await work.mutes.of_id(pair["author_id"], pair["muted_id"])
    if mute is None:
        return None
    mute.end(now)
    await work.mutes.save(mute)
    return AuthorUnmuted(author_id=mute.author_id, muted_id=mute.muted_id, unmuted_at=now)
