from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from write_api.domain import values
from write_api.domain.errors import CheepIdTaken
from write_api.domain.values import CheepText, Identifier

POST_RULES: Final[dict[str, values.Rule]] = {
    "cheep_id": values.identifier,
    "author_id": values.identifier,
    "message": values.cheep_text,
}
"""The rule of each field of a post."""


@dataclass(slots=True, kw_only=True)
class Cheep:
    """What an author said. `post_digest` is of the first text, so that a repeat of the post is known as one after an
    edit; a deleted cheep stays, with the time of its deletion. Times are microseconds since the epoch, UTC.
    """

    cheep_id: Identifier
    author_id: Identifier
    message: CheepText
    cheep_date: int
    post_digest: bytes
    in_reply_to: Identifier | None = None
    deleted_at: int | None = None

    @classmethod
    def posted(cls, cheep_id: Identifier, author_id: Identifier, message: CheepText, cheep_date: int) -> Self:
        """A cheep as its author posts it, in answer to none."""
        return cls(
            cheep_id=cheep_id,
            author_id=author_id,
            message=message,
            cheep_date=cheep_date,
            post_digest=_digest(message),
        )

    def accept_repeat(self, author_id: Identifier, message: CheepText) -> None:
        """Let a second post with this id pass if it is the first one again. Raises CheepIdTaken."""
        if (author_id, _digest(message)) != (self.author_id, self.post_digest):
            raise CheepIdTaken(self.cheep_id)


def _digest(message: str, in_reply_to: str | None = None) -> bytes:
    return values.digest_of({"message": message, "in_reply_to": in_reply_to})
