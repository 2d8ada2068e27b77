"""The commands: what an author asks for, in the imperative, as structs of primitive types.

Every command has one key, the author whose stream its events belong to. The key is the command's Kafka key, its lock
in Postgres and its events' Kafka key, so commands and events of one key run in order and between keys nothing is
promised.

Ids are UUIDs as lower-case text; a birth date is `YYYY-MM-DD`; texts are as the client sent them, not yet checked.
"""

from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.messages import Message


class Command(Message, frozen=True, kw_only=True):
    """A command."""


class SignUp(Command, frozen=True, kw_only=True):
    """Sign an author up. Its key is the author."""

    TYPE: ClassVar[str] = "cheeper.sign-up.v1"
    KEY: ClassVar[str] = "author_id"

    author_id: str
    username: str
    email: str
    name: str | None = None
    bio: str | None = None
    location: str | None = None
    website: str | None = None
    birth_date: str | None = None


class Follow(Command, frozen=True, kw_only=True):
    """Let one author follow another. Its key is the followed author, so that a follow is ordered with the cheeps
    that it brings into the follower's timeline.
    """

    TYPE: ClassVar[str] = "cheeper.follow.v1"
    KEY: ClassVar[str] = "to_author_id"

    follow_id: str
    from_author_id: str
    to_author_id: str


class PostCheep(Command, frozen=True, kw_only=True):
    """Post a cheep. Its key is the author."""

    TYPE: ClassVar[str] = "cheeper.post-cheep.v1"
    KEY: ClassVar[str] = "author_id"

    cheep_id: str
    author_id: str
    message: str


COMMANDS: tuple[type[Command], ...] = (SignUp, Follow, PostCheep)
