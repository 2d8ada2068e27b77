import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from cheeper_contracts import views
from projector.stores.base import StoreUnavailableError
from projector.stores.mongo.store import MongoStore

pytestmark = pytest.mark.store


@pytest.fixture
def store(mongo):
    made = MongoStore(mongo.client, mongo.name)
    made.prepare()
    return made


def test_documents_are_those_of_the_contracts(store, mongo, story, author, helpers):
    """The written documents decode to the complete documents that readers expect."""
    bob = author()
    signed, posted = story.signed(bob, name="Bob", bio="Hi"), story.posted(bob, "hello")
    helpers.apply_all(store, signed.partition, [signed.message, posted.message])
    found = msgspec.convert(mongo[views.AUTHORS.name].find_one({"_id": bob}), views.AuthorDocument)
    assert found == views.AuthorDocument(
        author_id=bob,
        username=helpers.name_of(bob),
        username_folded=helpers.name_of(bob),
        name="Bob",
        bio="Hi",
        signed_up_at=helpers.now,
        words=["bob", helpers.name_of(bob)],
        cheeps=1,
    )
    cheep = msgspec.convert(mongo[views.CHEEPS.name].find_one({"_id": posted.event.cheep_id}), views.CheepDocument)
    assert cheep == views.CheepDocument(
        cheep_id=posted.event.cheep_id,
        author_id=bob,
        author_username=helpers.name_of(bob),
        message="hello",
        words=["hello"],
        cheep_date=posted.event.cheep_date,
    )


def test_counts_may_come_before_the_sign_up(store, mongo, story, author, helpers):
    """A follow before the sign-up of the followed author creates the counts, and the profile is added later."""
    alice, bob = author(), author()
    followed = story.followed(alice, bob)
    helpers.apply_all(store, followed.partition, [followed.message])
    found = msgspec.convert(mongo[views.AUTHORS.name].find_one({"_id": alice}), views.AuthorDocument)
    assert (found.username, found.following) == (None, 1)
    for published in (story.signed(alice),):
        helpers.apply_all(store, published.partition, story.messages[published.partition])
    found = msgspec.convert(mongo[views.AUTHORS.name].find_one({"_id": alice}), views.AuthorDocument)
    assert (found.username, found.following) == (helpers.name_of(alice), 1)


def test_command_records_expire(store, mongo):
    """Their index exists, and making it again is harmless."""
    store.prepare()
    ttl = [index for index in mongo[views.COMMANDS.name].index_information().values() if "expireAfterSeconds" in index]
    assert [index["key"] for index in ttl] == [[("expires_at", 1)]]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("collection", "fields"),
    [(collection, fields) for collection in views.COLLECTIONS for fields in collection.indexes],
    ids=lambda part: part.name if isinstance(part, views.Collection) else ",".join(part),
)
def test_every_declared_index_is_what_its_query_uses(mongo, collection, fields):
    """Asked for a value of its first field in the order of the others, MongoDB walks that index and sorts nothing."""
    query = mongo[collection.name].find({fields[0]: "x"})
    if fields[1:]:
        query = query.sort([(field, -1) for field in fields[1:]])
    plan = query.explain()["queryPlanner"]["winningPlan"]
    stages = list(stages_of(plan))
    assert [stage["keyPattern"] for stage in stages if stage["stage"] == "IXSCAN"] == [dict.fromkeys(fields, 1)]
    assert not {stage["stage"] for stage in stages} & {"COLLSCAN", "SORT"}


def stages_of(plan):
    """A query plan's stages, the outermost first."""
    plan = plan.get("queryPlan", plan)
    yield plan
    for inner in (*plan.get("inputStages", ()), *filter(None, [plan.get("inputStage")])):
        yield from stages_of(inner)


def test_indexes_come_to_a_store_of_older_code_while_it_is_read(mongo):
    """Documents without the new fields are there already, and a reader meets no error while indexes are made."""
    cheeps = mongo[views.CHEEPS.name]
    cheeps.insert_many({"_id": str(number), "author_id": "bob", "cheep_date": number} for number in range(20_000))
    made, reads = threading.Event(), []

    def read():
        while not made.is_set() or not reads:
            reads.append(cheeps.count_documents({"author_id": "bob"}))

    with ThreadPoolExecutor() as pool:
        reader = pool.submit(read)
        MongoStore(mongo.client, mongo.name).prepare()
        made.set()
        reader.result(60)
    assert set(reads) == {20_000}
    keys = [index["key"] for index in cheeps.index_information().values()]
    assert all([(field, 1) for field in fields] in keys for fields in views.CHEEPS.indexes)


def test_a_write_conflict_passes(store, mongo, story, author, helpers):
    """A transaction on the same documents is a reason to retry, and not poison."""
    published = story.signed(author())
    helpers.apply_all(store, published.partition, [published.message])
    with mongo.client.start_session() as session, session.start_transaction():
        mongo[views.CHECKPOINTS.name].update_one({"_id": published.partition}, {"$set": {"held": 1}}, session=session)
        more = story.add(published.event, partition=published.partition)
        with pytest.raises(StoreUnavailableError):
            helpers.apply_all(store, published.partition, [more.message])
        session.abort_transaction()
    assert helpers.apply_all(store, published.partition, [more.message]).checkpoint.sequence == 2
