"""The tracer: it finds out what an id is, and puts the trace together."""

from __future__ import annotations

from typing import Final

from cheeper_contracts.actors import SYSTEM
from cheeper_contracts.catalogue import COMMANDS
from cheeper_contracts.ids import made_for
from cheeper_contracts.kafka import topics
from cheeper_contracts.partitions import PARTITIONS
from inspector.attempts import Attempts
from inspector.trace.commands import command_trace
from inspector.trace.events import EventTraces
from inspector.trace.evidence import FoundMessage, Readers
from inspector.trace.model import CommandTrace, EventTrace, Kind, Mention, Trace
from inspector.trace.remains import Collector, Remains

MOST_COMMANDS: Final = 30
"""The most commands of one tree."""
MOST_MENTIONS: Final = 50
_MADE_BY_THE_SYSTEM: Final = tuple(command.TYPE for command in COMMANDS if command.ACTOR == SYSTEM)


class Tracer:
    """The traces of one request: it reads each server at most until it is found to be unavailable."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._attempts = Attempts()
        self._collector = Collector(readers, self._attempts)
        self._events = EventTraces(readers, self._attempts)
        self._left = MOST_COMMANDS
        self._is_cut = False

    def trace(self, identifier: str) -> Trace:
        """Return the trace of a message, an author or a cheep by its id, a UUID in lower case."""
        remains = self._collector.of(identifier)
        if not remains.is_empty:
            return self._of_command(identifier, "command", remains)
        read, write_model = self._attempts.read, self._readers.write_model
        if read("postgres", lambda: write_model.has_author(identifier), default=False):
            return self._of_author(identifier)
        times = read("postgres", lambda: write_model.cheep_times(identifier), None)
        if times is not None:
            return self._of_cheep(identifier, *times)
        event = self._collector.find_by_id("events", identifier)
        if event is not None and event.envelope.reply_to is not None:
            cause = event.envelope.reply_to
            return self._of_command(identifier, "event", self._collector.of(cause))
        return self._trace(identifier, "unknown", notes=(_nothing(self._attempts),))

    def named(self, username: str) -> Trace:
        """Return the trace of an author by the username."""
        write_model = self._readers.write_model
        author = self._attempts.read("postgres", lambda: write_model.author_named(username), None)
        if author is None:
            return self._trace(username, "unknown", notes=(_nothing(self._attempts),))
        return self._of_author(author)

    def _of_command(self, identifier: str, kind: Kind, remains: Remains) -> Trace:
        notes: tuple[str, ...] = ()
        root = remains.correlation_id
        if root is not None and root != remains.message_id:
            first = self._collector.of(root)
            if first.is_empty:
                notes = (f"Nothing is left of {root}, the command that began it all.",)
            else:
                remains = first
        return self._trace(identifier, kind, tree=self._tree(remains), notes=notes)

    def _of_author(self, author_id: str) -> Trace:
        found = [message for partition in range(PARTITIONS) for message in self._newest(partition, author_id.encode())]
        note = "These are the newest events that name the author; older ones are traced by their own ids."
        return self._trace(author_id, "author", mentions=_mentions(found), notes=(note,))

    def _newest(self, partition: int, named: bytes) -> tuple[FoundMessage, ...]:
        topics_ = self._readers.topics
        return self._attempts.read(
            "kafka", lambda: topics_.newest("events", partition, lambda each: named in each.value), ()
        )

    def _of_cheep(self, cheep_id: str, author_id: str, times: tuple[int, ...]) -> Trace:
        """Trace what posted the cheep, and name what changed it last, and deleted it."""
        named, partition = cheep_id.encode(), topics.partition_of(author_id)
        posted = self._collector.find("events", partition, times[0], lambda each: named in each.value)[:1]
        found = [*posted, *(each for at in times[1:] for each in self._named_since(partition, at, named))]
        command = posted[0].envelope.reply_to if posted else None
        tree = None if command is None else self._tree(self._collector.of(command))
        return self._trace(cheep_id, "cheep", tree=tree, mentions=_mentions(found))

    def _named_since(self, partition: int, at: int, named: bytes) -> tuple[FoundMessage, ...]:
        return self._collector.find(
            "events", partition, at, lambda each: each.envelope.time >= at and named in each.value
        )[:1]

    def _tree(self, remains: Remains) -> CommandTrace:
        self._left -= 1
        return command_trace(remains, self._event(remains), self._readers, self._attempts)

    def _event(self, remains: Remains) -> EventTrace | None:
        envelope = remains.event_envelope
        if envelope is None:
            return None
        followed = tuple(self._tree(each) for each in self._following(envelope.message_id, remains))
        return self._events.of(remains, followed)

    def _following(self, event_id: str, remains: Remains) -> list[Remains]:
        """Return what remains of the commands that process managers made of an event: their ids derive from its id."""
        ids = [made_for(event_id, type_) for type_ in _MADE_BY_THE_SYSTEM]
        read, write_model = self._attempts.read, self._readers.write_model
        known = set(read("postgres", lambda: write_model.handled(ids), {}))
        if not known:
            known = self._sent(event_id, remains)
        found = [each for each in ids if each in known]
        self._is_cut = self._is_cut or len(found) > self._left
        return [self._collector.of(each) for each in found[: max(0, self._left)]]

    def _sent(self, event_id: str, remains: Remains) -> set[str]:
        """Return the ids of commands of an event that are in Kafka: their keys are among the ids in the event."""
        event, content = remains.event, remains.event.content if remains.event else None
        if event is None or content is None:
            return set()
        keys = {value for name, value in content.items() if name.endswith("author_id") and isinstance(value, str)}
        return {
            message.envelope.message_id
            for partition in {topics.partition_of(key) for key in keys}
            for message in self._collector.find(
                "commands", partition, event.envelope.time, lambda each: each.envelope.reply_to == event_id
            )
        }

    def _trace(
        self,
        identifier: str,
        kind: Kind,
        *,
        tree: CommandTrace | None = None,
        mentions: tuple[Mention, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> Trace:
        if self._is_cut:
            notes = (*notes, f"Only the first {MOST_COMMANDS} commands are shown.")
        unavailable = dict(self._attempts.unavailable)
        return Trace(id=identifier, kind=kind, tree=tree, mentions=mentions, unavailable=unavailable, notes=notes)


def _mentions(found: list[FoundMessage]) -> tuple[Mention, ...]:
    """Return the messages, the newest first, each once."""
    by_id = {message.envelope.message_id: message for message in found}
    newest = sorted(by_id.values(), key=lambda message: message.envelope.time, reverse=True)
    return tuple(
        Mention(
            message_id=message.envelope.message_id,
            type=message.envelope.type,
            time=message.envelope.time,
            key=message.envelope.key,
            command_id=message.envelope.reply_to,
            place=message.place,
        )
        for message in newest[:MOST_MENTIONS]
    )


def _nothing(attempts: Attempts) -> str:
    if attempts.unavailable:
        return "Nothing is known of it by the servers that responded."
    return "Nothing is known of it: it never was, or retention has removed all of it."
