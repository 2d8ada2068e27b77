from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from write_api.domain import values
from write_api.domain.errors import CheepIdTaken, CheepNotFound, NotTheAuthor
from write_api.domain.values import CheepText, Identifier


@dataclass(slots=True, kw_only=True)
class Cheep:
    """A text that an author posted, possibly in answer to another cheep.

    `post_digest` is of the first text and the answered cheep, so that a repeat of the post is recognised after an edit.
    A deleted cheep stays, with the time of its deletion. Times are microseconds since the epoch, UTC.
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
        """Make a cheep as its author posts it."""
        return cls(
            cheep_id=cheep_id,
            author_id=author_id,
            message=message,
            cheep_date=cheep_date,
            post_digest=_digest(message, in_reply_to),
            in_reply_to=in_reply_to,
        )

    def accept_repeat(self, author_id: Identifier, message: CheepText, in_reply_to: Identifier | None = None) -> None:
        """Accept a second post with this id if it repeats the first one. Raise CheepIdTaken."""
        if (author_id, _digest(message, in_reply_to)) != (self.author_id, self.post_digest):
            raise CheepIdTaken(self.cheep_id)

    def edit(self, author_id: Identifier, message: CheepText, now: int) -> int | None:
        """Change the text and return the time of the change, None if it is the text already. Raise NotTheAuthor, or
        CheepNotFound once the cheep is deleted.
        """
        self._refuse_others(author_id)
        self.refuse_deleted()
        if message == self.message:
            return None
        self.message, self.edited_at = message, max(now, self.cheep_date)
        return self.edited_at

    def delete(self, author_id: Identifier, now: int) -> int | None:
        """Delete the cheep and return the time of that, None if it is deleted already. Raise NotTheAuthor."""
        self._refuse_others(author_id)
        if self.deleted_at is not None:
            return None
        self.deleted_at = max(now, self.cheep_date)
        return self.deleted_at

    def refuse_deleted(self) -> None:
        """Raise CheepNotFound if the cheep is deleted."""
        if self.deleted_at is not None:
            raise CheepNotFound(self.cheep_id)

    def _refuse_others(self, author_id: Identifier) -> None:
        if author_id != self.author_id:
            raise NotTheAuthor(self.cheep_id)


def _digest(message: str, in_reply_to: str | None) -> bytes:
    return values.digest_of({"message": message, "in_reply_to": in_reply_to})
