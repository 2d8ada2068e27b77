"""The effects that only several connections show: locks, races, and a lost transaction."""

import asyncio
import time

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from cheeper_contracts.commands.answer_cheep import AnswerCheep
from cheeper_contracts.commands.delete_cheep import DeleteCheep
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.update_profile import UpdateProfile
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_local.testing import eventually
from write_api.bus.bus import CommandBus
from write_api.bus.errors import UnavailableError
from write_api.bus.ids import new_id
from write_api.bus.outcome import MESSAGE_ID_REUSED, Outcome, ReceivedCommand
from write_api.commands.answer_cheep import answer_cheep
from write_api.commands.delete_cheep import delete_cheep
from write_api.commands.update_profile import update_profile
from write_api.db.clock import MICROSECONDS
from write_api.db.engine import create_engine
from write_api.db.handled_commands import PostgresReservations
from write_api.db.unit_of_work import PostgresTransactions, lock_of
from write_api.domain.author import Author
from write_api.domain.follow import Follow
from write_api.features import HANDLERS
from write_api.ops.clock_metrics import ClockMetrics

pytestmark = [pytest.mark.proves(guarantee="idempotent-commands"), pytest.mark.store]

NOW = 1_647_292_130_123_456
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
WITHIN_SECONDS = 60
XID = text("SELECT pg_current_xact_id_if_assigned()::text")


def incoming(command, message_id):
    envelope = Envelope(
        message_id=message_id, type=command.TYPE, source="/c", time=1, key=command.key, correlation_id=message_id
    )
    return ReceivedCommand(command=command, envelope=envelope)


def a_sign_up(**given):
    author_id = new_id()
    form = {"author_id": author_id, "username": f"u{author_id[-12:]}", "email": f"{author_id}@example.com"}
    return SignUp(**(form | given))


def bus_of(engine):
    return CommandBus(PostgresTransactions(engine).begin, lambda: None, HANDLERS, source="/test")


async def count(engine, table):
    async with engine.connect() as connection:
        return (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()  # noqa: S608 - a table of ours


async def handle_until_available(bus, *batch):
    """As a worker does: a transaction that lost against another is tried again."""
    while True:
        try:
            return await bus.handle(batch)
        except UnavailableError:
            await asyncio.sleep(0)


async def waits_for_a_lock(engine):
    async with engine.connect() as connection:
        return (await connection.execute(WAITING)).scalar_one() > 0


async def test_the_locks_come_before_the_transaction_has_an_id(engine):
    """A transaction that waits for its turn thus holds back no horizon, and ids follow the order of the locks."""
    begin = PostgresTransactions(engine).begin
    async with begin(["a", "b"], separately=True) as work:
        connection = work._connection
        assert (await connection.execute(XID)).scalar_one() is None
        held = await connection.execute(
            text("SELECT classid::bigint << 32 | objid::bigint FROM pg_locks WHERE locktype = 'advisory'")
        )
        assert {row[0] for row in held} == {lock_of("a"), lock_of("b")}
        async with work.savepoint():
            assert await work.known([new_id()]) == {}
        assert (await connection.execute(XID)).scalar_one() is None


async def test_a_key_is_one_transaction_s_at_a_time(engine):
    """Another one with the key waits, and then sees what the first one did; one with another key does not wait."""
    begin = PostgresTransactions(engine).begin
    author = Author.sign_up({"author_id": new_id(), "username": "bob", "email": "bob@bob.com"}, NOW)

    async def look():
        async with begin(["b", "a"]) as work:
            return await work.authors.of_id(author.author_id)

    async with begin(["a", "c"]) as work:
        second = asyncio.create_task(look())
        await eventually(lambda: waits_for_a_lock(engine))
        async with begin(["d"]) as other:
            assert await other.authors.of_id(author.author_id) is None
        await work.authors.save(author)
    assert await second == author


async def test_one_message_id_on_two_connections_at_once_has_one_effect(engine):
    """Both get the same outcome, and there is one author, one message and one record."""
    bus, message_id, command = bus_of(engine), new_id(), a_sign_up()
    outcomes = await asyncio.gather(*(bus.handle([incoming(command, message_id)]) for _ in range(8)))
    assert outcomes == [[Outcome(changed=True)]] * 8
    assert [await count(engine, table) for table in ("authors", "outbox", "handled_commands")] == [1, 1, 1]


async def test_one_message_id_for_two_keys_at_once_has_one_effect(engine):
    """The locks do not hold them apart; the record does, and the losers learn at once that it belongs to another."""
    bus, message_id = bus_of(engine), new_id()
    outcomes = await asyncio.gather(*(bus.handle([incoming(a_sign_up(), message_id)]) for _ in range(8)))
    assert sorted(outcome.code or "" for (outcome,) in outcomes) == ["", *[MESSAGE_ID_REUSED] * 7]
    assert [await count(engine, table) for table in ("authors", "outbox", "handled_commands")] == [1, 1, 1]


async def test_one_username_at_once_is_of_one_author(engine):
    """However many sign up at the same time, one does, and each of the others is refused with a message."""
    bus = bus_of(engine)
    outcomes = await asyncio.gather(
        *(handle_until_available(bus, incoming(a_sign_up(username=f"Bob{'bB'[i % 2]}"), new_id())) for i in range(8))
    )
    assert sorted(outcome.code or "" for (outcome,) in outcomes) == ["", *["username_taken"] * 7]
    assert [await count(engine, table) for table in ("authors", "outbox")] == [1, 8]


async def test_one_cheep_id_at_once_is_of_one_author(engine):
    """Authors have keys of their own, so the table decides, and a refusal undoes nothing else of its batch."""
    bus, cheep_id = bus_of(engine), new_id()
    authors = [a_sign_up() for _ in range(6)]
    await bus.handle([incoming(author, new_id()) for author in authors])

    def batch(author):
        posts = [(new_id(), "One"), (cheep_id, "Two"), (new_id(), "Three")]
        return [
            incoming(PostCheep(cheep_id=one, author_id=author.author_id, message=message), new_id())
            for one, message in posts
        ]

    outcomes = await asyncio.gather(*(bus.handle(batch(author)) for author in authors))
    assert sorted(second.code or "" for _, second, _ in outcomes) == ["", *["cheep_id_taken"] * 5]
    assert await count(engine, "cheeps") == 13


async def test_a_deadlock_is_no_refusal(engine):
    """The loser is asked to retry, and has left nothing."""
    begin = PostgresTransactions(engine).begin
    meeting = asyncio.Barrier(2)

    async def sign_up(first, second):
        async with begin([new_id()]) as work:
            await work.authors.save(Author.sign_up(form(first), NOW))
            await work.flush()
            await meeting.wait()
            await work.authors.save(Author.sign_up(form(second), NOW))

    def form(username):
        author_id = new_id()
        return {"author_id": author_id, "username": username, "email": f"{author_id}@example.com"}

    results = await asyncio.gather(sign_up("alice", "bob"), sign_up("bob", "alice"), return_exceptions=True)
    (refused,) = [result for result in results if result is not None]
    assert isinstance(refused, UnavailableError)
    assert await count(engine, "authors") == 2


@pytest.fixture
async def cheeps(engine):
    """Two authors, with a post by each."""
    authors = [a_sign_up() for _ in range(2)]
    posts = [PostCheep(cheep_id=new_id(), author_id=author.author_id, message="Hello") for author in authors]
    await bus_of(engine).handle([incoming(command, new_id()) for command in (*authors, *posts)])
    return posts


def an_answer(author_id, parent):
    return AnswerCheep(cheep_id=new_id(), in_reply_to=parent.cheep_id, author_id=author_id, message="Hi")


def a_deletion(cheep):
    return DeleteCheep(cheep_id=cheep.cheep_id, author_id=cheep.author_id)


async def test_a_deletion_waits_for_an_answer(engine, cheeps):
    """The answer's transaction holds its parent, though that is another key's; an answer after the deletion is refused.
    Another answer does not wait.
    """
    bus, (alices, bobs) = bus_of(engine), cheeps
    async with PostgresTransactions(engine).begin([alices.author_id]) as work:
        assert await answer_cheep(an_answer(alices.author_id, bobs), work, NOW + 1) is not None
        deletion = asyncio.create_task(bus.handle([incoming(a_deletion(bobs), new_id())]))
        await eventually(lambda: waits_for_a_lock(engine))
        assert await work.cheeps.of_id(bobs.cheep_id) == await work.cheeps.of_id(bobs.cheep_id, lock=True)
    assert await deletion == [Outcome(changed=True)]
    (late,) = await bus.handle([incoming(an_answer(alices.author_id, bobs), new_id())])
    assert late.code == "cheep_not_found"
    assert await count(engine, "cheeps") == 3


async def test_an_answer_waits_for_a_deletion(engine, cheeps):
    """And finds its parent deleted, though it was there when it began to look."""
    alices, bobs = cheeps
    async with PostgresTransactions(engine).begin([bobs.author_id]) as work:
        assert await delete_cheep(a_deletion(bobs), work, NOW + 1) is not None
        await work.flush()
        answering = asyncio.create_task(bus_of(engine).handle([incoming(an_answer(alices.author_id, bobs), new_id())]))
        await eventually(lambda: waits_for_a_lock(engine))
    (refused,) = await answering
    assert refused.code == "cheep_not_found"
    assert await count(engine, "cheeps") == 2


async def test_answers_to_one_cheep_do_not_wait_for_each_other(engine, cheeps):
    """However many hold it at once."""
    alices, bobs = cheeps
    begin = PostgresTransactions(engine).begin
    async with begin([alices.author_id]) as one, begin([bobs.author_id]) as other:
        for work, author_id in ((one, alices.author_id), (other, bobs.author_id)):
            assert await answer_cheep(an_answer(author_id, bobs), work, NOW + 1) is not None


async def test_a_deadlock_of_batches_loses_nothing(engine, cheeps):
    """Two batches that answer what the other one deletes: one is asked to retry, and then finds what is left to do.
    Each of the four commands leaves its one message.
    """
    meeting, tries = asyncio.Barrier(2), []

    async def meet_and_answer(command, work, now):
        tries.append(command.author_id)
        event = await answer_cheep(command, work, now)
        if len(tries) <= meeting.parties:
            await meeting.wait()
        return event

    handlers = {**HANDLERS, AnswerCheep: meet_and_answer}
    bus = CommandBus(PostgresTransactions(engine).begin, lambda: None, handlers, source="/test")

    async def handle(own, foreign):
        batch = [incoming(one, new_id()) for one in (an_answer(own.author_id, foreign), a_deletion(own))]
        return await handle_until_available(bus, *batch)

    alices, bobs = cheeps
    before = await count(engine, "outbox")
    outcomes = await asyncio.gather(handle(alices, bobs), handle(bobs, alices))
    answered, deletions = zip(*outcomes, strict=True)
    assert sorted(answer.code or "" for answer in answered) == ["", "cheep_not_found"]
    assert deletions == (Outcome(changed=True), Outcome(changed=True))
    assert len(tries) == 3
    assert await count(engine, "outbox") == before + 4


async def test_a_profile_changes_while_others_refer_to_its_author(engine, cheeps):
    """A follow of an author that is not committed yet does not hold up what the author does to itself."""
    begin, (alices, bobs) = PostgresTransactions(engine).begin, cheeps
    pair = {"from_author_id": alices.author_id, "to_author_id": bobs.author_id}
    async with begin([bobs.author_id]) as following, begin([alices.author_id]) as changing:
        await following.follows.save(Follow.begin({"follow_id": new_id(), **pair}, NOW))
        await following.flush()
        await update_profile(UpdateProfile(author_id=alices.author_id, name="Alice"), changing, NOW)
        await asyncio.wait_for(changing.flush(), WITHIN_SECONDS)


async def test_a_message_id_is_reserved_once(engine):
    """Whoever is first at the same time has it, and a worker's outcome goes to the same record."""
    reservations, bus = PostgresReservations(engine), bus_of(engine)
    message_id, command = new_id(), a_sign_up()
    digests = [bytes([digest]) * 32 for digest in range(6)]
    known = await asyncio.gather(*(reservations.reserve(message_id, one, "k", NOW) for one in digests))
    assert len({one.digest for one in known}) == 1
    (outcome,) = await bus.handle([incoming(command, message_id)])
    assert outcome.code == MESSAGE_ID_REUSED
    assert await count(engine, "handled_commands") == 1


@pytest.mark.parametrize("url", ["postgresql://u:p@127.0.0.1:1/d"])
async def test_a_database_that_is_away_is_unavailable(url):
    """Not a defect, and without its URL in the text."""
    engine = create_engine(url, application_name="test")
    with pytest.raises(UnavailableError) as caught:
        await bus_of(engine).handle([incoming(a_sign_up(), new_id())])
    assert "127.0.0.1" not in str(caught.value)
    await engine.dispose()


async def test_a_database_without_schema_is_unavailable(empty_postgres_url):
    """Servers may be up before `migrate` has run."""
    engine = create_engine(empty_postgres_url, application_name="test")
    with pytest.raises(UnavailableError):
        await bus_of(engine).handle([incoming(a_sign_up(), new_id())])
    await engine.dispose()


async def test_the_time_of_a_transaction_is_the_database_s(engine, monkeypatch):
    """Replicas whose clocks differ by hours write by one clock. Broken by a time of the process's."""
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    registry = CollectorRegistry()
    async with PostgresTransactions(engine, metrics=ClockMetrics(registry)).begin({"key"}) as work:
        now = work.now
    async with PostgresTransactions(engine).begin(set()) as work:  # also without a lock
        assert work.now >= now
    assert now / 1_000_000 == pytest.approx(await of_the_server(engine, text(f"SELECT {MICROSECONDS}")) / 1e6, abs=300)
    difference = registry.get_sample_value("cheeper_write_api_clock_difference_seconds")
    assert difference == pytest.approx(now / 1_000_000, abs=1)


async def test_the_time_is_read_once_the_locks_are_taken(engine):
    """Two transactions of a key have times in the order of their commits, however long the second waits."""
    begin, times = PostgresTransactions(engine).begin, []

    async def second():
        async with begin({"key"}) as work:
            times.append(work.now)

    async with begin({"key"}) as work:
        waiting = asyncio.create_task(second())
        await eventually(lambda: of_the_server(engine, WAITING))
        waited_at = await of_the_server(engine, text(f"SELECT {MICROSECONDS}"))
        times.append(work.now)
    await waiting
    assert times[0] < waited_at < times[1]


async def of_the_server(engine, statement):
    async with engine.connect() as connection:
        return (await connection.execute(statement)).scalar_one()
