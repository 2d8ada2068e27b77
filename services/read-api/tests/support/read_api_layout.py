"""Lays data into stores by the definitions of `cheeper_contracts.views`, as the projector would."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

import msgspec
import redis
from pymongo import IndexModel
from pymongo.database import Database
from pymongo.write_concern import WriteConcern

from cheeper_contracts import views
from cheeper_contracts.views import AcceptedCommand, CheepRecord, Collection, CommandRecord, KeyPattern
from cheeper_contracts.words import words_of
from read_api.bootstrap import Limits, limits_of
from read_api.settings import Settings

SETTINGS = Settings(redis_url="redis://nowhere", mongo_url="mongodb://nowhere")
"""The settings of a process by default."""

AT = 1_647_292_130_123_456
"""A time in microseconds: 2022-03-14T21:08:50+00:00."""


def new_id() -> str:
    """A fresh id."""
    return str(uuid.uuid4())


def limits() -> Limits:
    """The limits of a process by default."""
    return limits_of(SETTINGS)


@dataclass
class Hot:
    """Redis, written by hand."""

    client: redis.Redis
    prefix: str
    lists_of_own: bool = False
    """True if authors' own cheeps are lists, as projectors before version 2 wrote them."""

    def key(self, pattern: KeyPattern, identifier: str) -> str:
        """One key."""
        return pattern.key(self.prefix, identifier)

    def author(self, author_id: str, **values: str | int) -> None:
        """An author's counters."""
        self.client.hset(self.key(views.AUTHOR_COUNTERS, author_id), mapping=values)

    def follow(self, reader: str, *authors: str) -> None:
        """Let a reader follow authors."""
        if authors:
            self.client.zadd(self.key(views.FOLLOWING, reader), dict.fromkeys(authors, 0))

    def unfollow(self, reader: str, author: str) -> None:
        """Let a reader follow an author no more."""
        self.client.zrem(self.key(views.FOLLOWING, reader), author)

    def mute(self, reader: str, author: str) -> None:
        """Let a reader mute an author."""
        self.client.zadd(self.key(views.MUTED, reader), {author: 0})

    def unmute(self, reader: str, author: str) -> None:
        """Let a reader mute an author no more."""
        self.client.zrem(self.key(views.MUTED, reader), author)

    def record(self, entry: bytes, author_id: str, message: str = "hello") -> None:
        """A cheep that lives."""
        _, cheep_id = views.unpack_entry(entry)
        record = CheepRecord(
            cheep_id=cheep_id,
            cheep_date="2022-03-14T21:08:50+00:00",
            cheep_message=message,
            author_id=author_id,
            author_username="bob",
        )
        self.client.set(self.key(views.CHEEP_RECORD, cheep_id), msgspec.json.encode(record))

    def bury(self, entry: bytes) -> None:
        """A deleted cheep has no record any more."""
        self.client.delete(self.key(views.CHEEP_RECORD, views.unpack_entry(entry)[1]))

    def own(self, author: str, entry: bytes) -> None:
        """Put an entry among the author's own."""
        key = self.key(views.AUTHOR_CHEEPS, author)
        if self.lists_of_own:
            self.replace(key, sorted({*self.client.lrange(key, 0, -1), entry}, reverse=True))
        else:
            self.client.zadd(key, {entry: 0})

    def disown(self, author: str, entry: bytes) -> None:
        """Remove an entry from the author's own."""
        key = self.key(views.AUTHOR_CHEEPS, author)
        if self.lists_of_own:
            self.client.lrem(key, 1, entry)
        else:
            self.client.zrem(key, entry)

    def replace(self, key: str, entries: list[bytes], floor_key: str = "", floor: bytes | None = None) -> None:
        """Write a whole list in one transaction, and its floor where it has one."""
        with self.client.pipeline() as pipe:
            pipe.delete(key, *([floor_key] if floor_key else []))
            if entries:
                pipe.rpush(key, *entries)
            if floor is not None:
                pipe.set(floor_key, floor)
            pipe.execute()

    def command(self, message_id: str, *, key: str, sequence: int, **record_fields: Any) -> None:
        """A command's record."""
        record = command_record(message_id, key=key, sequence=sequence, **record_fields)
        self.client.set(self.key(views.COMMAND_RECORD, message_id), msgspec.json.encode(record))

    def accept(self, message_id: str, *, at: int | None = None) -> None:
        """A command is on its topic, and no worker has handled it."""
        accepted = AcceptedCommand(
            message_id=message_id, key=new_id(), type="cheeper.post-cheep.v1", at=at or time.time_ns() // 1_000
        )
        self.client.set(self.key(views.ACCEPTED_COMMAND, message_id), msgspec.json.encode(accepted))

    def task(self, author: str, sequence: int) -> None:
        """A fan-out task, the newest of its author."""
        task = {"sequence": sequence, "entry": "00" * 24, "after": ""}
        self.client.rpush(self.key(views.TASKS, author), msgspec.json.encode(task))

    def task_done(self, author: str) -> None:
        """The author's oldest task ends."""
        self.client.lpop(self.key(views.TASKS, author))


@dataclass
class Documents:
    """MongoDB, written by hand."""

    database: Database[dict[str, Any]]

    def make_indexes(self) -> None:
        """The collections with the indexes that the contracts declare."""
        for collection in views.COLLECTIONS:
            indexes = [IndexModel([(name, 1) for name in fields]) for fields in collection.indexes]
            if indexes:  # all by one call, which makes the collection too
                self.of(collection).create_indexes(indexes)
            else:
                self.database.create_collection(collection.name)

    def of(self, collection: Collection) -> Any:
        """One collection."""
        return self.database[collection.name]

    def sign_up(self, author_id: str = "", *, at: int = AT, username: str = "bob", **profile: Any) -> str:
        """An author's own event, with the counts of the others left as they are; the author's id."""
        author_id = author_id or new_id()
        fields = {
            "username": username,
            "username_folded": username.lower(),
            "words": words_of(username, profile.get("name")),
            "signed_up_at": at,
            **profile,
        }
        self.of(views.AUTHORS).update_one({"_id": author_id}, {"$set": fields}, upsert=True)
        return author_id

    def follow(self, follower: str, followed: str, *, at: int = AT) -> None:
        """A follow with its counts, which may come before either sign-up."""
        key = f"{follower} {followed}"
        fields = {"from_author_id": follower, "to_author_id": followed, "followed_at": at}
        at_once = WriteConcern(w=1)  # a majority has these when it has the last one, which waits for it
        authors = self.of(views.AUTHORS).with_options(write_concern=at_once)
        authors.update_one({"_id": followed}, {"$inc": {"followers": 1}}, upsert=True)
        self.of(views.FOLLOWS).with_options(write_concern=at_once).update_one(
            {"_id": key}, {"$set": fields}, upsert=True
        )
        self.of(views.AUTHORS).update_one({"_id": follower}, {"$inc": {"following": 1}}, upsert=True)

    def mute(self, author_id: str, muted_id: str, *, at: int = AT) -> None:
        """A mute."""
        fields = {"author_id": author_id, "muted_id": muted_id, "muted_at": at}
        self.of(views.MUTES).update_one({"_id": f"{author_id} {muted_id}"}, {"$set": fields}, upsert=True)

    def unmute(self, author_id: str, muted_id: str) -> None:
        """A mute's end."""
        self.of(views.MUTES).delete_one({"_id": f"{author_id} {muted_id}"})

    def block(self, author_id: str, blocked_id: str, *, at: int = AT) -> None:
        """A block."""
        fields = {"author_id": author_id, "blocked_id": blocked_id, "blocked_at": at}
        self.of(views.BLOCKS).update_one({"_id": f"{author_id} {blocked_id}"}, {"$set": fields}, upsert=True)

    def unblock(self, author_id: str, blocked_id: str) -> None:
        """A block's end."""
        self.of(views.BLOCKS).delete_one({"_id": f"{author_id} {blocked_id}"})

    def unfollow(self, follower: str, followed: str) -> None:
        """A follow's end."""
        self.of(views.FOLLOWS).delete_one({"_id": f"{follower} {followed}"})

    def post(
        self,
        author_id: str = "",
        message: str = "hello",
        *,
        cheep_id: str = "",
        parent: str | None = None,
        at: int = AT,
    ) -> str:
        """A cheep; its id."""
        cheep_id = cheep_id or new_id()
        cheep = {
            "author_id": author_id or new_id(),
            "author_username": "bob",
            "message": message,
            "cheep_date": at,
            "in_reply_to": parent,
            "edited_at": None,
            "words": words_of(message),
        }
        self.of(views.CHEEPS).update_one({"_id": cheep_id}, {"$set": cheep}, upsert=True)
        self._count_answer(parent, 1)
        return cheep_id

    def delete(self, cheep_id: str, *, at: int = AT) -> None:
        """Delete a cheep, which leaves a document with its time and the number of its answers."""
        cheep = self.of(views.CHEEPS).find_one({"_id": cheep_id}) or {}
        left = {"deleted_at": at, "number_of_answers": cheep.get("number_of_answers", 0)}
        self.of(views.CHEEPS).replace_one({"_id": cheep_id}, left)
        self._count_answer(cheep.get("in_reply_to"), -1)

    def _count_answer(self, parent: str | None, by: int) -> None:
        if parent is not None:
            self.of(views.CHEEPS).update_one({"_id": parent}, {"$inc": {"number_of_answers": by}}, upsert=True)

    def notify(self, author_id: str, kind: str = "welcome", *, at: int = AT, **about: str) -> str:
        """A notification; its id."""
        notification_id = new_id()
        document = {"_id": notification_id, "author_id": author_id, "kind": kind, "at": at, **about}
        self.of(views.NOTIFICATIONS).insert_one(document)
        return notification_id

    def read_until(self, author_id: str, notification_id: str, *, at: int = AT) -> None:
        """A mark: the author has read that notification and all older ones."""
        mark = {"read_until": at, "read_until_id": notification_id}
        self.of(views.AUTHORS).update_one({"_id": author_id}, {"$set": mark}, upsert=True)

    def command(self, record: CommandRecord) -> None:
        """A command's record."""
        self.of(views.COMMANDS).insert_one({"_id": record.message_id, **msgspec.structs.asdict(record)})


def command_record(
    message_id: str, *, key: str, sequence: int, status: str = "handled", **record_fields: Any
) -> CommandRecord:
    """Return the record of a command that was just settled."""
    fields = {
        "partition": 0,
        "type": "cheeper.post-cheep.v1",
        "at": time.time_ns() // 1_000,
        "changed": status == "handled",
        **record_fields,
    }
    return CommandRecord(message_id=message_id, key=key, sequence=sequence, status=status, **fields)  # type: ignore[arg-type]
