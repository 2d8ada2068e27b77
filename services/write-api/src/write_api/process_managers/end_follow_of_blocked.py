from __future__ import annotations

from cheeper_contracts.commands.end_follow_of_blocked import EndFollowOfBlocked
from cheeper_contracts.events.author_blocked import AuthorBlocked
from cheeper_contracts.kafka.envelope import Envelope


def end_follow_of_blocked(event: AuthorBlocked, _envelope: Envelope) -> EndFollowOfBlocked:
    """End the follow of the blocked author by the one who blocks; the block itself ended the other one."""
    return EndFollowOfBlocked(
        from_author_id=event.author_id, to_author_id=event.blocked_id, blocked_at=event.blocked_at
    )
