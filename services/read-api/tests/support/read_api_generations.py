"""Two generations of each store beside each other, and the registry that says which of them is live."""

from __future__ import annotations

from contextlib import asynccontextmanager

from pymongo import AsyncMongoClient, monitoring
from read_api_layout import command_record

from cheeper_contracts import views
from cheeper_contracts.views.generations import LIVE, REGISTRY, REGISTRY_ID, database_of, registry_key
from read_api.stores.mongo import reader as mongo_store
from read_api.stores.mongo.authors import MongoAuthors

AUTHOR, OTHER, CHEEP, ANSWER = (f"0190a0b0-0000-7000-8000-00000000000{number}" for number in range(1, 5))


class Registry:
    """Both stores' registries, written as `projector rebuild` does."""

    def __init__(self, redis, redis_prefix, mongo, database):
        self.redis, self.redis_prefix, self.mongo, self.database = redis, redis_prefix, mongo, database

    def switch_redis(self, number):
        """Make another generation of Redis live."""
        self.redis.hset(registry_key(self.redis_prefix), LIVE, number)

    def switch_mongo(self, number, *, marked=True):
        """Make another generation of MongoDB live; without its marks as where a person only wrote the registry."""
        with self.mongo.start_session() as session, session.start_transaction():
            before = self._mark(1).find_one({"_id": REGISTRY_ID}, session=session) or {LIVE: 1}
            for each in {1, before[LIVE], number} if marked else {1}:
                self._mark(each).update_one(
                    {"_id": REGISTRY_ID}, {"$set": {LIVE: number}}, upsert=True, session=session
                )

    def forget(self, number):
        """Delete a generation of MongoDB, but for the registry."""
        if number > 1:
            self.mongo.drop_database(database_of(self.database, number))
        else:
            for collection in views.COLLECTIONS:
                self.mongo[self.database].drop_collection(collection.name)

    def _mark(self, number):
        return self.mongo[database_of(self.database, number)][REGISTRY]


def lay(hot, documents, name):
    """An author with a follower, a cheep, an answer and a notification; all say which generation they are of."""
    entry = views.pack_entry(1, CHEEP)
    hot.author(AUTHOR, username=name, followers=1)
    hot.record(entry, OTHER, name)
    hot.replace(hot.key(views.TIMELINE, AUTHOR), [entry])
    for author in (AUTHOR, OTHER):
        documents.sign_up(author, username=f"{name}{author[-1]}", name=name)
    documents.follow(OTHER, AUTHOR)
    documents.post(AUTHOR, name, cheep_id=CHEEP)
    documents.post(OTHER, name, cheep_id=ANSWER, parent=CHEEP)
    documents.notify(AUTHOR, cheep_id=name)


def settle(hot, documents, message):
    """Let a generation of both stores have a command's effects."""
    hot.command(message, key=AUTHOR, sequence=5)
    documents.command(command_record(message, key=AUTHOR, sequence=5))


class Commands(monitoring.CommandListener):
    """Does something just before a command is sent."""

    def __init__(self):
        self.sent, self._at, self._todo = 0, -1, None

    def at(self, number, todo):
        """Before the command of that number from now on."""
        self.sent, self._at, self._todo = 0, number, todo

    def started(self, _):
        if self.sent == self._at:
            self._todo()
        self.sent += 1

    def succeeded(self, _):
        """The tests need no event of this kind."""

    def failed(self, _):
        """The tests need no event of this kind."""


@asynccontextmanager
async def reading(url, database, *listeners):
    """The documents as another process reads them."""
    async with AsyncMongoClient(url, event_listeners=listeners) as client:
        yield mongo_store.Reader(client, database)


async def name_of(reader):
    """The author's name as the documents show it."""
    found = await MongoAuthors(reader).author(AUTHOR, after=None)
    return found.data and found.data.name
