"""The events: what has happened to an author, in the past tense, and the outcomes of commands that changed nothing.

A handled command leaves exactly one message: the event of what it changed, or `CommandHandled` where its act was
already true, or `CommandRejected` where the domain refused it. So one message of `cheeper.events` settles a command.

Times are int64 microseconds since the epoch, UTC; ids are UUIDs as lower-case text. No event carries an e-mail address.
"""

from __future__ import annotations

from typing import ClassVar

from cheeper_contracts.commands import Command, Follow, PostCheep, SignUp
from cheeper_contracts.messages import Message


class Event(Message, frozen=True, kw_only=True):
    """An event, or the outcome of a command."""


class NewAuthorSigned(Event, frozen=True, kw_only=True):
    """An author signed up. Its key is the author."""

    TYPE: ClassVar[str] = "cheeper.new-author-signed.v1"
    KEY: ClassVar[str] = "author_id"

    author_id: str
    username: str
    signed_up_at: int
    name: str | None = None
    bio: str | None = None
    location: str | None = None
    website: str | None = None
    birth_date: str | None = None


class AuthorFollowed(Event, frozen=True, kw_only=True):
    """One author follows another from now on. Its key is the followed author."""

    TYPE: ClassVar[str] = "cheeper.author-followed.v1"
    KEY: ClassVar[str] = "to_author_id"

    follow_id: str
    from_author_id: str
    to_author_id: str
    followed_at: int


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


class CommandHandled(Event, frozen=True, kw_only=True):
    """A command found its act already true and changed nothing. Its key is the command's."""

    TYPE: ClassVar[str] = "cheeper.command-handled.v1"
    KEY: ClassVar[str] = "command_key"

    command_type: str
    command_key: str
    changed: bool = False


class CommandRejected(Event, frozen=True, kw_only=True):
    """The domain refused a command. `code` is one of `answers.STATUS_OF`, `message` one sentence for the client.
    Its key is the command's.
    """

    TYPE: ClassVar[str] = "cheeper.command-rejected.v1"
    KEY: ClassVar[str] = "command_key"

    command_type: str
    command_key: str
    code: str
    message: str


EVENTS: tuple[type[Event], ...] = (NewAuthorSigned, AuthorFollowed, CheepPosted, CommandHandled, CommandRejected)

COMMAND_OF: dict[type[Event], type[Command]] = {
    NewAuthorSigned: SignUp,
    AuthorFollowed: Follow,
    CheepPosted: PostCheep,
}
"""The command that each domain event settles; the outcomes carry their command's type themselves."""
