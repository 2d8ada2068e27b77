from __future__ import annotations

from cheeper_contracts.commands.notify_author_about_answer import NotifyAuthorAboutAnswer
from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.kafka.envelope import Envelope
from write_api.bus.ids import made_for


def notify_author_about_answer(event: CheepAnswered, envelope: Envelope) -> NotifyAuthorAboutAnswer | None:
    """Notify the author who is answered, unless the answer is its own."""
    if event.author_id == event.parent_author_id:
        return None
    return NotifyAuthorAboutAnswer(
        notification_id=made_for(envelope.message_id, "notification_id"),
        author_id=event.parent_author_id,
        cheep_id=event.cheep_id,
        answered_by=event.author_id,
    )
