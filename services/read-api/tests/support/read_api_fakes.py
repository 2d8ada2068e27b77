"""Fakes of the stores and of the views in them, which behave as the real ones do but need no server.

The seeds of `read_api_layout` write into them as into real stores, and the views read what they wrote. The tests of the
queries run against these fakes and against real stores alike.
"""

from __future__ import annotations

import time
from contextlib import contextmanager

import msgspec
from read_api_layout import Documents, Hot

from cheeper_contracts import views
from cheeper_contracts.views import (
    AcceptedCommand,
    AuthorDocument,
    BlockDocument,
    CheepDocument,
    CommandRecord,
    MuteDocument,
    NotificationDocument,
    unpack_entry,
)
from cheeper_contracts.views.generations import prefix_of
from read_api.queries.cheep import Thread
from read_api.queries.command import HotCommand
from read_api.queries.followers_counter import NumberOfFollowers
from read_api.queries.listed_authors import ListedAuthor, position_of
from read_api.queries.notifications import UNREAD_MAX, ListedNotification
from read_api.queries.search import TOTAL_MAX, Matches
from read_api.queries.timeline import TimelineCheep, TimelinePart
from read_api.query_bus.paging import Slice
from read_api.query_bus.query import Result


class FakeRedis:
    """The commands of Redis that the seeds use, and the number of the live generation."""

    def __init__(self):
        self.data, self.live = {}, 1

    def hset(self, key, mapping):
        self.data.setdefault(key, {}).update(mapping)

    def zadd(self, key, mapping):
        self.data.setdefault(key, set()).update(mapping)

    def zrem(self, key, member):
        self.data.get(key, set()).discard(member)

    def get(self, key):
        return self.data.get(key)

    def set(self, key, value):
        self.data[key] = value

    def delete(self, *keys):
        for key in keys:
            self.data.pop(key, None)

    def lrange(self, key, _first, _last):
        return list(self.data.get(key, ()))

    def rpush(self, key, *values):
        self.data.setdefault(key, []).extend(values)

    def lpop(self, key):
        self.data[key].pop(0)

    def lrem(self, key, _count, value):
        self.data[key].remove(value)

    @contextmanager
    def pipeline(self):
        yield self

    def execute(self):
        """The commands have already been executed."""


class FakeCollection:
    """The operations of a MongoDB collection that the seeds use."""

    def __init__(self):
        self.documents = {}

    def with_options(self, **_):
        return self

    def find_one(self, key):
        return self.documents.get(key["_id"])

    def insert_one(self, document):
        self.documents[document["_id"]] = document

    def replace_one(self, key, document):
        self.documents[key["_id"]] = {**key, **document}

    def delete_one(self, key):
        self.documents.pop(key["_id"], None)

    def update_one(self, key, update, *, upsert):
        if key["_id"] in self.documents or upsert:
            self._update(self.documents.setdefault(key["_id"], dict(key)), update)

    def update_many(self, _all, update):
        for document in self.documents.values():
            self._update(document, update)

    def _update(self, document, update):
        document.update(update.get("$set", {}))
        for field, number in update.get("$inc", {}).items():
            document[field] = document.get(field, 0) + number


class FakeMongo:
    """The databases of all generations, and the number of the live one."""

    def __init__(self):
        self.live, self._generations = 1, {}

    def generation(self, number):
        collections = {collection.name: FakeCollection() for collection in views.COLLECTIONS}
        return self._generations.setdefault(number, collections)

    def read(self, collection):
        """Return the documents of a collection in the live generation."""
        return self.generation(self.live)[collection.name].documents


class FakeRegistry:
    """Switches the live generations of both stores."""

    def __init__(self, redis, mongo):
        self._redis, self._mongo = redis, mongo

    def switch_redis(self, number):
        self._redis.live = number

    def switch_mongo(self, number):
        self._mongo.live = number


class FakeRedisViews:
    """The hot views."""

    def __init__(self, client):
        self._client = client

    def _read(self, pattern, identifier, default=None):
        prefix = prefix_of("", self._client.live)
        return self._client.data.get(pattern.key(prefix, identifier), default)

    async def followers(self, author_id, *, after):
        counters = self._read(views.AUTHOR_COUNTERS, author_id, {})
        number = None
        if "username" in counters:
            number = NumberOfFollowers(
                author_id=author_id,
                author_username=counters["username"],
                number_of_followers=counters.get("followers", 0),
            )
        return Result(data=number, settled=self._settled(after, with_tasks=False))

    async def part(self, author_id, *, before, skip, limit, after):
        floor = self._read(views.TIMELINE_FLOOR, author_id)
        entries = [
            entry
            for entry in self._read(views.TIMELINE, author_id, [])
            if (before is None or entry < before) and (floor is None or entry > floor)
        ]
        cheeps = [cheep for cheep in map(self._cheep, entries) if cheep.record]
        found = cheeps[skip : skip + limit]
        below = None
        if floor is not None and len(found) < limit:
            above_floor = (int.from_bytes(floor) + 1).to_bytes(len(floor))
            below = above_floor if before is None else min(before, above_floor)
        settled = self._settled(after, with_tasks=True)
        return TimelinePart(cheeps=found, skipped=min(skip, len(cheeps)), below=below, settled=settled)

    async def merged(self, author_id, *, below, limit):
        authors = self._read(views.FOLLOWING, author_id, set()) - self._read(views.MUTED, author_id, set())
        entries = [entry for author in authors for entry in self._read(views.AUTHOR_CHEEPS, author, [])]
        return [self._cheep(entry) for entry in sorted(entries, reverse=True) if entry < below][:limit]

    async def own(self, author_id, *, before, limit):
        entries = sorted(self._read(views.AUTHOR_CHEEPS, author_id, []), reverse=True)
        return [self._cheep(entry) for entry in entries if before is None or entry < before][:limit]

    async def command(self, message_id, *, after):
        record = self._read(views.COMMAND_RECORD, message_id)
        accepted = self._client.data.get(views.ACCEPTED_COMMAND.key("", message_id))
        return HotCommand(
            now=time.time(),
            record=record and msgspec.json.decode(record, type=CommandRecord),
            accepted=None if record or not accepted else msgspec.json.decode(accepted, type=AcceptedCommand),
            projected=self._settled(message_id, with_tasks=True),
            settled=self._settled(after, with_tasks=True),
        )

    async def settled_in_counters(self, message_ids):
        return {each for each in message_ids if self._settled(each, with_tasks=False)}

    async def settled_in_timelines(self, message_ids):
        return {each for each in message_ids if self._settled(each, with_tasks=True)}

    def _cheep(self, entry):
        return TimelineCheep(entry, self._read(views.CHEEP_RECORD, unpack_entry(entry)[1], b""))

    def _settled(self, message_id, *, with_tasks):
        if message_id is None:
            return True
        found = self._read(views.COMMAND_RECORD, message_id)
        if found is None:
            return False
        record = msgspec.json.decode(found, type=CommandRecord)
        tasks = self._read(views.TASKS, record.key, []) if with_tasks and record.status != "rejected" else []
        return not tasks or msgspec.json.decode(tasks[0])["sequence"] > record.sequence


class FakeMongoViews:
    """The views of documents, each of which is this object's own or one of its parts."""

    def __init__(self, mongo):
        self._mongo = mongo
        self.authors = self.follows = self.hidden = self.cheeps = self.commands = self
        self.notifications, self.search = FakeNotifications(self), FakeSearch(self)

    def result(self, data, after, total=None):
        settled = after is None or after in self._mongo.read(views.COMMANDS)
        return Result(data=data, settled=settled, total=None if data is None else total)

    def read(self, collection):
        return self._mongo.read(collection)

    def all(self, collection, shape, matches):
        return [msgspec.convert(each, shape) for each in self._mongo.read(collection).values() if matches(each)]

    def signed_up(self, author_id):
        found = self._mongo.read(views.AUTHORS).get(author_id)
        return found if found and found.get("username") else None

    async def settled(self, message_ids):
        return set(message_ids) & self._mongo.read(views.COMMANDS).keys()

    async def author(self, author_id, *, after):
        found = self._mongo.read(views.AUTHORS).get(author_id)
        return self.result(found and msgspec.convert(found, AuthorDocument), after)

    async def named(self, username_folded, *, after):
        found = self.all(views.AUTHORS, AuthorDocument, lambda each: each.get("username_folded") == username_folded)
        return self.result(found[0] if found else None, after)

    async def record(self, message_id, *, after):
        found = self._mongo.read(views.COMMANDS).get(message_id)
        return self.result(found and msgspec.convert(found, CommandRecord), after)

    async def followers(self, author_id, part, *, after):
        return self._pairs(
            views.FOLLOWS, ("to_author_id", "followed_at", "from_author_id"), author_id, part, after, "followers"
        )

    async def following(self, author_id, part, *, after):
        return self._pairs(
            views.FOLLOWS, ("from_author_id", "followed_at", "to_author_id"), author_id, part, after, "following"
        )

    async def muted(self, author_id, part, *, after):
        return self._pairs(views.MUTES, ("author_id", "muted_at", "muted_id"), author_id, part, after)

    async def blocked(self, author_id, part, *, after):
        return self._pairs(views.BLOCKS, ("author_id", "blocked_at", "blocked_id"), author_id, part, after)

    def _pairs(self, collection, fields, author_id, part, after, count=None):
        author = self.signed_up(author_id)
        if not author:
            return self.result(None, after)
        owner, time_of, other = fields
        listed = [
            ListedAuthor(
                author_id=pair[other],
                username=other_author["username"],
                name=other_author.get("name"),
                since=pair[time_of],
            )
            for pair in self._mongo.read(collection).values()
            if pair[owner] == author_id and (other_author := self.signed_up(pair[other]))
        ]
        return self.result(take(listed, position_of, part), after, author.get(count, 0) if count else None)

    async def of_author(self, author_id, part, *, after):
        found = self.all(views.CHEEPS, CheepDocument, lambda each: each.get("author_id") == author_id)
        cheeps = take(found, lambda each: (each.cheep_date, each.cheep_id), part)
        author = self.signed_up(author_id)
        return self.result(cheeps, after, author.get("cheeps", 0)) if author else self.result(None, after)

    async def answers(self, cheep_id, part, *, after):
        found = take(self._answers(cheep_id), lambda each: (each.cheep_date, each.cheep_id), part, newest_first=False)
        cheep = self._mongo.read(views.CHEEPS).get(cheep_id, {})
        posted = {"author_id", "deleted_at"} & cheep.keys()
        return self.result(found if posted else None, after, cheep.get("number_of_answers"))

    async def thread(self, cheep_id, *, answers, after):
        cheep = self._mongo.read(views.CHEEPS).get(cheep_id, {})
        if "author_id" not in cheep:
            return self.result(None, after)
        found = sorted(self._answers(cheep_id), key=lambda each: (each.cheep_date, each.cheep_id))
        return self.result(Thread(cheep=msgspec.convert(cheep, CheepDocument), answers=found[:answers]), after)

    def _answers(self, cheep_id):
        return self.all(views.CHEEPS, CheepDocument, lambda each: each.get("in_reply_to") == cheep_id)


def _position(notification):
    return notification.at, notification.notification_id


class FakeNotifications:
    def __init__(self, documents):
        self._documents = documents

    async def of_author(self, author_id, part, *, after):
        mutes = self._documents.all(views.MUTES, MuteDocument, lambda each: each["author_id"] == author_id)
        blocks = self._documents.all(views.BLOCKS, BlockDocument, lambda _: True)
        hidden = {each.muted_id for each in mutes}
        hidden |= {each.blocked_id for each in blocks if each.author_id == author_id}
        hidden |= {each.author_id for each in blocks if each.blocked_id == author_id}
        author = self._documents.signed_up(author_id)
        if not author:
            return self._documents.result(None, after)
        mark = author.get("read_until", -1), author.get("read_until_id", "")
        owned = self._documents.all(
            views.NOTIFICATIONS, NotificationDocument, lambda each: each["author_id"] == author_id
        )
        every = [self._listed(each, read=_position(each) <= mark) for each in owned]
        shown = [each for each in every if each.from_author_id not in hidden]
        newest = take(every, _position, Slice(beyond=None, limit=UNREAD_MAX))
        unread = sum(not each.read and each.from_author_id not in hidden for each in newest)
        result = self._documents.result(take(shown, _position, part), after)
        return msgspec.structs.replace(result, unread=unread if part.beyond is None else None)

    def _listed(self, notification, *, read):
        author = self._documents.read(views.AUTHORS).get(notification.from_author_id, {})
        cheep = self._documents.read(views.CHEEPS).get(notification.cheep_id, {})
        return ListedNotification(
            **msgspec.structs.asdict(notification),
            read=read,
            author_username=author.get("username"),
            cheep_message=cheep.get("message"),
        )


class FakeSearch:
    def __init__(self, documents):
        self._documents = documents

    async def cheeps(self, request, *, author_id, after):
        def matches(each):
            return matches_all(each, request) and author_id in {None, each["author_id"]}

        found = self._documents.all(views.CHEEPS, CheepDocument, matches)
        return self._documents.result(page(found, lambda each: (each.cheep_date, each.cheep_id), request), after)

    async def authors(self, request, *, after):
        found = self._documents.all(views.AUTHORS, AuthorDocument, lambda each: matches_all(each, request))
        return self._documents.result(page(found, lambda each: (each.signed_up_at, each.author_id), request), after)


def matches_all(document, request):
    words = document.get("words", ())
    return all(any(word.startswith(prefix) for word in words) for prefix in request.prefixes)


def page(found, position, request):
    ordered = sorted(found, key=position, reverse=request.newest_first)
    shown = ordered[:TOTAL_MAX]
    return Matches(
        documents=shown[request.skip : request.skip + request.limit],
        total=len(shown),
        total_is_capped=len(found) > TOTAL_MAX,
    )


def take(entries, position, part, *, newest_first=True):
    """Return a part of the entries, as a view does."""
    ordered = sorted(entries, key=position, reverse=newest_first)
    if part.beyond is not None:
        ordered = [each for each in ordered if (position(each) < part.beyond) == newest_first]
        ordered = [each for each in ordered if position(each) != part.beyond]
    return ordered[: part.limit]


def seeds(redis, mongo, number):
    """Return the seeds of a generation of both stores."""
    return Hot(redis, prefix_of("", number)), Documents(mongo.generation(number))
