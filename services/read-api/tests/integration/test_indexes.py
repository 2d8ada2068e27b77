"""The work of MongoDB for each query: the server explains each command that a query sends, over some thousands of
documents of which a query needs few.
"""

import random
import uuid

import msgspec
import pytest
from pymongo import AsyncMongoClient, MongoClient, monitoring
from read_api_layout import AT, Documents, command_record, limits, new_id

from cheeper_contracts import views
from cheeper_contracts.words import words_of
from read_api.bootstrap import query_bus
from read_api.ops.metrics import Metrics
from read_api.queries.author import Author
from read_api.queries.author_by_username import AuthorByUsername
from read_api.queries.author_cheeps import AuthorCheeps
from read_api.queries.blocks import Blocks
from read_api.queries.cheep import Cheep
from read_api.queries.cheep_answers import CheepAnswers
from read_api.queries.command import Command
from read_api.queries.followers import Followers
from read_api.queries.following import Following
from read_api.queries.mutes import Mutes
from read_api.queries.notifications import UNREAD_MAX, Notifications
from read_api.queries.search import TOTAL_MAX
from read_api.queries.search_authors import SearchAuthors
from read_api.queries.search_cheeps import SearchCheeps
from read_api.query_bus.paging import encode_cursor
from read_api.stores.mongo.reader import Reader
from read_api.stores.mongo.views import MongoViews

MANY = 1_500
HUB, ROOT, COMMAND = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
MIDDLE = views.pack_entry(AT + MANY // 2, str(uuid.UUID(int=1 << 127)))
UNSIGNED = 5
"""Followers whose sign-up is not in, among the newest."""


def lay(documents):
    """An author of whom there is much of everything, among as many others; a cheep with many answers."""
    seed = random.Random(5)
    others = [str(uuid.UUID(int=seed.getrandbits(128))) for _ in range(MANY)]
    documents.sign_up(HUB, username="hub")
    documents.of(views.CHEEPS).insert_one({"_id": ROOT, "deleted_at": AT})
    documents.command(command_record(COMMAND, key=HUB, sequence=1))
    authors, follows, mutes, blocks, cheeps, notes, commands = [], [], [], [], [], [], []
    for number, other in enumerate(others):
        at = AT + number
        username = f"user{number}"
        profile = {"_id": other, "username": username, "username_folded": username, "signed_up_at": at}
        authors.append({**profile, "words": words_of(username, "common" if number % 2 else "rare")})
        if number >= MANY - UNSIGNED:
            authors[-1] = {"_id": other, "following": 1}
        for follower, followed in ((other, HUB), (HUB, other), (other, others[number - 1])):
            follow = {"_id": f"{follower} {followed}", "from_author_id": follower, "to_author_id": followed}
            follows.append(follow | {"followed_at": at})
        for one, two in ((HUB, other), (other, HUB)):
            mutes.append({"_id": f"{one} {two}", "author_id": one, "muted_id": two, "muted_at": at})
            blocks.append({"_id": f"{one} {two}", "author_id": one, "blocked_id": two, "blocked_at": at})
        for author, parent in ((HUB, None), (other, ROOT), (other, None)):
            message = f"word{number % 100} {'common' if number % 2 else 'rare'} {'common' if number % 10 else 'seldom'}"
            cheep = {"_id": new_id(), "author_id": author, "author_username": "x", "message": message}
            cheeps.append(cheep | {"cheep_date": at, "in_reply_to": parent, "words": words_of(message)})
            notes.append({"_id": new_id(), "author_id": author, "kind": "welcome", "at": at})
        commands.append({"_id": new_id()})
    for collection, rows in (
        (views.AUTHORS, authors),
        (views.FOLLOWS, follows),
        (views.MUTES, mutes),
        (views.BLOCKS, blocks),
        (views.CHEEPS, cheeps),
        (views.NOTIFICATIONS, notes),
        (views.COMMANDS, commands),
    ):
        documents.of(collection).insert_many(rows)


class Sent(monitoring.CommandListener):
    """The reading commands that a client sent."""

    def __init__(self):
        self.commands = []

    def started(self, event):
        if event.command_name in {"find", "aggregate"}:
            kept = ("find", "filter", "projection", "limit", "singleBatch", "aggregate", "pipeline", "cursor")
            self.commands.append({name: event.command[name] for name in kept if name in event.command})

    def succeeded(self, event):
        """The tests need no event of this kind."""

    def failed(self, event):
        """The tests need no event of this kind."""


@pytest.fixture(scope="module")
def laid(servers):
    """A database that the tests of this module only read."""
    name = f"t{uuid.uuid4().hex}"
    with MongoClient(servers.shared("mongo").url) as client:
        documents = Documents(client[name])
        documents.make_indexes()
        lay(documents)
        yield documents
        client.drop_database(name)


@pytest.fixture
async def explained(laid, servers, redis_views):
    """Asks a query; what was found, and the server's explanation of each command that it took."""
    sent = Sent()
    async with AsyncMongoClient(servers.shared("mongo").url, event_listeners=[sent]) as client:
        reader = Reader(client, laid.database.name)
        bus = query_bus(redis_views, MongoViews(reader, reader), Metrics(), limits())

        async def while_connected(awaited):
            return await awaited

        async def explain(query):
            found = await bus.handle(query, while_connected)
            return found, [
                laid.database.command("explain", command, verbosity="executionStats") for command in sent.commands
            ]

        yield explain


def nodes(explanation):
    """Every object within an explanation."""
    if isinstance(explanation, dict):
        yield explanation
        explanation = list(explanation.values())
    if isinstance(explanation, list):
        for each in explanation:
            yield from nodes(each)


def scanned(explanation):
    """Return the collection scans of a plan, those inside look-ups too. Fail if the plan has no stage at all."""
    plans = [node for node in nodes(explanation) if "stage" in node or "collectionScans" in node]
    assert plans
    return [node for node in plans if node.get("stage") == "COLLSCAN" or node.get("collectionScans", 0)]


def examined(explanations, what="totalDocsExamined"):
    """Return the number of examined documents (or keys), those inside look-ups too."""
    return sum(node.get(what, 0) for explanation in explanations for node in nodes(explanation))


def at_middle(query):
    """Return the query for the page in the middle of the list."""
    return msgspec.structs.replace(query, cursor=encode_cursor(query, MIDDLE))


PAGES = [
    (Followers(author_id=HUB), "authors"),
    (at_middle(Followers(author_id=HUB)), "authors"),
    (Mutes(author_id=HUB), "authors"),
    (at_middle(Mutes(author_id=HUB)), "authors"),
    (Blocks(author_id=HUB), "authors"),
    (at_middle(Blocks(author_id=HUB)), "authors"),
    (Following(author_id=HUB), "authors"),
    (at_middle(Following(author_id=HUB)), "authors"),
    (AuthorCheeps(author_id=HUB), "cheeps"),
    (at_middle(AuthorCheeps(author_id=HUB)), "cheeps"),
    (CheepAnswers(cheep_id=ROOT), "cheeps"),
    (at_middle(CheepAnswers(cheep_id=ROOT)), "cheeps"),
    (Notifications(author_id=HUB), "notifications"),
    (at_middle(Notifications(author_id=HUB)), "notifications"),
]


@pytest.mark.parametrize("query", [Author(author_id=HUB), AuthorByUsername(username="Hub")])
async def test_a_profile_is_one_document(explained, query):
    """A profile is one command that looks at one document, by index."""
    found, explanations = await explained(query)
    assert found.data.username == "hub"
    assert (len(explanations), scanned(explanations), examined(explanations)) == (1, [], 1)


async def test_a_command_is_one_document(explained):
    """A command's record is found by its id, and so is that of the command to wait for."""
    found, explanations = await explained(Command(message_id=COMMAND))
    assert found.data.status == "handled"
    assert (len(explanations), scanned(explanations), examined(explanations)) == (1, [], 1)
    _, explanations = await explained(Author(author_id=HUB, after=COMMAND))
    assert scanned(explanations) == []


@pytest.mark.parametrize(("query", "entries"), PAGES)
async def test_a_page_is_read_alone(explained, query, entries):
    """A page of a list, wherever it is, is one command, by index: of the owner, the entries of the page and one more,
    the one at the cursor, and the names where it has some; another one, twice as far, where followers lack a sign-up.
    The first page of notifications also reads those that it counts.
    """
    found, explanations = await explained(query)
    page = getattr(found.data, entries)
    assert (len(page), bool(found.next_cursor), scanned(explanations)) == (10, True, [])
    lacking = entries == "authors" and query.cursor is None
    counted = UNREAD_MAX if entries == "notifications" and query.cursor is None else 0
    assert len(explanations) == (2 if lacking else 1)
    assert examined(explanations) <= (3 if lacking else 1) * (24 if entries == "authors" else 13) + counted


async def test_a_cheep_is_read_with_the_answers_that_are_shown(explained, laid):
    """Of a cheep with many answers only the shown ones are read, in the index too; their number is in the document."""
    cheep_id = laid.post(HUB)
    for number in range(30):
        laid.post(HUB, parent=cheep_id, at=AT + number)
    found, explanations = await explained(Cheep(cheep_id=cheep_id))
    assert (len(found.data.answers), found.data.number_of_answers) == (10, 30)
    assert (len(explanations), scanned(explanations)) == (1, [])
    assert examined(explanations) <= 11
    assert examined(explanations, "totalKeysExamined") <= 13
    laid.of(views.CHEEPS).update_one({"_id": cheep_id}, {"$unset": {"number_of_answers": ""}})  # as before version 3
    found, explanations = await explained(Cheep(cheep_id=cheep_id))
    assert (len(found.data.answers), found.data.number_of_answers) == (10, 30)
    assert (len(explanations), scanned(explanations)) == (1 + 2, [])  # with that of before


@pytest.mark.parametrize(
    ("query", "total"),
    [
        (SearchCheeps(q="rar", sort_order="asc"), 3 * MANY // 2),
        (SearchCheeps(q="com", page=7), 3 * MANY * 9 // 10),
        (SearchCheeps(q="nowhere"), 0),
        (SearchAuthors(q="user7"), 111),
        (SearchAuthors(q="user", page=3, page_size=100), MANY - UNSIGNED),
    ],
)
async def test_a_word_is_counted_in_the_index(explained, query, total):
    """A search for one word is one command that reads the documents of its page and no other, however many have it."""
    found, explanations = await explained(query)
    assert (found.data.total, len(explanations), scanned(explanations)) == (min(total, TOTAL_MAX), 1, [])
    assert found.total_is_capped == (total > TOTAL_MAX)
    assert examined(explanations) == len(found.data.items) <= query.page_size
    assert examined(explanations, "totalKeysExamined") < total + 2 * query.page_size + 5


@pytest.mark.parametrize(
    ("query", "total", "with_a_word"),
    [
        (SearchCheeps(q="word10 seldom"), 3 * MANY // 100, 3 * MANY // 100),
        (SearchCheeps(q="com word1"), 3 * MANY // 10, 3 * MANY // 100 * 12),
        (SearchCheeps(q="rar", author_id=HUB), MANY // 2, 3 * MANY // 2),
        (SearchAuthors(q="user rare", sort_order="asc"), 748, MANY),
    ],
)
async def test_several_conditions_read_what_meets_one(explained, query, total, with_a_word):
    """A search for several words, or of one author, reads the documents that meet the condition which few meet."""
    found, explanations = await explained(query)
    assert (found.data.total, len(explanations), scanned(explanations)) == (min(total, TOTAL_MAX), 1, [])
    assert examined(explanations) <= with_a_word + query.page_size
