"""Both stores keep the rules of a store."""

import msgspec
import pytest
from projector_testing.store_suite import *  # noqa: F403 - its tests are this module's

from cheeper_contracts import views
from cheeper_contracts.http.responses import COMMAND_RECORD_SECONDS
from projector.projections.writes import AddMember, Increment

pytestmark = [pytest.mark.proves(guarantee="exactly-once"), pytest.mark.store]


@pytest.fixture
def followers(store, request):
    """Reads an author's counts of followers, following and cheeps as the store has them."""

    def of_redis(author):
        client, prefix = request.getfixturevalue("redis"), request.getfixturevalue("redis_prefix")
        found = client.hgetall(views.AUTHOR_COUNTERS.key(prefix, author))
        return tuple(int(found.get(name, 0)) for name in (b"followers", b"following", b"cheeps"))

    def of_mongo(author):
        found = request.getfixturevalue("mongo")[views.AUTHORS.name].find_one({"_id": author}) or {}
        return tuple(found.get(name, 0) for name in ("followers", "following", "cheeps"))

    return of_redis if store.name == "redis" else of_mongo


@pytest.fixture
def other(store, request):
    """Return the store as another process sees it."""
    return request.getfixturevalue("redis_store")() if store.name == "redis" else store


@pytest.fixture
def bad_write(store):
    """Make a write that cannot be done."""
    if store.name == "redis":
        return lambda author: AddMember(views.FOLLOWERS.name, author, 7, "followers")
    return lambda author: Increment(views.AUTHORS.name, author, {"followers.deep": 1})


def test_a_commands_record_comes_with_its_effects(store, story, author, helpers, request):
    """The record of a command has its outcome, in each store alike."""
    published = story.signed(author())
    helpers.apply_all(store, published.partition, [published.message])
    command = published.envelope.reply_to
    if store.name == "redis":
        client, prefix = request.getfixturevalue("redis"), request.getfixturevalue("redis_prefix")
        key = views.COMMAND_RECORD.key(prefix, command)
        record = msgspec.json.decode(client.get(key), type=views.CommandRecord)
        assert client.expiretime(key) == helpers.now // 1_000_000 + COMMAND_RECORD_SECONDS
    else:
        document = request.getfixturevalue("mongo")[views.COMMANDS.name].find_one({"_id": command})
        record = msgspec.convert(document, views.CommandRecord)
        assert document["expires_at"].timestamp() == helpers.now // 1_000_000 + COMMAND_RECORD_SECONDS
    assert (record.message_id, record.key, record.sequence) == (command, published.event.key, 1)
    assert (record.type, record.status, record.changed) == ("cheeper.sign-up.v1", "handled", True)
