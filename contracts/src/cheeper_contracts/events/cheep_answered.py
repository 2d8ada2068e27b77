from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class CheepAnswered(Event, frozen=True, kw_only=True):
    """An author posted a cheep in answer to another one. An answer is a cheep like any other.

    Its key is the answer's author. `parent_author_id` is the author of the answered cheep.
    """

    TYPE: ClassVar[str] = "cheeper.cheep-answered.v1"
    KEY: ClassVar[str] = "author_id"

    cheep_id: str
    author_id: str
    author_username: str
    message: str
    cheep_date: int
    in_reply_to: str
    parent_author_id: str
