from __future__ import annotations

import msgspec

from cheeper_contracts.commands.change_email import ChangeEmail
from cheeper_contracts.events.email_changed import EmailChanged
from write_api.commands.lookup import author_of
from write_api.domain import values
from write_api.domain.repositories import Repositories


async def change_email(command: ChangeEmail, work: Repositories, now: int) -> EmailChanged:
    """Give an author this e-mail address. It is a change also if the author has it already: if it were none, the status
    of the command would tell whoever sent a guess that it is the author's.
    """
    change = values.checked(msgspec.structs.asdict(command), now)
    author = await author_of(work, change["author_id"])
    author.change_email(change["email"])
    await work.authors.save(author)
    return EmailChanged(author_id=author.author_id, changed_at=now)
