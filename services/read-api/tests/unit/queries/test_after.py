"""`after` of every query: what settles it and what does not, by the store and the tasks that its view needs."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from read_api_layout import Documents, Hot, command_record, new_id

from read_api.http.endpoints import ENDPOINTS
from read_api.queries.author import Author
from read_api.queries.author_by_username import AuthorByUsername
from read_api.queries.author_cheeps import AuthorCheeps
from read_api.queries.blocks import Blocks
from read_api.queries.cheep import Cheep
from read_api.queries.cheep_answers import CheepAnswers
from read_api.queries.command import Command
from read_api.queries.followers import Followers
from read_api.queries.followers_counter import FollowersCounter
from read_api.queries.following import Following
from read_api.queries.mutes import Mutes
from read_api.queries.notifications import Notifications
from read_api.queries.search_authors import SearchAuthors
from read_api.queries.search_cheeps import SearchCheeps
from read_api.queries.timeline import Timeline
from read_api.query_bus.query import NotFoundError

pytestmark = pytest.mark.proves(guarantee="read-your-writes")

SOMEBODY, CHEEP = new_id(), new_id()
QUERIES = {
    "counter": (FollowersCounter(author_id=SOMEBODY), {"redis"}),
    "timeline": (Timeline(author_id=SOMEBODY), {"redis", "tasks"}),
    "author": (Author(author_id=SOMEBODY), {"mongo"}),
    "author by name": (AuthorByUsername(username="bob"), {"mongo"}),
    "followers": (Followers(author_id=SOMEBODY), {"mongo"}),
    "following": (Following(author_id=SOMEBODY), {"mongo"}),
    "mutes": (Mutes(author_id=SOMEBODY), {"mongo"}),
    "blocks": (Blocks(author_id=SOMEBODY), {"mongo"}),
    "cheeps": (AuthorCheeps(author_id=SOMEBODY), {"mongo"}),
    "notifications": (Notifications(author_id=SOMEBODY), {"mongo"}),
    "cheep": (Cheep(cheep_id=CHEEP), {"mongo"}),
    "answers": (CheepAnswers(cheep_id=CHEEP), {"mongo"}),
    "search": (SearchCheeps(q="hello"), {"mongo"}),
    "search of authors": (SearchAuthors(q="bob"), {"mongo"}),
    "command": (Command(message_id=new_id()), {"redis", "tasks", "mongo"}),
}
"""Every query, and what its view needs before a command's effects are in it."""

each_query = pytest.mark.parametrize("name", QUERIES)


@pytest.fixture
def stale(ask):
    """Return a function that returns whether a query's response is stale, also if nothing is found."""

    async def is_stale(query, after, seconds=0.0):
        try:
            found = await ask(msgspec.structs.replace(query, after=after, timeout=seconds))
        except NotFoundError as error:
            return error.stale
        return not found.settled

    return is_stale


def test_every_query_is_covered():
    """As many as there are endpoints, the author's two ways of asking on one of them."""
    assert len(QUERIES) == len(ENDPOINTS)


@each_query
@pytest.mark.parametrize("status", ["handled", "no-op", "rejected"])
async def test_each_query_needs_its_own_stores(stale, hot: Hot, documents: Documents, name, status):
    """A response is stale until the record is in every store that the query reads, whatever another store has; what is
    only accepted, or nobody's, is not in. What did nothing and what was rejected is no different.
    """
    query, needs = QUERIES[name]
    author, message_id = new_id(), new_id()
    fields = {"status": "rejected"} if status == "rejected" else {"changed": status == "handled"}
    assert await stale(query, message_id), "nobody's"
    if needs == {"mongo"}:
        hot.command(message_id, key=author, sequence=1, **fields)
        assert await stale(query, message_id), "in the other store alone"
    else:
        hot.accept(message_id)
        if "mongo" not in needs:
            documents.command(command_record(message_id, key=author, sequence=1, **fields))
        assert await stale(query, message_id), "accepted, or in the other store alone"
        hot.command(message_id, key=author, sequence=1, **fields)
        if "mongo" in needs:
            assert await stale(query, message_id), "in one of two"
    if "mongo" in needs:
        documents.command(command_record(message_id, key=author, sequence=1, **fields))
    assert not await stale(query, message_id)


@each_query
async def test_tasks_count_where_they_write(stale, hot: Hot, documents: Documents, name):
    """A fan-out task of the command's key that is not newer holds up the views that tasks write, for a command that did
    nothing too, since the act that it repeats may be what is fanned out; not for one that was rejected. A newer task
    and one of another key hold up no query.
    """
    query, needs = QUERIES[name]
    author, ids = new_id(), {status: new_id() for status in ("handled", "no-op", "rejected")}
    for status, message_id in ids.items():
        fields = {"status": "rejected"} if status == "rejected" else {"changed": status == "handled"}
        hot.command(message_id, key=author, sequence=5, **fields)
        documents.command(command_record(message_id, key=author, sequence=5, **fields))
    hot.task(new_id(), 1)
    hot.task(author, 6)
    assert [status for status in ids if await stale(query, ids[status])] == []
    hot.task_done(author)
    hot.task(author, 5)
    hot.task(author, 6)
    held_up = ["handled", "no-op"] if "tasks" in needs else []
    assert [status for status in ids if await stale(query, ids[status])] == held_up
    hot.task_done(author)
    assert [status for status in ids if await stale(query, ids[status])] == []


@each_query
async def test_a_wait_ends_when_it_is_settled(stale, hot: Hot, documents: Documents, name):
    """A query that waits is let go by the last thing that its view needs, long before its time is over."""
    query, needs = QUERIES[name]
    author, message_id = new_id(), new_id()
    hot.task(author, 1)
    waiting = asyncio.create_task(stale(query, message_id, seconds=30))
    await asyncio.to_thread(documents.command, command_record(message_id, key=author, sequence=1))
    await asyncio.to_thread(hot.command, message_id, key=author, sequence=1)
    if "tasks" in needs:
        assert await stale(query, message_id)
        assert not waiting.done()
        hot.task_done(author)
    assert not await asyncio.wait_for(waiting, 60)
