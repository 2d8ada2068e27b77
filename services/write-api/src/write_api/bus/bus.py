"""The command bus: the one place where a transaction begins and ends. Which handler a command has is in `features`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
import structlog

from cheeper_contracts.envelope import Envelope
from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from cheeper_contracts.messages import Command, Event
from write_api.bus.errors import MessageIdTakenError
from write_api.bus.ids import new_id
from write_api.bus.outcome import KnownCommand, Outcome, ReceivedCommand, digest_of
from write_api.bus.unit_of_work import Begin, ClashError, Settlement, UnitOfWork
from write_api.domain.errors import Refusal

Handler = Callable[[Any, UnitOfWork, int], Awaitable[Event | None]]
"""(command, unit of work, microseconds since the epoch) → the one event of what it changed, or none where its act was
already true. Raises a Refusal."""


class Count(Protocol):
    """Counts what became of commands."""

    def __call__(self, type_: str, *, changed: bool, code: str | None, repeated: bool) -> None:
        """One was handled, or answered as it was before where it is `repeated`. At once, and without raising."""


MAX_BATCH: Final = 240
"""Commands in one transaction: what each statement costs is shared by so many, and locks are held for so long."""
_MAX_SAVEPOINTS: Final = 60
"""The same where each command has a savepoint: from 64 on Postgres looks subtransactions up on disk."""

log = structlog.get_logger()


def uncounted(type_: str, *, changed: bool, code: str | None, repeated: bool) -> None:
    """Count nothing."""


def now_in_microseconds() -> int:
    """The system's clock."""
    return time.time_ns() // 1000


class CommandBus:
    """Runs commands, each by its one handler.

    `wake` is called after each commit, to hint to the relay; it must return at once and never raise.
    `count` is told of each command after the commit.
    `accepted` says whether senders have been told "accepted" before their commands come here, as the worker's have.
    """

    def __init__(  # noqa: PLR0913 - what bootstrap hands it
        self,
        begin: Begin,
        wake: Callable[[], None],
        handlers: Mapping[type[Command], Handler],
        *,
        source: str,
        accepted: bool = False,
        clock: Callable[[], int] = now_in_microseconds,
        count: Count = uncounted,
    ) -> None:
        self._begin = begin
        self._wake = wake
        self._handlers = handlers
        self._source = source
        self._accepted = accepted
        self._clock = clock
        self._count = count

    async def handle(self, batch: Sequence[ReceivedCommand]) -> list[Outcome]:
        """Handle commands in this order, in one transaction or, where they clash, in some, and say what became of each.

        Every command that has not been handled before leaves exactly one message in the outbox, a refused one too.
        Raises UnavailableError: then whether anything was done is unknown, and the same batch may be handled again. Any
        other exception is a defect or a command that nothing here can take; trying each command alone tells which.
        """
        if len(batch) > MAX_BATCH:
            raise ValueError(f"{len(batch)} commands are more than one transaction takes ({MAX_BATCH})")
        try:
            handled = await self._transact(batch, together=[incoming.command for incoming in batch])
        except (ClashError, MessageIdTakenError):
            handled = await self._transact_one_by_one(batch)
        if any(settlement is not None for _, settlement in handled):
            self._wake()
        for incoming, (answer, settlement) in zip(batch, handled, strict=True):
            repeated = settlement is None
            self._log(incoming, answer, repeated=repeated)
            self._count(incoming.command.TYPE, changed=answer.changed, code=answer.code, repeated=repeated)
        return [answer for answer, _ in handled]

    async def _transact_one_by_one(self, batch: Sequence[ReceivedCommand]) -> list[tuple[Outcome, Settlement | None]]:
        handled: list[tuple[Outcome, Settlement | None]] = []
        for first in range(0, len(batch), _MAX_SAVEPOINTS):
            some = batch[first : first + _MAX_SAVEPOINTS]
            try:
                handled += await self._transact(some)
            except MessageIdTakenError:  # whoever took it has committed: now it is known, its other command refused
                handled += await self._transact(some)
        return handled

    async def _transact(
        self, batch: Sequence[ReceivedCommand], together: Sequence[Command] = ()
    ) -> list[tuple[Outcome, Settlement | None]]:
        async with self._begin({incoming.command.key for incoming in batch}, together) as work:
            known = await work.known({incoming.envelope.message_id for incoming in batch})
            handled = [await self._answer(work, known, incoming) for incoming in batch]
            await work.settle([settlement for _, settlement in handled if settlement is not None])
        return handled

    async def _answer(
        self, work: UnitOfWork, known: dict[str, KnownCommand], incoming: ReceivedCommand
    ) -> tuple[Outcome, Settlement | None]:
        message_id, digest = incoming.envelope.message_id, digest_of(incoming.command)
        before = known.get(message_id)
        answer = None if before is None else before.answer(message_id, digest)
        if answer is not None:
            return answer, None
        accepted = self._accepted or (before is not None and before.accepted)
        outcome, event = await self._run(work, incoming.command)
        known[message_id] = KnownCommand(digest=digest, accepted=accepted, outcome=outcome)
        settlement = Settlement(
            message_id=message_id,
            digest=digest,
            key=incoming.command.key,
            accepted=accepted,
            outcome=outcome,
            event=event,
            envelope=self._reply(incoming.envelope, event),
        )
        return msgspec.structs.replace(outcome, accepted=accepted), settlement

    async def _run(self, work: UnitOfWork, command: Command) -> tuple[Outcome, Event]:
        try:
            async with work.savepoint():
                event = await self._handlers[type(command)](command, work, self._clock())
        except Refusal as refusal:
            outcome = Outcome(code=refusal.code, message=refusal.message)
            return outcome, CommandRejected(
                command_type=command.TYPE, command_key=command.key, code=refusal.code, message=refusal.message
            )
        if event is None:
            return Outcome(), CommandHandled(command_type=command.TYPE, command_key=command.key)
        return Outcome(changed=True), event

    def _reply(self, cause: Envelope, event: Event) -> Envelope:
        return Envelope(
            message_id=new_id(),
            type=event.TYPE,
            source=self._source,
            time=self._clock(),
            key=event.key,
            correlation_id=cause.correlation_id,
            reply_to=cause.message_id,
            traceparent=cause.traceparent,
        )

    def _log(self, incoming: ReceivedCommand, answer: Outcome, *, repeated: bool) -> None:
        envelope = incoming.envelope
        log.info(
            "command rejected" if answer.code else "command handled",
            message_id=envelope.message_id,
            correlation_id=envelope.correlation_id,
            type=envelope.type,
            key=envelope.key,
            handled_by=self._handlers[type(incoming.command)].__name__,
            changed=answer.changed,
            code=answer.code,
            repeated=repeated,
        )
