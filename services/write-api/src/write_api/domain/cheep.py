from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from write_api.domain import values
from write_api.domain.errors import CheepIdTaken, CheepNotFound, NotTheAuthor
from write_api.domain.values import CheepText, Identifier

POST_RULES: Final[dict[str, values.Rule]] = {
    "cheep_id": values.identifier,
    "author_id": values.identifier,
    "message": values.cheep_text,
}
"""The rule of each field of a post, and of a new text for a cheep."""

ANSWER_RULES: Final[dict[str, values.Rule]] = {**POST_RULES, "in_reply_to": values.identifier}
"""The rule of each field of an answer."""

DELETION_RULES: Final[dict[str, values.Rule]] = {"cheep_id": values.identifier, "author_id": values.identifier}
"""The rule of each field of a deletion."""


@dataclass(slots=True, kw_only=True)
class Cheep:
    """What an author said, of itself or in answer to another cheep.

    `post_digest` is of the first text and of what it answers, so that a repeat of the post is known as one after an
    edit; a deleted cheep stays, with the time of its deletion. Times are microseconds since the epoch, UTC.
    """

    cheep_id: Identifier
    author_id: Identifier
    message: CheepText
    cheep_date: int
    post_digest: bytes
    in_reply_to: Identifier | None = None
    edited_at: int | None = None
    deleted_at: int | None = None

    @classmethod
    def posted(
        cls,
        cheep_id: Identifier,
        author_id: Identifier,
        message: CheepText,
        cheep_date: int,
        in_reply_to: Identifier | None = None,
    ) -> Self:
        """A cheep as its author posts it."""
        return cls(
            cheep_id=cheep_id,
            author_id=author_id,
            message=message,
            cheep_date=cheep_date,
            post_digest=_digest(message, in_reply_to),
            in_reply_to=in_reply_to,
        )

    def accept_repeat(self, author_id: Identifier, message: CheepText, in_reply_to: Identifier | None = None) -> None:
        """Let a second post with this id pass if it is the first one again. Raises CheepIdTaken."""
        if (author_id, _digest(message, in_reply_to)) != (self.author_id, self.post_digest):
            raise CheepIdTaken(self.cheep_id)

    def edit(self, author_id: Identifier, message: CheepText, now: int) -> int | None:
        """Say this instead. When that was done, or none where it says so already. Raises NotTheAuthor, or CheepNotFound
        once the cheep is deleted.
        """
        self._refuse_others(author_id)
        self.refuse_deleted()
        if message == self.message:
            return None
        self.message, self.edited_at = message, max(now, self.cheep_date)
        return self.edited_at

    def delete(self, author_id: Identifier, now: int) -> int | None:
        """Take the cheep back. When that was done, or none where it had been before. Raises NotTheAuthor."""
        self._refuse_others(author_id)
        if self.deleted_at is not None:
            return None
        self.deleted_at = max(now, self.cheep_date)
        return self.deleted_at

    def refuse_deleted(self) -> None:
        """Raise CheepNotFound where the cheep is deleted."""
        if self.deleted_at is not None:
            raise CheepNotFound(self.cheep_id)

    def _refuse_others(self, author_id: Identifier) -> None:
        if author_id != self.author_id:
            raise NotTheAuthor(self.cheep_id)


def _digest(message: str, in_reply_to: str | None) -> bytes:
    return values.digest_of({"message": message, "in_reply_to": in_reply_to})
