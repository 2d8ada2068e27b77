from __future__ import annotations

from cheeper_contracts.commands.notify_author_about_new_follower import NotifyAuthorAboutNewFollower
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.kafka.envelope import Envelope
from write_api.bus.ids import made_for


def notify_author_about_new_follower(event: AuthorFollowed, envelope: Envelope) -> NotifyAuthorAboutNewFollower:
    """Notify the author who is followed, again after each unfollow."""
    return NotifyAuthorAboutNewFollower(
        notification_id=made_for(envelope.message_id, "notification_id"),
        author_id=event.to_author_id,
        follower_id=event.from_author_id,
    )
