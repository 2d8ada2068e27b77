"""A timeline in memory whose changes are reported as the projector reports them, and a client that applies events."""

from __future__ import annotations

import uuid
from functools import partial

import msgspec

from cheeper_contracts.views import CheepRecord, pack_entry
from cheeper_contracts.views.streams import CHEEP, FOLLOWED, OWN, RECORD, REFRESH, UNFOLLOWED
from read_api.bootstrap import Limits
from read_api.ops.metrics import Metrics
from read_api.queries.shapes import shown_record
from read_api.queries.timeline import Timeline, TimelineCheep, TimelinePart, Timelines
from read_api.streams.stream import Message
from read_api.streams.streams import Streams
from read_api.streams.timeline_stream import TimelineStream

READER = "00000000-0000-4000-8000-0000000000aa"


class FakeTimelines:
    """The timeline of one reader with its own cheeps, by entry, its floor, and what receives the messages about it."""

    def __init__(self):
        self.records, self.floor, self.unavailable = {}, None, None
        self.receive = lambda _reader, _message: None
        self._texts = 0

    @property
    def entries(self):
        return sorted(self.records, reverse=True)

    def put(self, date, author):
        entry = pack_entry(date, str(uuid.UUID(int=len(self.records) + 1000 * self._texts + 1)))
        if author == READER or self.floor is None or entry > self.floor:
            self.records[entry] = self._record(entry, author)
            kind = OWN if author == READER else CHEEP
            self.receive(READER, Message(kind, entry, self.records[entry]))
        return entry

    def edit(self, entry):
        self.records[entry] = self._record(entry, msgspec.json.decode(self.records[entry])["author_id"])
        self.receive(None, Message(RECORD, entry, self.records[entry]))

    def delete(self, entry):
        del self.records[entry]
        self.receive(None, Message(RECORD, entry, b""))

    def unfollow(self, author):
        for entry in [each for each in self.records if self.author_of(each) == author]:
            del self.records[entry]
        self.receive(READER, Message(UNFOLLOWED, author.encode()))

    def follow(self, author, dates):
        for date in dates:
            self._texts += 1
            entry = pack_entry(date, str(uuid.UUID(int=self._texts * 7_919)))
            self.records[entry] = self._record(entry, author)
        self.receive(READER, Message(FOLLOWED, author.encode()))

    def trim(self, length):
        for entry in self.of(own=False)[length:][:1]:
            self.floor = entry
        for entry in self.of(own=False)[length:]:
            del self.records[entry]

    def of(self, *, own):
        """Return the entries of the reader's own cheeps, or of the others."""
        return [entry for entry in self.entries if (self.author_of(entry) == READER) is own]

    def switch(self):
        self.receive(None, Message(REFRESH))

    def author_of(self, entry):
        return msgspec.json.decode(self.records[entry])["author_id"]

    async def part(self, _author_id, *, before, skip, limit, after):
        assert (before, skip, after) == (None, 0, None)
        if self.unavailable is not None:
            raise self.unavailable
        cheeps = [TimelineCheep(entry, self.records[entry]) for entry in self.of(own=False)[:limit]]
        ends = len(cheeps) < limit and self.floor is not None
        below = (int.from_bytes(self.floor) + 1).to_bytes(24) if ends else None
        return TimelinePart(cheeps=cheeps, skipped=0, below=below, settled=True)

    async def own(self, _author_id, *, before, limit):
        assert before is None
        return [TimelineCheep(entry, self.records[entry]) for entry in self.of(own=True)[:limit]]

    async def merged(self, *_, **__):
        raise AssertionError("a stream reads nothing below the floor")

    def _record(self, entry, author):
        self._texts += 1
        return msgspec.json.encode(
            CheepRecord(
                cheep_id=str(uuid.UUID(bytes=entry[8:])),
                cheep_date="2022-03-14T21:08:50+00:00",
                cheep_message=f"text {self._texts}",
                author_id=author,
                author_username="bob",
            )
        )


class Client:
    """A client: the cheeps that it shows, newest first (None before a refresh), and the id of its last event."""

    def __init__(self, timelines, *, own=True):
        self._timelines, self._own = timelines, own
        self.shown, self.last_id, self.names = None, None, []

    def apply(self, events):
        for event in events:
            self.names.append(event.name)
            getattr(self, f"_{event.name}")(msgspec.json.decode(event.data))
            self.last_id = event.id

    def expected(self):
        records = self._timelines.records
        entries = self._timelines.entries if self._own else self._timelines.of(own=False)
        return [msgspec.json.decode(shown_record(entry, records[entry])) for entry in entries]

    def _refresh(self, _):
        self.shown = self.expected()

    def _cheep(self, cheep):
        """Put it where the event says, also if it is there already: a refresh may have shown what is ahead."""
        below = cheep.pop("below", None)
        others = [each for each in self.shown if each["cheep_id"] != cheep["cheep_id"]]
        ids = [each["cheep_id"] for each in others]
        if below is None or below in ids:
            others.insert(0 if below is None else ids.index(below) + 1, cheep)
            self.shown = others

    def _edited(self, cheep):
        self.shown = [cheep if each["cheep_id"] == cheep["cheep_id"] else each for each in self.shown]

    def _deleted(self, gone):
        self.shown = [each for each in self.shown if each["cheep_id"] != gone["cheep_id"]]

    def _followed(self, _):
        """The refresh that follows says what to do."""

    def _unfollowed(self, author):
        self.shown = [each for each in self.shown if each["author_id"] != author["author_id"]]


class FakeChanges:
    """A subscription whose messages come from a FakeTimelines, for readers that are subscribed to."""

    def __init__(self, receive):
        self._receive, self.readers, self.unavailable = receive, [], None

    def publish(self, reader_id, message):
        if reader_id is None or reader_id in self.readers:
            self._receive(reader_id, message)

    async def add(self, reader_id):
        self.readers.append(reader_id)
        if self.unavailable is not None:
            raise self.unavailable

    def remove(self, reader_id):
        self.readers.remove(reader_id)


def streams_of(timelines: Timelines, limits: Limits, metrics: Metrics, *, per_author: int = 8) -> Streams:
    """The streams of these timelines, without a server."""
    makes = {Timeline: partial(TimelineStream, timelines=timelines)}
    return Streams(makes, FakeChanges, limits.streams, per_author, metrics)
