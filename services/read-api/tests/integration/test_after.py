"""`after` of every query: what settles it and what does not, by the store and the tasks that its view needs."""

from __future__ import annotations

import msgspec
import pytest
from read_api_layout import Documents, Hot, command_record, new_id

from read_api.queries.author import Author
from read_api.queries.author_by_username import AuthorByUsername
from read_api.queries.author_cheeps import AuthorCheeps
from read_api.queries.cheep import Cheep
from read_api.queries.cheep_answers import CheepAnswers
from read_api.queries.command import Command
from read_api.queries.followers import Followers
from read_api.queries.followers_counter import FollowersCounter
from read_api.queries.following import Following
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
    """Whether a query's answer says that it is stale, whether it finds something or not."""

    async def told(query, after, seconds=0.0):
        try:
            found = await ask(msgspec.structs.replace(query, after=after, timeout=seconds))
        except NotFoundError as error:
            return error.stale
        return not found.settled

    return told


async def test_a_thousand_commands_in_one_look(redis_views, reader, hot: Hot, documents: Documents):
    """However many are asked for at once, each store says of each whether it is in."""
    ids = [new_id() for _ in range(1_000)]
    for message_id in ids[::2]:
        hot.command(message_id, key=SOMEBODY, sequence=1)
        documents.command(command_record(message_id, key=SOMEBODY, sequence=1))
    for settled in (redis_views.settled_in_counters, redis_views.settled_in_timelines, reader.settled):
        assert await settled(ids) == set(ids[::2])
