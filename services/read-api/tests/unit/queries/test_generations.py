"""Every look-up shows the generation that is live when it is made, and waits in that one."""

import asyncio
from unittest.mock import patch

import msgspec
import pytest
from read_api_generations import AUTHOR, CHEEP, OTHER, lay, settle
from read_api_layout import command_record, new_id

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
from read_api.query_bus.read_your_writes import Waiter

pytestmark = pytest.mark.proves(guarantee="rebuild")

QUERIES = {
    FollowersCounter(author_id=AUTHOR): lambda data: data.author_username,
    Timeline(author_id=AUTHOR): lambda data: msgspec.json.decode(data.cheeps[0])["cheep_message"],
    Author(author_id=AUTHOR): lambda data: data.name,
    Followers(author_id=AUTHOR): lambda data: data.authors[0].name,
    Following(author_id=OTHER): lambda data: data.authors[0].name,
    AuthorCheeps(author_id=AUTHOR): lambda data: data.cheeps[0].cheep_message,
    Notifications(author_id=AUTHOR): lambda data: data.notifications[0].cheep_id,
    Cheep(cheep_id=CHEEP): lambda data: data.answers[0].cheep_message,
    CheepAnswers(cheep_id=CHEEP): lambda data: data.cheeps[0].cheep_message,
}


async def shown(ask, query):
    """Return the name of the generation that a query shows."""
    return QUERIES[query]((await ask(query)).data)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: type(query).__name__)
async def test_a_query_follows_the_switch(hot, documents, hot_two, documents_two, registry, ask, query):
    """Each query shows the generation that is live when it is asked, there and back, and no other."""
    lay(hot, documents, "one")
    lay(hot_two, documents_two, "two")
    assert await shown(ask, query) == "one"
    for number, name in ((2, "two"), (1, "one"), (2, "two")):
        registry.switch_redis(number)
        registry.switch_mongo(number)
        assert await shown(ask, query) == name


async def test_a_search_and_a_name_follow_the_switch(hot, documents, hot_two, documents_two, registry, ask):
    """Data that only the former live generation had are not found any more."""
    lay(hot, documents, "one")
    lay(hot_two, documents_two, "two")
    for number, name, old in ((2, "two", "one"), (1, "one", "two")):
        registry.switch_mongo(number)
        assert (await ask(AuthorByUsername(username=f"{name}1"))).data.name == name
        assert (await ask(SearchAuthors(q=name))).data.total == 2
        assert (await ask(SearchCheeps(q=name))).data.total == 2
        assert (await ask(SearchCheeps(q=old))).data.total == 0
        with pytest.raises(NotFoundError):
            await ask(AuthorByUsername(username=f"{old}1"))


async def test_the_stores_have_their_generations_apart(hot, documents, hot_two, documents_two, registry, ask):
    """A switch of one store does not switch the other."""
    lay(hot, documents, "one")
    lay(hot_two, documents_two, "two")
    registry.switch_mongo(2)
    assert await shown(ask, FollowersCounter(author_id=AUTHOR)) == "one"
    registry.switch_redis(2)
    registry.switch_mongo(1)
    assert await shown(ask, FollowersCounter(author_id=AUTHOR)) == "two"
    assert await shown(ask, Author(author_id=AUTHOR)) == "one"


@pytest.mark.parametrize("query", [FollowersCounter, Timeline, Author, Command], ids=lambda query: query.__name__)
async def test_after_waits_in_the_generation_that_is_live(hot, hot_two, documents, documents_two, registry, ask, query):
    """The former generation's record is not enough: a wait ends once the live one has the command, and it is stale
    while that has not.
    """
    message = new_id()
    asked = {"message_id": message} if query is Command else {"author_id": AUTHOR}
    lay(hot, documents, "one")
    settle(hot, documents, message)
    assert (await ask(query(**asked, after=message, timeout=0))).settled
    registry.switch_redis(2)
    registry.switch_mongo(2)
    lay(hot_two, documents_two, "two")
    if query is not Command:
        assert not (await ask(query(**asked, after=message, timeout=0.05))).settled
    settle(hot_two, documents_two, message)
    assert (await ask(query(**asked, after=message, timeout=0))).settled


@pytest.mark.parametrize("query", [FollowersCounter, Timeline, Author], ids=lambda query: query.__name__)
async def test_a_wait_ends_by_a_switch(hot, hot_two, documents, documents_two, registry, ask, query):
    """A wait for a command that only the new generation has ends with the switch, with the new one's data."""
    lay(hot, documents, "one")
    lay(hot_two, documents_two, "two")
    message = new_id()
    settle(hot_two, documents_two, message)
    began, original = asyncio.Event(), Waiter.wait

    async def wait(waiter, *arguments):
        began.set()
        await original(waiter, *arguments)

    with patch.object(Waiter, "wait", wait):
        waiting = asyncio.create_task(ask(query(author_id=AUTHOR, after=message, timeout=10)))
        await began.wait()
    registry.switch_redis(2)
    registry.switch_mongo(2)
    found = await asyncio.wait_for(waiting, 60)
    assert found.settled
    assert QUERIES[query(author_id=AUTHOR)](found.data) == "two"


async def test_an_accepted_command_is_of_no_generation(hot, hot_two, documents, registry, ask):
    """It is accepted whichever is live, handled once that one has its record, and its status never goes back."""
    message = new_id()
    hot.accept(message)
    for number in (2, 1, 2):
        registry.switch_redis(number)
        assert (await ask(Command(message_id=message))).data.status == "accepted"
    hot.command(message, key=AUTHOR, sequence=5)
    assert (await ask(Command(message_id=message))).data.status == "accepted"
    hot_two.command(message, key=AUTHOR, sequence=5)
    hot.accept(message)
    assert (await ask(Command(message_id=message))).data.status == "handled"
    documents.command(command_record(message, key=AUTHOR, sequence=5))
    registry.switch_redis(1)
    assert (await ask(Command(message_id=message))).data.status == "projected"
