from __future__ import annotations

import msgspec

from cheeper_contracts.commands.change_email import ChangeEmail
from cheeper_contracts.events.email_changed import EmailChanged
from write_api.commands.lookup import author_of
from write_api.domain import values
from write_api.domain.repositories import Repositories


async def change_email(command: ChangeEmail, work: Repositories, now: int) -> EmailChanged | None:
    """Give an author another e-mail address. Return None if the author has it, in this spelling."""
    change = values.checked(msgspec.structs.asdict(command), now)
    author = await author_of(work, change["author_id"])
    if not author.change_email(change["email"]):
        return None
    await work.authors.save(author)
    return EmailChanged(author_id=author.author_id, changed_at=now)
