"""The two ways of a command: `sync` runs it now, `async` sends it to Kafka for the worker. Settings choose the way.

A client's command has a place under a limit for each server that it needs: a slow one does not take the other's places.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Protocol

import structlog

from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.messages import Command
from cheeper_runtime.concurrency.limit import OverloadedError
from cheeper_runtime.traces.traceparent import id_fields
from write_api.bus.authorisation import IsAllowed, NotAllowedError, everything
from write_api.bus.bus import MAX_BATCH, CommandBus
from write_api.bus.errors import UnavailableError
from write_api.bus.limits import Limits
from write_api.bus.outcome import KnownCommand, Outcome, ReceivedCommand, digest_of

log = structlog.get_logger()


class Transport(StrEnum):
    """The way of a command to its handler."""

    SYNC = "sync"
    ASYNC = "async"


class Send(Protocol):
    """Sends commands to the worker."""

    async def __call__(self, command: Command, envelope: Envelope) -> None:
        """Return once the broker has acknowledged the command. Raise UnavailableError or CommandTooLargeError."""


class Reservations(Protocol):
    """Records which command a message id belongs to, before the command is sent anywhere."""

    async def reserve(self, message_id: str, digest: bytes, key: str, at: int) -> KnownCommand:
        """Reserve the message id for a command that is accepted now, in a transaction of its own, and return its
        record, which is another command's if the id was taken. Raise UnavailableError.
        """

    async def withdraw(self, message_id: str, at: int) -> None:
        """Record that the command, which was reserved at that time, was not accepted: its client knows. It keeps
        its message id. Do nothing if it was reserved again or handled meanwhile. Raise UnavailableError.
        """


class Dispatcher:
    """Takes commands from clients and from process managers, each by its transport. `count` is called with the type of
    each command that was sent. `admit` raises OverloadedError if a client's command may not be sent now.

    Commands of process managers have no limit: a consumer passes on one batch at a time.
    """

    def __init__(  # noqa: PLR0913 - bootstrap passes each of them
        self,
        bus: CommandBus,
        transports: Mapping[type[Command], Transport],
        reservations: Reservations,
        send: Send,
        limits: Limits,
        *,
        count: Callable[[str], None] = lambda _type: None,
        admit: Callable[[], None] = lambda: None,
        is_allowed: IsAllowed = everything,
    ) -> None:
        self._bus = bus
        self._transports = transports
        self._reservations = reservations
        self._send = send
        self._limits = limits
        self._count = count
        self._admit = admit
        self._is_allowed = is_allowed

    async def dispatch(self, command: Command, envelope: Envelope, *, repeatable: bool) -> Outcome:
        """Run the command or send it, and return the outcome for its client.

        `repeatable` means that the client chose the message id, and may send the command again under it, here or
        elsewhere and by either transport; the outcome is then the same. Raise UnavailableError if the outcome is
        unknown, CommandTooLargeError if nothing was sent, and OverloadedError or NotAllowedError if nothing was done.
        """
        if not self._is_allowed(command, envelope.actor):
            raise NotAllowedError(envelope.type)
        if self._transports[type(command)] is Transport.ASYNC:
            self._admit()
            # The place at the broker comes first: nothing is reserved for a command that cannot be sent.
            return await self._limits.broker.run(self._accept, command, envelope, repeatable=repeatable)
        received = ReceivedCommand(command=command, envelope=envelope)
        (outcome,) = await self._limits.database.run(self._bus.handle, [received])
        return outcome

    async def _accept(self, command: Command, envelope: Envelope, *, repeatable: bool) -> Outcome:
        if repeatable:
            digest, reserve = digest_of(command), self._reservations.reserve
            known = await self._limits.database.run(reserve, envelope.message_id, digest, command.key, envelope.time)
            repeated = known.outcome_for(envelope.message_id, digest)
            if repeated is not None:
                return repeated
        # A repeat is sent again: the first one may have been lost before the broker had it. The worker skips the copy.
        try:
            await self._send(command, envelope)
        except Exception:
            if repeatable:
                await self._withdraw(envelope)
            raise
        self._count(command.TYPE)
        _log("command accepted", envelope)
        return Outcome(accepted=True)

    async def _withdraw(self, envelope: Envelope) -> None:
        """Let the command not count as accepted. Without a database it does, until its record is too old."""
        with suppress(UnavailableError, OverloadedError):
            await self._limits.database.run(self._reservations.withdraw, envelope.message_id, envelope.time)

    async def pass_on(self, batch: Sequence[ReceivedCommand]) -> None:
        """Run or send commands that nobody waits for, and return once all are done or acknowledged by the broker.

        A redelivered command must have the same message id. Raise UnavailableError; some may be done by then.
        """
        at_once = [one for one in batch if self._transports[type(one.command)] is Transport.SYNC]
        for first in range(0, len(at_once), MAX_BATCH):
            await self._bus.handle(at_once[first : first + MAX_BATCH])
        to_send = [one for one in batch if self._transports[type(one.command)] is Transport.ASYNC]
        sent = await asyncio.gather(*(self._send(one.command, one.envelope) for one in to_send), return_exceptions=True)
        for failure in filter(None, sent):
            raise failure
        for one in to_send:
            self._count(one.command.TYPE)
            _log("command sent", one.envelope)


def _log(event: str, envelope: Envelope) -> None:
    log.info(
        event,
        message_id=envelope.message_id,
        correlation_id=envelope.correlation_id,
        reply_to=envelope.reply_to,
        type=envelope.type,
        key=envelope.key,
        **id_fields(envelope.traceparent),
    )
