"""The trace of an event: its place in the log, and what each store made of it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from cheeper_contracts import views
from cheeper_contracts.http.routes import TIMELINE
from cheeper_contracts.kafka import codec, topics
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.messages import Event
from inspector.attempts import Attempts
from inspector.trace.effects import Effects, KeyRef, effects_of
from inspector.trace.evidence import Readers, StoreReader, StoreState
from inspector.trace.model import CommandTrace, EventTrace, Progress, StoreTrace, View
from inspector.trace.remains import Remains

_NOTHING: Final = Effects()


class EventTraces:
    """Makes the traces of events."""

    def __init__(self, readers: Readers, attempts: Attempts) -> None:
        self._readers = readers
        self._attempts = attempts

    def of(self, remains: Remains, commands: tuple[CommandTrace, ...]) -> EventTrace | None:
        """Return the trace of a command's event, with the commands that followed from it, or None if there is none."""
        envelope = remains.event_envelope
        if envelope is None:
            return None
        effects = effects_in(remains)
        followers = self._followers(effects)
        sequence = envelope.sequence or (remains.record.sequence if remains.record else None)
        return EventTrace(
            message_id=envelope.message_id,
            type=envelope.type,
            key=envelope.key,
            time=envelope.time,
            source=envelope.source,
            correlation_id=envelope.correlation_id,
            sequence=sequence,
            content=_object(remains.event_value),
            place=remains.event.place if remains.event else None,
            stores=(self._redis(envelope, sequence, effects, followers), self._mongo(envelope, sequence, effects)),
            queries=(*effects.queries, *(TIMELINE.path.format(author_id=each) for each in followers)),
            commands=commands,
        )

    def _followers(self, effects: Effects) -> tuple[str, ...]:
        """Return some followers of the author to whose followers' timelines the event goes."""
        if effects.fan_out is None:
            return ()
        author, _ = effects.fan_out
        return self._attempts.read("redis", lambda: self._readers.redis.followers(author), ())

    def _redis(
        self, envelope: Envelope, sequence: int | None, effects: Effects, followers: tuple[str, ...]
    ) -> StoreTrace:
        redis, read = self._readers.redis, self._attempts.read
        keys = effects.keys
        if effects.fan_out is not None:
            _, entry = effects.fan_out
            keys = (*keys, *(KeyRef(views.TIMELINE, follower, entry) for follower in followers))
        shown = read("redis", lambda: redis.shown(keys), ())
        tasks = read("redis", lambda: redis.tasks(envelope.key), 0)
        return self._store("redis", redis, envelope, sequence, shown, tasks)

    def _mongo(self, envelope: Envelope, sequence: int | None, effects: Effects) -> StoreTrace:
        mongo = self._readers.mongo
        shown = self._attempts.read("mongo", lambda: mongo.shown(effects.documents), ())
        return self._store("mongo", mongo, envelope, sequence, shown, 0)

    def _store(  # noqa: PLR0913, PLR0917 - the parts of what a store made of an event
        self,
        name: str,
        store: StoreReader,
        envelope: Envelope,
        sequence: int | None,
        shown: tuple[View, ...],
        tasks: int,
    ) -> StoreTrace:
        read, partition = self._attempts.read, topics.partition_of(envelope.key)
        state = read(name, lambda: store.state(partition), None)
        if state is None:
            return StoreTrace(store=name, progress="unknown")
        parked = read(name, lambda: store.parked(envelope.key), ())
        error = next((each.error for each in parked if each.message_id == envelope.message_id), None)
        return StoreTrace(
            store=name,
            progress=progress_of(state, sequence, error),
            generation=state.generation,
            behind=None if sequence is None else max(0, sequence - state.sequence),
            error=error,
            tasks=tasks,
            views=shown,
        )


def progress_of(state: StoreState, sequence: int | None, error: str | None) -> Progress:
    """Return how far a store has come with the message of that sequence, None if that is not known."""
    if error is not None:
        return "parked"
    if sequence is None:
        return "unknown"
    return "applied" if state.sequence >= sequence else "waiting"


def effects_in(remains: Remains) -> Effects:
    """Return the effects of a command's event; there are no effects if the event cannot be read here."""
    event = event_in(remains)
    return _NOTHING if event is None else effects_of(event, remains.message_id)


def event_in(remains: Remains) -> Event | None:
    """Return a command's event, or None if there is none that can be read here."""
    envelope, value = remains.event_envelope, remains.event_value
    if envelope is None:
        return None
    try:
        return codec.decode_event(envelope.type, value)
    except (codec.UnknownMessageTypeError, codec.MalformedMessageError):
        return None


def _object(value: bytes | None) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(value or b"", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
