"""The command bus: the one place where a command's transaction begins and ends.

`features` names the handler of each command.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
import structlog

from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.messages import Command, Event
from cheeper_runtime.traces.traceparent import id_fields, is_sampled
from write_api.bus.authorisation import NOT_ALLOWED, SENTENCE, IsAllowed, everything
from write_api.bus.errors import MessageIdTakenError
from write_api.bus.ids import new_id
from write_api.bus.outcome import KnownCommand, Outcome, ReceivedCommand, digest_of
from write_api.bus.traces import CommandTraces
from write_api.bus.unit_of_work import Begin, Checkpoint, ClashError, HandledCommand, UnitOfWork
from write_api.domain.errors import Refusal

Handler = Callable[[Any, Any, int], Awaitable[Event | None]]
"""Takes a command, the repositories of its transaction, and the time in microseconds since the epoch. Returns the one
event of the change, or None if the command's effect already holds. Raises a Refusal."""


class Count(Protocol):
    """Counts the outcomes of commands."""

    def __call__(self, type_: str, *, changed: bool, code: str | None, repeated: bool, seconds: float) -> None:
        """Count one that was handled or, if it is `repeated`, known, that number of seconds after its envelope's time.
        Return at once and never raise.
        """


MAX_BATCH: Final = 240
"""Commands in one transaction. They share the cost of each statement, and their locks are held for all of it."""
_MAX_SAVEPOINTS: Final = 60
"""Commands in one transaction if each has a savepoint: from 64 on, Postgres keeps subtransactions on disk."""

log = structlog.get_logger()


def uncounted(type_: str, *, changed: bool, code: str | None, repeated: bool, seconds: float) -> None:
    """Count nothing."""


def now_in_microseconds() -> int:
    """Return the time of this process's clock, in microseconds since the epoch. What is stored has the database's."""
    return time.time_ns() // 1000


class CommandBus:
    """Runs commands, each by its one handler.

    `wake` is called after each commit, to hint to the relay; it must return at once and never raise.
    `count` is called for each command after the commit.
    `is_allowed` decides about each command before its handler runs.
    `accepted` means that the senders got the response "accepted" before their commands come here, as the worker's did.
    `traces` makes spans, unless it is None.
    """

    def __init__(  # noqa: PLR0913 - bootstrap passes each of them
        self,
        begin: Begin,
        wake: Callable[[], None],
        handlers: Mapping[type[Command], Handler],
        *,
        source: str,
        accepted: bool = False,
        count: Count = uncounted,
        is_allowed: IsAllowed = everything,
        traces: CommandTraces | None = None,
    ) -> None:
        self._begin = begin
        self._wake = wake
        self._handlers = handlers
        self._source = source
        self._accepted = accepted
        self._count = count
        self._is_allowed = is_allowed
        self._traces = traces

    async def handle(self, batch: Sequence[ReceivedCommand], checkpoints: Sequence[Checkpoint] = ()) -> list[Outcome]:
        """Handle commands in this order and return the outcome of each. They share one transaction unless they clash.

        The checkpoints move in the transaction of the last command.

        Every command that has not been handled before leaves exactly one message in the outbox, a refused one too.
        Raises UnavailableError if it is unknown whether anything was done; the same batch may be handled again. Any
        other exception is a defect or a command that nothing here can take; trying each command alone tells which.
        """
        if len(batch) > MAX_BATCH:
            raise ValueError(f"{len(batch)} commands are more than one transaction takes ({MAX_BATCH})")
        if self._traces is None:
            results = await self._transact_all(batch, checkpoints)
        else:
            with self._traces.batch(batch) as spans:
                batch = spans.commands
                results = await self._transact_all(batch, checkpoints)
                spans.handled(results)
        if any(handled is not None for _, handled in results):
            self._wake()
        now = now_in_microseconds()
        for received, (outcome, handled) in zip(batch, results, strict=True):
            repeated = handled is None
            self._log(received, outcome, repeated=repeated)
            self._count(
                received.command.TYPE,
                changed=outcome.changed,
                code=outcome.code,
                repeated=repeated,
                seconds=max(0, now - received.envelope.time) / 1_000_000,
            )
        return [outcome for outcome, _ in results]

    async def _transact_all(
        self, batch: Sequence[ReceivedCommand], checkpoints: Sequence[Checkpoint]
    ) -> list[tuple[Outcome, HandledCommand | None]]:
        try:
            return await self._transact(batch, checkpoints)
        except (ClashError, MessageIdTakenError):
            return await self._transact_separately(batch, checkpoints)

    async def _transact_separately(
        self, batch: Sequence[ReceivedCommand], checkpoints: Sequence[Checkpoint]
    ) -> list[tuple[Outcome, HandledCommand | None]]:
        results: list[tuple[Outcome, HandledCommand | None]] = []
        for first in range(0, len(batch), _MAX_SAVEPOINTS):
            some = batch[first : first + _MAX_SAVEPOINTS]
            reached = checkpoints if first + _MAX_SAVEPOINTS >= len(batch) else ()
            try:
                results += await self._transact(some, reached, separately=True)
            except MessageIdTakenError:  # the command that took it has committed: now it is known, and ours is refused
                results += await self._transact(some, reached, separately=True)
        return results

    async def _transact(
        self, batch: Sequence[ReceivedCommand], checkpoints: Sequence[Checkpoint], *, separately: bool = False
    ) -> list[tuple[Outcome, HandledCommand | None]]:
        if self._traces is None:
            return await self._in_transaction(batch, checkpoints, separately=separately)
        with self._traces.transaction(batch):
            return await self._in_transaction(batch, checkpoints, separately=separately)

    async def _in_transaction(
        self, batch: Sequence[ReceivedCommand], checkpoints: Sequence[Checkpoint], *, separately: bool
    ) -> list[tuple[Outcome, HandledCommand | None]]:
        commands = [received.command for received in batch]
        async with self._begin({command.key for command in commands}, commands, separately=separately) as work:
            known = await work.known({received.envelope.message_id for received in batch})
            # Each has its own microsecond, so that times rise in the order of the batch.
            results = [
                await self._handle_one(work, known, received, work.now + place) for place, received in enumerate(batch)
            ]
            await work.record([handled for _, handled in results if handled is not None], checkpoints)
        return results

    async def _handle_one(
        self, work: UnitOfWork, known: dict[str, KnownCommand], received: ReceivedCommand, now: int
    ) -> tuple[Outcome, HandledCommand | None]:
        message_id, digest = received.envelope.message_id, digest_of(received.command)
        before = known.get(message_id)
        repeated = None if before is None else before.outcome_for(message_id, digest)
        if repeated is not None:
            return repeated, None
        accepted = self._accepted or (before is not None and before.accepted)
        outcome, event = await self._run(work, received, now)
        known[message_id] = KnownCommand(digest=digest, accepted=accepted, outcome=outcome)
        handled = HandledCommand(
            message_id=message_id,
            digest=digest,
            key=received.command.key,
            accepted=accepted,
            outcome=outcome,
            event=event,
            envelope=self._envelope_of(event, received.envelope, now),
        )
        return msgspec.structs.replace(outcome, accepted=accepted), handled

    async def _run(self, work: UnitOfWork, received: ReceivedCommand, now: int) -> tuple[Outcome, Event]:
        command = received.command
        if not self._is_allowed(command, received.envelope.actor):
            return _rejected(command, NOT_ALLOWED, SENTENCE)
        try:
            async with work.savepoint():
                event = await self._call(received, work, now)
        except Refusal as refusal:
            return _rejected(command, refusal.code, refusal.message)
        if event is None:
            return Outcome(), CommandHandled(command_type=command.TYPE, command_key=command.key)
        return Outcome(changed=True), event

    async def _call(self, received: ReceivedCommand, work: UnitOfWork, now: int) -> Event | None:
        command, handler = received.command, self._handlers[type(received.command)]
        if self._traces is None or not is_sampled(received.envelope.traceparent):
            return await handler(command, work, now)
        with self._traces.handler(received.envelope):
            return await handler(command, work, now)

    def _envelope_of(self, event: Event, cause: Envelope, now: int) -> Envelope:
        return Envelope(
            message_id=new_id(),
            type=event.TYPE,
            source=self._source,
            time=now,
            key=event.key,
            correlation_id=cause.correlation_id,
            reply_to=cause.message_id,
            traceparent=cause.traceparent,
        )

    def _log(self, received: ReceivedCommand, outcome: Outcome, *, repeated: bool) -> None:
        envelope = received.envelope
        log.info(
            "command rejected" if outcome.code else "command handled",
            message_id=envelope.message_id,
            correlation_id=envelope.correlation_id,
            type=envelope.type,
            key=envelope.key,
            handled_by=self._handlers[type(received.command)].__name__,
            changed=outcome.changed,
            code=outcome.code,
            repeated=repeated,
            **id_fields(envelope.traceparent),
        )


def _rejected(command: Command, code: str, message: str) -> tuple[Outcome, CommandRejected]:
    return Outcome(code=code, message=message), CommandRejected(
        command_type=command.TYPE, command_key=command.key, code=code, message=message
    )
