from __future__ import annotations

import msgspec

from cheeper_contracts.commands.answer_cheep import AnswerCheep
from cheeper_contracts.events.cheep_answered import CheepAnswered
from write_api.commands.lookup import author_of, cheep_of, refuse_blocked
from write_api.domain import values
from write_api.domain.repositories import Repositories


async def answer_cheep(command: AnswerCheep, work: Repositories, now: int) -> CheepAnswered | None:
    """Post a cheep in answer to another one. Return None if the same answer was posted before, even if either cheep was
    changed since. The parent belongs to another key, so it is locked: it is not deleted before the answer is committed.
    Raise Blocked if one of the two authors blocks the other.
    """
    given = values.checked(msgspec.structs.asdict(command), now)
    author = await author_of(work, given["author_id"])
    known = await work.cheeps.of_id(given["cheep_id"])
    if known is not None:
        known.accept_repeat(author.author_id, given["message"], given["in_reply_to"])
        return None
    parent = await cheep_of(work, given["in_reply_to"], lock=True)
    await refuse_blocked(work, author.author_id, parent.author_id)
    answer = author.answer(parent, given["cheep_id"], given["message"], now)
    await work.cheeps.save(answer)
    return CheepAnswered(
        cheep_id=answer.cheep_id,
        author_id=answer.author_id,
        author_username=author.username,
        message=answer.message,
        cheep_date=answer.cheep_date,
        in_reply_to=parent.cheep_id,
        parent_author_id=parent.author_id,
    )
