from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

from cheeper_contracts.commands.notify_author_about_new_follower import NotifyAuthorAboutNewFollower
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.kafka.envelope import Envelope

_DAY: Final = 24 * 3600 * 1_000_000


def notify_author_about_new_follower(event: AuthorFollowed, _envelope: Envelope) -> NotifyAuthorAboutNewFollower:
    """Notify the author who is followed. All follows of one pair on one day lead to the same notification."""
    day = event.followed_at // _DAY
    return NotifyAuthorAboutNewFollower(
        notification_id=_id_of(event, day),
        author_id=event.to_author_id,
        follower_id=event.from_author_id,
        previous_notification_id=_id_of(event, day - 1),
        followed_at=event.followed_at,
    )


def _id_of(event: AuthorFollowed, day: int) -> str:
    return str(uuid5(UUID(event.from_author_id), f"new follower of {event.to_author_id} on day {day}"))
