"""One Postgres transaction, as the handlers and the bus see it. Only the bus ends one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from cheeper_contracts.envelope import Envelope
from cheeper_contracts.messages import Command, Event
from write_api.bus.outcome import KnownCommand, Outcome
from write_api.domain.repositories import Authors, Cheeps, Follows, Notifications


class ClashError(Exception):
    """What was written together at the end of a transaction broke a rule that the tables hold, and nothing was done.
    Run again with each command's writes at once, it shows which command is to be refused.
    """


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """A command that has been handled, and the one message that says so, with its envelope."""

    message_id: str
    digest: bytes
    key: str
    accepted: bool
    outcome: Outcome
    event: Event
    envelope: Envelope


class UnitOfWork(Protocol):
    """All that one transaction may touch."""

    @property
    def authors(self) -> Authors:
        """All authors."""

    @property
    def follows(self) -> Follows:
        """Who follows whom now."""

    @property
    def cheeps(self) -> Cheeps:
        """All cheeps."""

    @property
    def notifications(self) -> Notifications:
        """What authors were told."""

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """A part of the transaction that an exception undoes, whole and alone. The exception goes on."""

    async def known(self, message_ids: Collection[str]) -> dict[str, KnownCommand]:
        """What is kept of the commands with those message ids."""

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        """Keep what became of the commands, and leave their messages in the outbox, in this order."""


class Begin(Protocol):
    """Opens units of work."""

    def __call__(
        self, keys: Collection[str], together: Sequence[Command] = ()
    ) -> AbstractAsyncContextManager[UnitOfWork]:
        """A transaction that holds the locks of these keys from before its first write until its end.

        With the commands that it is for, `together`, what they need is found beforehand and what they save is written
        at the end, in a few statements for all; it may then end in a ClashError. Without, each `save` writes at once.

        It commits when its block ends, and is undone when an exception leaves it. Raises UnavailableError where the
        database is away or the transaction lost against another; the commit's outcome is then unknown.
        """
