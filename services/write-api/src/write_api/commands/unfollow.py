from __future__ import annotations

import msgspec

from cheeper_contracts.commands.unfollow import Unfollow
from cheeper_contracts.events.author_unfollowed import AuthorUnfollowed
from write_api.commands.lookup import author_of
from write_api.domain import values
from write_api.domain.repositories import Repositories


async def unfollow(command: Unfollow, work: Repositories, now: int) -> AuthorUnfollowed | None:
    """End a follow. Return None if there is none, as for two ids of one author."""
    pair = values.checked(msgspec.structs.asdict(command), now)
    follow = await work.follows.of_id(**pair)
    if follow is None:
        for author_id in pair.values():
            await author_of(work, author_id)
        return None
    follow.end(now)
    await work.follows.save(follow)
    return AuthorUnfollowed(
        follow_id=follow.follow_id,
        from_author_id=follow.from_author_id,
        to_author_id=follow.to_author_id,
        followed_at=follow.followed_at,
        unfollowed_at=now,
    )
