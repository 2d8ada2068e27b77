from __future__ import annotations

import msgspec

from cheeper_contracts.commands.end_follow_of_blocked import EndFollowOfBlocked
from cheeper_contracts.events.follow_of_blocked_ended import FollowOfBlockedEnded
from write_api.commands.lookup import author_of
from write_api.domain import values
from write_api.domain.repositories import Repositories


async def end_follow_of_blocked(
    command: EndFollowOfBlocked, work: Repositories, now: int
) -> FollowOfBlockedEnded | None:
    """End the follow of an author by one who blocks it. Return None if there is none, or if it began after the block,
    which has ended since.

    A follow that did not see the block, because both were handled at once, may have a later date than the block. It is
    committed before this command or sees the block, so none is left.
    """
    given = msgspec.structs.asdict(command)
    blocked_at = given.pop("blocked_at")
    pair = tuple(values.checked(given, now).values())
    follow = await work.follows.of_id(*pair)
    if follow is None:
        for author_id in pair:
            await author_of(work, author_id)
        return None
    if follow.followed_at > blocked_at and await work.blocks.of_id(*pair) is None:
        return None
    follow.end(now)
    await work.follows.save(follow)
    return FollowOfBlockedEnded(
        follow_id=follow.follow_id,
        from_author_id=follow.from_author_id,
        to_author_id=follow.to_author_id,
        ended_at=now,
    )
