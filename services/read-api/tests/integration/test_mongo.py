import pytest
from read_api_layout import new_id

from cheeper_contracts import views
from read_api.queries.asking import NotFoundError, StoreAwayError
from read_api.queries.author import Author, ShowAuthor
from read_api.queries.bus import QueryBus
from read_api.queries.cheep import Cheep, ShowCheep
from read_api.queries.waiting import Waiter
from read_api.stores import mongo as mongo_store

AT = 1_647_292_130_123_456


@pytest.fixture
def bus(mongo_views):
    """The two queries that MongoDB answers."""
    waiter = Waiter(mongo_views.settled)
    return QueryBus({Author: ShowAuthor(mongo_views, waiter), Cheep: ShowCheep(mongo_views, waiter)})


async def ask(bus, query):
    async def while_there(awaited):
        await awaited

    return await bus.ask(query, while_there)


def lay_cheep(documents, *, parent=None, at=AT):
    """A cheep's document."""
    cheep_id = new_id()
    documents[views.CHEEPS.name].insert_one(
        {
            "_id": cheep_id,
            "author_id": new_id(),
            "author_username": "bob",
            "message": "hé\n👋",
            "cheep_date": at,
            "in_reply_to": parent,
            "edited_at": None,
        }
    )
    return cheep_id


async def test_a_profile_with_its_counts(documents, bus):
    """What the author told, and what others did, as api.md has it."""
    author = new_id()
    documents[views.AUTHORS.name].insert_one(
        {"_id": author, "username": "bob", "bio": "b", "signed_up_at": AT, "followers": 2, "cheeps": 7}
    )
    profile = (await ask(bus, Author(author_id=author))).data
    assert (profile.username, profile.bio, profile.name) == ("bob", "b", None)
    assert profile.signed_up_at == "2022-03-14T21:08:50+00:00"
    assert (profile.followers, profile.following, profile.cheeps) == (2, 0, 7)


async def test_counts_alone_make_no_author(documents, bus):
    """Who was followed before the sign-up is not there yet."""
    author = new_id()
    documents[views.AUTHORS.name].insert_one({"_id": author, "followers": 2})
    with pytest.raises(NotFoundError) as caught:
        await ask(bus, Author(author_id=author))
    assert (caught.value.code, str(caught.value)) == ("author_not_found", f'Author "{author}" does not exist')


async def test_a_cheep_without_answers(documents, bus):
    """The shape is that of a cheep, with no answers."""
    cheep_id = lay_cheep(documents)
    cheep = (await ask(bus, Cheep(cheep_id=cheep_id))).data
    assert (cheep.cheep_id, cheep.cheep_message, cheep.cheep_date) == (cheep_id, "hé\n👋", "2022-03-14T21:08:50+00:00")
    assert (cheep.answers, cheep.number_of_answers, cheep.in_reply_to, cheep.edited_at) == ([], 0, None, None)


async def test_a_cheep_with_its_oldest_answers(documents, bus):
    """Ten answers are shown, oldest first, and all are counted, by index."""
    documents[views.CHEEPS.name].create_index(list(views.CHEEPS.indexes[0]))
    cheep_id = lay_cheep(documents)
    answers = [lay_cheep(documents, parent=cheep_id, at=AT + 12 - i) for i in range(12)]
    lay_cheep(documents, parent=new_id())
    cheep = (await ask(bus, Cheep(cheep_id=cheep_id))).data
    assert [answer.cheep_id for answer in cheep.answers] == answers[::-1][:10]
    assert cheep.number_of_answers == 12


async def test_no_cheep(bus):
    """An unknown cheep is told by its id."""
    with pytest.raises(NotFoundError) as caught:
        await ask(bus, Cheep(cheep_id=(cheep_id := new_id())))
    assert (caught.value.code, str(caught.value)) == ("cheep_not_found", f'Cheep "{cheep_id}" does not exist')


async def test_a_missing_record_makes_the_answer_stale(documents, bus):
    """At the end of the time what is there is answered, and said to be stale; also where nothing is there."""
    cheep_id = lay_cheep(documents)
    found = await ask(bus, Cheep(cheep_id=cheep_id, after=new_id(), timeout=0.05))
    assert not found.settled
    assert found.data.cheep_id == cheep_id
    with pytest.raises(NotFoundError) as caught:
        await ask(bus, Cheep(cheep_id=new_id(), after=new_id(), timeout=0.05))
    assert caught.value.stale


@pytest.mark.parametrize("status", ["handled", "rejected"])
async def test_a_record_settles_the_wait(documents, bus, status):
    """A command's record, whichever way it went, ends the wait."""
    cheep_id, message = lay_cheep(documents), new_id()
    documents[views.COMMANDS.name].insert_one({"_id": message, "status": status})
    assert (await ask(bus, Cheep(cheep_id=cheep_id, after=message, timeout=10))).settled


async def test_a_server_that_is_away_is_told_so_and_found_again(own_mongo):
    """While MongoDB is away every look-up fails within seconds as such, and works again after its return."""
    client = mongo_store.connect(own_mongo.url)
    store = mongo_store.MongoViews(client, "cheeper")
    await store.ping()
    own_mongo.stop()
    for look in (store.ping(), store.author(new_id(), after=None), store.thread(new_id(), answers=1, after=new_id())):
        with pytest.raises(StoreAwayError):
            await look
    own_mongo.start()
    await store.ping()
    assert await store.author(new_id(), after=new_id()) == (None, False)
    await client.close()
