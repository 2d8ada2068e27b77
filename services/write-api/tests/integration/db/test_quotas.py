"""The quotas of follows and posts, over the repositories in Postgres and in memory."""

import asyncio
import dataclasses
from functools import partial

import pytest
from sqlalchemy import text

from cheeper_contracts.commands.follow import Follow as FollowCommand
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_local.testing import eventually
from write_api.bus.bus import CommandBus
from write_api.bus.ids import new_id
from write_api.bus.outcome import ReceivedCommand
from write_api.db.unit_of_work import PostgresTransactions
from write_api.domain.author import Author
from write_api.domain.errors import TooManyFollows, TooManyFollowsADay, TooManyPostsADay
from write_api.domain.follow import Follow
from write_api.domain.quotas import DAY, Quotas
from write_api.domain.values import CheepText, Identifier
from write_api.features import HANDLERS
from write_api.testing import MemoryTransactions

pytestmark = [pytest.mark.proves(guarantee="limits"), pytest.mark.store]

NOW = 1_647_292_130_123_456


@pytest.fixture(params=["memory", "postgres"])
def begin(request, quotas):
    if request.param == "memory":
        return MemoryTransactions(quotas).begin
    engine = request.getfixturevalue("engine")
    return partial(PostgresTransactions(engine, quotas=quotas).begin, separately=True)


def an_author(**given):
    author_id = new_id()
    form = {"author_id": author_id, "username": f"u{author_id[-12:]}", "email": f"{author_id}@example.com", **given}
    return Author.sign_up(form, NOW)


def a_follow(one, other):
    return Follow.begin({"follow_id": new_id(), "from_author_id": one.author_id, "to_author_id": other.author_id}, NOW)


def received(command):
    message_id = new_id()
    envelope = Envelope(
        message_id=message_id, type=command.TYPE, source="/c", time=1, key=command.key, correlation_id=message_id
    )
    return ReceivedCommand(command=command, envelope=envelope)


async def nothing():
    pass


async def waiting(engine):
    """The number of transactions that wait for a lock of the database."""
    async with engine.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
                " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
            )
        )
        return found.scalar_one()


async def saved(begin, *authors):
    async with begin(["k"]) as work:
        for author in authors:
            await work.authors.save(author)


@pytest.mark.parametrize("quotas", [Quotas(follows_per_day=2)])
async def test_an_author_begins_so_many_follows_a_day(begin):
    """Follows that ended since count, those of other authors and those that are a day old do not."""
    alice, *others = [an_author() for _ in range(4)]
    await saved(begin, alice, *others)

    async def follow(other, at):
        async with begin(["k"]) as work, work.savepoint():
            await work.follows.save(dataclasses.replace(a_follow(alice, other), followed_at=at))

    for other in others[:2]:
        await follow(other, NOW)
    async with begin(["k"]) as work, work.savepoint():
        ended = await work.follows.of_id(alice.author_id, others[0].author_id)
        ended.end(NOW + 1)
        await work.follows.save(ended)
        await work.follows.save(a_follow(others[0], alice))
    for at in (NOW - 1, NOW + DAY - 1):
        with pytest.raises(TooManyFollowsADay):
            await follow(others[2], at)
    await follow(others[2], NOW + DAY)


@pytest.mark.parametrize("quotas", [Quotas(posts_per_day=2)])
async def test_an_author_posts_so_many_cheeps_a_day(begin):
    """Deleted ones count, and a change of an old one is no post."""
    bob, carol = an_author(), an_author()
    await saved(begin, bob, carol)

    async def save(cheep):
        async with begin(["k"]) as work, work.savepoint():
            await work.cheeps.save(cheep)

    def post(author, at):
        return author.post(Identifier(new_id()), CheepText("a"), at)

    first, second = post(bob, NOW), post(bob, NOW + 1)
    for cheep in (first, second, post(carol, NOW)):
        await save(cheep)
    first.delete(bob.author_id, NOW + 2)
    second.edit(bob.author_id, CheepText("b"), NOW + 2)
    await save(first)
    await save(second)
    with pytest.raises(TooManyPostsADay):
        await save(post(an_author(author_id=bob.author_id), NOW + DAY - 1))
    await save(post(an_author(author_id=bob.author_id), NOW + DAY))


@pytest.mark.parametrize(
    ("most", "error"), [(Quotas(follows=1), TooManyFollows), (Quotas(follows_per_day=1), TooManyFollowsADay)]
)
async def test_two_transactions_do_not_pass_a_quota_of_follows_together(engine, most, error):
    """Each has another followed author's key; the second one waits for the first, and is refused."""
    begin = partial(PostgresTransactions(engine, quotas=most).begin, separately=True)
    alice, bob, carol = an_author(), an_author(), an_author()
    await saved(begin, alice, bob, carol)

    async def follow(other):
        async with begin([other.author_id]) as work, work.savepoint():
            await work.follows.save(a_follow(alice, other))

    outcomes = await asyncio.gather(follow(bob), follow(carol), return_exceptions=True)
    assert sorted(map(type, outcomes), key=str) == sorted([type(None), error], key=str)


async def test_two_transactions_whose_follows_cross_do_not_deadlock(engine):
    """Each writes the follows of the same two followers one by one, in the other order; the second one waits with its
    first follow for the end of the first transaction.
    """
    begin = partial(PostgresTransactions(engine, quotas=Quotas(follows_per_day=2)).begin, separately=True)
    alice, bob, carol, dave = [an_author() for _ in range(4)]
    await saved(begin, alice, bob, carol, dave)
    first_has_begun, ended = asyncio.Event(), []

    async def follow(followed, followers, between):
        commands = [
            FollowCommand(follow_id=new_id(), from_author_id=one.author_id, to_author_id=followed.author_id)
            for one in followers
        ]
        async with begin([followed.author_id], commands) as work:
            for one in followers:
                async with work.savepoint():
                    await work.follows.save(a_follow(one, followed))
                await between()
        ended.append(followed)

    async def second_waits():
        first_has_begun.set()
        await eventually(partial(waiting, engine), what="a transaction that waits for a lock")

    async def second():
        await first_has_begun.wait()
        await follow(dave, [bob, alice], nothing)

    await asyncio.gather(follow(carol, [alice, bob], second_waits), second())
    assert ended == [carol, dave]


async def test_the_quotas_of_a_batch_are_those_of_its_commands(engine):
    """Of a batch that is written together, as many commands are refused as if each had come alone."""
    quotas = Quotas(follows_per_day=3, posts_per_day=3)
    bus = CommandBus(PostgresTransactions(engine, quotas=quotas).begin, lambda: None, HANDLERS, source="/test")
    alice, *others = [an_author() for _ in range(6)]
    await saved(PostgresTransactions(engine).begin, alice, *others)
    follows = [
        FollowCommand(follow_id=new_id(), from_author_id=alice.author_id, to_author_id=one.author_id) for one in others
    ]
    posts = [PostCheep(cheep_id=new_id(), author_id=alice.author_id, message=f"{number}") for number in range(5)]
    outcomes = await bus.handle([received(command) for command in (*follows, *posts)])
    refused = ["too_many_follows_a_day"] * 2, ["too_many_posts_a_day"] * 2
    assert [outcome.code for outcome in outcomes] == [None] * 3 + refused[0] + [None] * 3 + refused[1]
