from __future__ import annotations

import msgspec

from cheeper_contracts.commands.follow import Follow as FollowCommand
from cheeper_contracts.events.author_followed import AuthorFollowed
from write_api.commands.lookup import refuse_blocked
from write_api.domain.follow import Follow
from write_api.domain.repositories import Repositories


async def follow(command: FollowCommand, work: Repositories, now: int) -> AuthorFollowed | None:
    """Let one author follow another. Return None if it does already, under any follow_id. Raise Blocked if one of the
    two blocks the other.
    """
    new = Follow.begin(msgspec.structs.asdict(command), now)
    if await work.follows.of_id(new.from_author_id, new.to_author_id) is not None:
        return None
    await refuse_blocked(work, new.from_author_id, new.to_author_id)
    await work.follows.save(new)
    return AuthorFollowed(
        follow_id=new.follow_id,
        from_author_id=new.from_author_id,
        to_author_id=new.to_author_id,
        followed_at=new.followed_at,
    )
