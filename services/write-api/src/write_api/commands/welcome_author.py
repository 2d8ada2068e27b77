from __future__ import annotations

import msgspec

from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from cheeper_contracts.events.author_notified import AuthorNotified
from write_api.commands.notifying import notify
from write_api.domain.notification import Notification
from write_api.domain.repositories import Repositories


async def welcome_author(command: WelcomeAuthor, work: Repositories, now: int) -> AuthorNotified | None:
    """Welcome an author who has signed up. Return None if this notification was made before."""
    return await notify(work, Notification.of("welcome", msgspec.structs.asdict(command), now))
