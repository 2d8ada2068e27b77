from __future__ import annotations

from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.kafka.envelope import Envelope
from write_api.bus.ids import made_for


def welcome_author(event: NewAuthorSigned, envelope: Envelope) -> WelcomeAuthor:
    """Welcome the author who signs up."""
    return WelcomeAuthor(
        notification_id=made_for(envelope.message_id, "notification_id"),
        author_id=event.author_id,
    )
