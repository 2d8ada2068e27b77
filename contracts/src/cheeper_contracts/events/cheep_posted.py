from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Event


class CheepPosted(Event, frozen=True, kw_only=True):
    """An author posted a cheep. Its key is the author.

    `cheep_date` rises strictly within an author. The username may be copied, since usernames never change.
    """

    TYPE: ClassVar[str] = "cheeper.cheep-posted.v1"
    KEY: ClassVar[str] = "author_id"

    cheep_id: str
    author_id: str
    author_username: str
    message: str
    cheep_date: int
