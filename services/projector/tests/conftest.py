"""Fixtures of the projector's tests: a log of messages in memory, with sequences as the relay assigns them."""

import uuid
from functools import partial
from itertools import count
from types import SimpleNamespace

import pytest

from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.author_muted import AuthorMuted
from cheeper_contracts.events.author_unfollowed import AuthorUnfollowed
from cheeper_contracts.events.author_unmuted import AuthorUnmuted
from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.events.cheep_deleted import CheepDeleted
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.cheep_updated import CheepUpdated
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.kafka.codec import encode
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_contracts.kafka.topics import partition_of
from projector import projections
from projector.consumer.projecting import item_of
from projector.messages.decoding import decode
from projector.projections.meta import Meta
from projector.stores.base import Batch, StoreError

pytest.register_assert_rewrite("projector_testing.store_suite")

NOW = 1_800_000_000_000_000  # of the tests' events: in the future, so that no record expires


class FakeMessage:
    """A Kafka message as decode() reads it."""

    def __init__(self, *, partition, offset, key, headers, value):
        self._parts = (partition, offset, key, headers, value)

    def topic(self):
        return "events"

    def partition(self):
        return self._parts[0]

    def offset(self):
        return self._parts[1]

    def key(self):
        return self._parts[2]

    def headers(self):
        return self._parts[3]

    def value(self):
        return self._parts[4]

    def at(self, offset):
        """Return the message as it is at another offset."""
        partition, _, key, headers, value = self._parts
        return FakeMessage(partition=partition, offset=offset, key=key, headers=headers, value=value)


class Story:
    """The log, by partition, and methods that append to it: sign-ups, follows, posts."""

    def __init__(self):
        self.messages = {}
        self._clock = count(NOW, 1_000_003)

    def all_messages(self):
        """All messages, those of a partition in their order."""
        return [message for log in self.messages.values() for message in log]

    def whole(self):
        """The sequences of a store that has all of it, by partition."""
        return {partition: len(log) for partition, log in self.messages.items()}

    def signed(self, author, *, partition=None, **fields):
        event = NewAuthorSigned(author_id=author, username=name_of(author), signed_up_at=NOW, **fields)
        return self.add(event, partition=partition)

    def followed(self, reader, author, *, partition=None):
        event = AuthorFollowed(follow_id=str(uuid.uuid4()), from_author_id=reader, to_author_id=author, followed_at=NOW)
        return self.add(event, partition=partition)

    def posted(self, author, text="hello", *, partition=None, traceparent=None, **fields):
        event = CheepPosted(
            cheep_id=fields.pop("cheep_id", None) or str(uuid.uuid4()),
            author_id=author,
            author_username=name_of(author),
            message=text,
            cheep_date=fields.pop("cheep_date", None) or next(self._clock),
        )
        return self.add(event, partition=partition, traceparent=traceparent)

    def unfollowed(self, reader, author, *, partition=None):
        event = AuthorUnfollowed(
            follow_id=str(uuid.uuid4()),
            from_author_id=reader,
            to_author_id=author,
            followed_at=NOW,
            unfollowed_at=NOW,
        )
        return self.add(event, partition=partition)

    def muted(self, reader, author, *, partition=None):
        return self.add(AuthorMuted(author_id=reader, muted_id=author, muted_at=NOW), partition=partition)

    def unmuted(self, reader, author, *, partition=None):
        return self.add(AuthorUnmuted(author_id=reader, muted_id=author, unmuted_at=NOW), partition=partition)

    def answered(self, author, parent, text="indeed", *, partition=None, **fields):
        """An answer to a CheepPosted or CheepAnswered."""
        event = CheepAnswered(
            cheep_id=str(uuid.uuid4()),
            author_id=author,
            author_username=name_of(author),
            message=text,
            cheep_date=fields.pop("cheep_date", None) or next(self._clock),
            in_reply_to=parent.cheep_id,
            parent_author_id=parent.author_id,
        )
        return self.add(event, partition=partition)

    def updated(self, cheep, text, *, partition=None):
        """Another text for a CheepPosted or CheepAnswered."""
        event = CheepUpdated(
            cheep_id=cheep.cheep_id,
            author_id=cheep.author_id,
            author_username=cheep.author_username,
            message=text,
            cheep_date=cheep.cheep_date,
            edited_at=next(self._clock),
            in_reply_to=getattr(cheep, "in_reply_to", None),
        )
        return self.add(event, partition=partition)

    def deleted(self, cheep, *, partition=None):
        """The end of a CheepPosted or CheepAnswered."""
        event = CheepDeleted(
            cheep_id=cheep.cheep_id,
            author_id=cheep.author_id,
            cheep_date=cheep.cheep_date,
            deleted_at=next(self._clock),
            in_reply_to=getattr(cheep, "in_reply_to", None),
        )
        return self.add(event, partition=partition)

    def add(self, event, *, partition=None, value=None, headers=None, traceparent=None):
        """The event as the next message of its partition, or of another one."""
        partition = partition_of(event.key) if partition is None else partition
        log = self.messages.setdefault(partition, [])
        envelope = Envelope(
            message_id=str(uuid.uuid4()),
            type=event.TYPE,
            source="/test",
            time=NOW,
            key=event.key,
            correlation_id=str(uuid.uuid4()),
            reply_to=str(uuid.uuid4()),
            sequence=len(log) + 1,
            traceparent=traceparent,
        )
        message = FakeMessage(
            partition=partition,
            offset=len(log),
            key=event.key.encode(),
            headers=to_headers(envelope) if headers is None else headers,
            value=encode(event) if value is None else value,
        )
        log.append(message)
        return SimpleNamespace(event=event, envelope=envelope, message=message, partition=partition)


def name_of(author):
    return "u" + author[:8]


def items_of(store, messages):
    """The messages as the consumer hands them to the store."""
    project = partial(projections.project, projections.TABLES[store.name])
    return tuple(item_of(project, decode(message)) for message in messages)


def apply(store, batch):
    """Apply a batch alone. Return what was applied, or raise the error that is its outcome."""
    (outcome,) = store.apply([batch])
    if isinstance(outcome, StoreError):
        raise outcome
    return outcome


def apply_all(store, partition, messages, topic_id="topic"):
    """Apply the messages in as many calls as the store takes. Return the last result."""
    items, applied = items_of(store, messages), None
    while items:
        applied = apply(store, Batch(partition=partition, topic_id=topic_id, items=items))
        items = items[applied.used :]
    return applied


@pytest.fixture
def story():
    """An empty log."""
    return Story()


@pytest.fixture
def meta():
    """The meta of a message, for projections that use its event only."""
    return Meta(
        message_id="m",
        correlation_id="c",
        reply_to="command",
        key="key",
        partition=3,
        sequence=7,
        time=1_700_000_000_500_000,
    )


@pytest.fixture
def helpers():
    """The helpers that tests share, since test folders are no packages."""
    return SimpleNamespace(
        decode=decode,
        items_of=items_of,
        apply=apply,
        apply_all=apply_all,
        name_of=name_of,
        Story=Story,
        FakeMessage=FakeMessage,
        now=NOW,
    )


@pytest.fixture
def author():
    """Makes a fresh author's id."""
    return lambda: str(uuid.uuid4())
