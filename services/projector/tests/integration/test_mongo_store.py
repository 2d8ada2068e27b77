import msgspec
import pytest

from cheeper_contracts import views
from projector.stores import StoreAwayError
from projector.stores.mongo.store import MongoStore


@pytest.fixture
def store(mongo):
    made = MongoStore(mongo.client, mongo.name)
    made.prepare()
    return made


def test_documents_are_those_of_the_contracts(store, mongo, story, author, tell):
    """What is written decodes to the documents that readers expect, whole."""
    bob = author()
    signed, posted = story.signed(bob, name="Bob", bio="Hi"), story.posted(bob, "hello")
    tell.apply_all(store, signed.partition, [signed.message, posted.message])
    found = msgspec.convert(mongo[views.AUTHORS.name].find_one({"_id": bob}), views.AuthorDocument)
    assert found == views.AuthorDocument(
        author_id=bob,
        username=tell.name_of(bob),
        username_folded=tell.name_of(bob),
        name="Bob",
        bio="Hi",
        signed_up_at=tell.now,
        username_words=[tell.name_of(bob)],
        words=["bob", tell.name_of(bob)],
        cheeps=1,
    )
    cheep = msgspec.convert(mongo[views.CHEEPS.name].find_one({"_id": posted.event.cheep_id}), views.CheepDocument)
    assert cheep == views.CheepDocument(
        cheep_id=posted.event.cheep_id,
        author_id=bob,
        author_username=tell.name_of(bob),
        message="hello",
        words=["hello"],
        cheep_date=posted.event.cheep_date,
    )


def test_counts_may_come_before_the_sign_up(store, mongo, story, author, tell):
    """A follow of somebody whose sign-up is not in yet makes the counts, and the profile joins them later."""
    alice, bob = author(), author()
    followed = story.followed(alice, bob)
    tell.apply_all(store, followed.partition, [followed.message])
    found = msgspec.convert(mongo[views.AUTHORS.name].find_one({"_id": alice}), views.AuthorDocument)
    assert (found.username, found.following) == (None, 1)
    for told in (story.signed(alice),):
        tell.apply_all(store, told.partition, story.messages[told.partition])
    found = msgspec.convert(mongo[views.AUTHORS.name].find_one({"_id": alice}), views.AuthorDocument)
    assert (found.username, found.following) == (tell.name_of(alice), 1)


def test_indexes_are_there_and_making_them_again_is_harmless(store, mongo):
    """Command records expire, and the queries of the contracts have their indexes."""
    store.prepare()
    ttl = [index for index in mongo[views.COMMANDS.name].index_information().values() if "expireAfterSeconds" in index]
    assert [index["key"] for index in ttl] == [[("expires_at", 1)]]
    made = [index["key"] for index in mongo[views.CHEEPS.name].index_information().values()]
    assert [(field, 1) for field in views.CHEEPS.indexes[0]] in made


def test_a_write_conflict_passes(store, mongo, story, author, tell):
    """Another transaction on the same documents is a reason to try again, and no poison."""
    told = story.signed(author())
    tell.apply_all(store, told.partition, [told.message])
    with mongo.client.start_session() as session, session.start_transaction():
        mongo[views.CHECKPOINTS.name].update_one({"_id": told.partition}, {"$set": {"held": 1}}, session=session)
        more = story.add(told.event, partition=told.partition)
        with pytest.raises(StoreAwayError):
            tell.apply_all(store, told.partition, [more.message])
        session.abort_transaction()
    assert tell.apply_all(store, told.partition, [more.message]).checkpoint.sequence == 2
