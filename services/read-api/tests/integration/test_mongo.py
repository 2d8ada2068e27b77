"""The wait of look-ups in MongoDB, and an unavailable server."""

import pytest
from read_api_layout import command_record, new_id

from read_api.queries.author_cheeps import AuthorCheeps
from read_api.queries.cheep import Cheep
from read_api.queries.search import SearchRequest
from read_api.queries.search_cheeps import SearchCheeps
from read_api.query_bus.paging import Slice
from read_api.query_bus.query import NotFoundError, Result, StoreUnavailableError
from read_api.stores.mongo.authors import MongoAuthors
from read_api.stores.mongo.cheeps import MongoCheeps
from read_api.stores.mongo.reader import Reader, connect
from read_api.stores.mongo.search import MongoSearch

pytestmark = pytest.mark.store


async def test_a_missing_record_makes_the_response_stale(documents, ask):
    """At the end of the time what is there is returned as stale; also where nothing is there."""
    author = documents.sign_up()
    cheep_id = documents.post(author, "hello")
    for query in (
        Cheep(cheep_id=cheep_id, after=new_id(), timeout=0.05),
        AuthorCheeps(author_id=author, after=new_id(), timeout=0.05),
        SearchCheeps(q="hello", after=new_id(), timeout=0.05),
    ):
        found = await ask(query)
        assert not found.settled
        assert found.data
    for query in (
        Cheep(cheep_id=new_id(), after=new_id(), timeout=0.05),
        AuthorCheeps(author_id=new_id(), after=new_id(), timeout=0.05),
    ):
        with pytest.raises(NotFoundError) as caught:
            await ask(query)
        assert caught.value.stale


@pytest.mark.parametrize("status", ["handled", "rejected"])
async def test_a_record_settles_the_wait(documents, ask, status):
    """A command's record, whichever way it went, ends the wait."""
    cheep_id, message = documents.post(), new_id()
    documents.command(command_record(message, key=new_id(), sequence=1, status=status))
    assert (await ask(Cheep(cheep_id=cheep_id, after=message, timeout=10))).settled
    assert (await ask(SearchCheeps(q="hello", after=message, timeout=10))).settled


async def test_an_unavailable_server_is_reported_and_found_again(own_mongo):
    """While MongoDB is unavailable every look-up fails within seconds, and works again after its return."""
    client = connect(own_mongo.url)
    reader = Reader(client, "cheeper")
    await reader.ping()
    own_mongo.stop()
    wanted = SearchRequest(prefixes=["a"], newest_first=True, skip=0, limit=1)
    for look in (
        reader.ping(),
        MongoAuthors(reader).author(new_id(), after=None),
        MongoCheeps(reader).answers(new_id(), Slice(beyond=None, limit=1), after=new_id()),
        MongoSearch(reader).authors(wanted, after=None),
    ):
        with pytest.raises(StoreUnavailableError):
            await look
    own_mongo.start()
    await reader.ping()
    assert await MongoAuthors(reader).author(new_id(), after=new_id()) == Result(data=None, settled=False)
    await client.close()
