from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Command


class AnswerCheep(Command, frozen=True, kw_only=True):
    """Post a cheep in answer to another one. Its key is the answer's author.

    The answered cheep belongs to another key, so it is read under a lock of its own.
    """

    TYPE: ClassVar[str] = "cheeper.answer-cheep.v1"
    KEY: ClassVar[str] = "author_id"
    ACTOR: ClassVar[str] = "author_id"

    cheep_id: str
    in_reply_to: str
    author_id: str
    message: str
