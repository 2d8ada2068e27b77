"""A graph as the events that make it, with their envelopes, sequences and rows: what a real log would hold."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cheeper_bench.environment.graph import BEGAN, Graph
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.kafka import codec
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_contracts.kafka.topics import EVENTS, partition_of
from cheeper_contracts.messages import Event
from projector.messages.decoding import DecodedMessage

TOPIC_ID = "seeded"


class NumberedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its envelope, which has its sequence, and its partition."""

    event: Event
    envelope: Envelope
    partition: int

    def incoming(self) -> DecodedMessage:
        """Return the event as the projector decodes it; its offset is its sequence less one."""
        sequence = self.envelope.sequence or 0
        return DecodedMessage(
            topic=EVENTS.name,
            partition=self.partition,
            offset=sequence - 1,
            sequence=sequence,
            key=self.event.key,
            envelope=self.envelope,
            event=self.event,
            poison=None,
            headers=to_headers(self.envelope),
            value=codec.encode(self.event),
        )


class Numbering:
    """Gives events their sequences, 1, 2, 3 … within each partition."""

    def __init__(self) -> None:
        self.last: dict[int, int] = {}

    def number(self, event: Event, message_id: str, time: int, *, reply_to: str | None = None) -> NumberedEvent:
        """Return the event with its number. With `reply_to`, a command's id, stores keep that command's record too."""
        partition = partition_of(event.key)
        self.last[partition] = sequence = self.last.get(partition, 0) + 1
        envelope = Envelope(
            message_id=message_id,
            type=event.TYPE,
            source="/bench",
            time=time,
            key=event.key,
            correlation_id=reply_to or message_id,
            reply_to=reply_to,
            sequence=sequence,
        )
        return NumberedEvent(event=event, envelope=envelope, partition=partition)


def events(graph: Graph) -> Iterator[Event]:
    """Yield sign-ups, follows and cheeps; their times rise by a millisecond per event."""
    time = BEGAN
    for author in range(graph.authors):
        time += 1000
        yield NewAuthorSigned(author_id=graph.author_id(author), username=graph.username(author), signed_up_at=time)
    for follower, followed in graph.follows:
        time += 1000
        yield AuthorFollowed(
            follow_id=graph.id_of("follow", follower, followed),
            from_author_id=graph.author_id(follower),
            to_author_id=graph.author_id(followed),
            followed_at=time,
        )
    for number, (author, text) in enumerate(graph.cheeps):
        time += 1000
        yield CheepPosted(
            cheep_id=graph.id_of("cheep", number),
            author_id=graph.author_id(author),
            author_username=graph.username(author),
            message=text,
            cheep_date=time,
        )


def time_of(event: Event) -> int:
    """Return the time of an event."""
    for field in ("signed_up_at", "followed_at", "cheep_date"):
        if hasattr(event, field):
            return int(getattr(event, field))
    raise TypeError(type(event).__name__)


def numbered_events(graph: Graph, numbering: Numbering) -> Iterator[NumberedEvent]:
    """Yield the graph's numbered events. They settle no command, so that stores keep no command's record of them."""
    for number, event in enumerate(events(graph)):
        yield numbering.number(event, graph.id_of("message", number), time_of(event))
