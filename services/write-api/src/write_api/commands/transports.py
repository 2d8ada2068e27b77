"""The two ways of a command: `sync` runs it now, `async` sends it to Kafka for the worker. Configuration says which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import structlog

from cheeper_contracts.envelope import Envelope
from cheeper_contracts.messages import Command
from write_api.commands.bus import CommandBus
from write_api.commands.outcome import Incoming, KnownCommand, Outcome, digest_of

log = structlog.get_logger()


class Transport(StrEnum):
    """How a command gets to its handler."""

    SYNC = "sync"
    ASYNC = "async"


class Send(Protocol):
    """Sends commands to the worker."""

    async def __call__(self, command: Command, envelope: Envelope) -> None:
        """Send a command, and return once the broker has it. Raises UnavailableError."""


class Reservations(Protocol):
    """Keeps which command a message id belongs to, before the command is sent anywhere."""

    async def reserve(self, message_id: str, digest: bytes, key: str, at: int) -> KnownCommand:
        """Take the message id for a command that is accepted now, unless it is taken, in a transaction of its own.

        What is kept of the message id then. Raises UnavailableError.
        """


class Dispatcher:
    """Takes commands from clients, each by its transport."""

    def __init__(
        self, bus: CommandBus, transports: Mapping[type[Command], Transport], reservations: Reservations, send: Send
    ) -> None:
        self._bus = bus
        self._transports = transports
        self._reservations = reservations
        self._send = send

    async def dispatch(self, command: Command, envelope: Envelope, *, repeatable: bool) -> Outcome:
        """Run the command or send it, and say what its client is to be told.

        `repeatable`: the client chose the message id, and may send the command again under it, here or elsewhere and
        by whichever transport; it is told the same again. Raises UnavailableError: the outcome is unknown.
        """
        if self._transports[type(command)] is Transport.SYNC:
            (outcome,) = await self._bus.handle([Incoming(command=command, envelope=envelope)])
            return outcome
        if repeatable:
            known = await self._reservations.reserve(
                envelope.message_id, digest := digest_of(command), command.key, envelope.time
            )
            answer = known.answer(envelope.message_id, digest)
            if answer is not None:
                return answer
        # A repeat is sent again, since the first one may have been lost before the broker had it. The worker knows.
        await self._send(command, envelope)
        _log(envelope)
        return Outcome(accepted=True)


def _log(envelope: Envelope) -> None:
    log.info(
        "command accepted",
        message_id=envelope.message_id,
        correlation_id=envelope.correlation_id,
        type=envelope.type,
        key=envelope.key,
    )
