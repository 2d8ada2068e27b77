import asyncio

import pytest

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_runtime.concurrency.limit import OverloadedError
from write_api.bus.back_pressure import BackPressure
from write_api.bus.bus import MAX_BATCH, CommandBus
from write_api.bus.dispatcher import Dispatcher, Transport
from write_api.bus.errors import CommandTooLargeError, UnavailableError
from write_api.bus.ids import new_id
from write_api.bus.limits import Limits
from write_api.bus.outcome import MESSAGE_ID_REUSED, Outcome, ReceivedCommand
from write_api.features import HANDLERS
from write_api.testing import MemoryTransactions

ACCEPTED = Outcome(accepted=True)


class LastSent:
    """Keeps the commands that were sent, and fails while it does not work."""

    def __init__(self):
        self.commands = []
        self.works, self.arrives = True, False
        self.error = UnavailableError("no broker")

    async def __call__(self, command, envelope):
        if self.works or self.arrives:
            self.commands.append((command, envelope))
        if not self.works:
            raise self.error


class World:
    """A dispatcher whose transport can be changed, and the worker behind it."""

    def __init__(self, limits):
        self.transactions = MemoryTransactions()
        self.sent = LastSent()
        self.transports = {SignUp: Transport.SYNC, PostCheep: Transport.ASYNC}
        bus = CommandBus(self.transactions.begin, lambda: None, HANDLERS, source="/http")
        self.pressure = BackPressure(lag_max=10)
        self.dispatcher = Dispatcher(
            bus, self.transports, self.transactions, self.sent, limits, admit=self.pressure.admit
        )
        self._worker = CommandBus(self.transactions.begin, lambda: None, HANDLERS, source="/worker", accepted=True)

    async def dispatch(self, command, message_id=None):
        return await self.dispatcher.dispatch(
            command, envelope_of(command, message_id or new_id()), repeatable=message_id is not None
        )

    async def work(self):
        batch = [ReceivedCommand(command=command, envelope=envelope) for command, envelope in self.sent.commands]
        return await self._worker.handle(batch)


def envelope_of(command, message_id):
    return Envelope(
        message_id=message_id, type=command.TYPE, source="/test", time=1, key=command.key, correlation_id=message_id
    )


def a_sign_up():
    author_id = new_id()
    return SignUp(author_id=author_id, username=f"u{author_id[-12:]}", email=f"{author_id}@example.com")


def a_post(author_id=None):
    return PostCheep(cheep_id=new_id(), author_id=author_id or new_id(), message="Hello")


@pytest.fixture
def world():
    return World(Limits.of(database=10, broker=1_000, queue_seconds=1))


@pytest.fixture
def full_world():
    """A world with one slot for each server and no queue."""
    return World(Limits.of(database=1, broker=1, queue_seconds=0))


async def test_a_sync_command_is_run_at_once(world):
    """Its outcome is what it did, and nothing is sent."""
    assert await world.dispatch(a_sign_up()) == Outcome(changed=True)
    assert world.sent.commands == []


async def test_an_async_command_is_sent(world):
    """Without a key nothing is kept of it before the worker has it."""
    command = a_post()
    assert await world.dispatch(command) == ACCEPTED
    assert [sent for sent, _ in world.sent.commands] == [command]
    assert world.transactions.tables.commands == {}


async def test_a_repeat_of_an_async_command_is_sent_again_and_handled_once(world):
    """The response is the same, and the worker recognises the same command."""
    signed, key = a_sign_up(), new_id()
    await world.dispatch(signed)
    command = a_post(signed.author_id)
    assert [await world.dispatch(command, key) for _ in range(2)] == [ACCEPTED] * 2
    assert await world.work() == [Outcome(changed=True, accepted=True)] * 2
    assert len(world.transactions.tables.outbox) == 2  # the sign-up and the one post


async def test_a_key_belongs_to_one_command(world):
    """Another command with the key is refused before it is sent, whichever transport each takes."""
    key = new_id()
    await world.dispatch(a_post(), key)
    assert (await world.dispatch(a_post(), key)).code == MESSAGE_ID_REUSED
    assert (await world.dispatch(a_sign_up(), key)).code == MESSAGE_ID_REUSED
    assert len(world.sent.commands) == 1


async def test_a_repeat_has_the_same_outcome_after_the_transport_changed(world):
    """An accepted command stays accepted, and a command that was done at once stays done."""
    post, post_key, signed, sign_up_key = a_post(), new_id(), a_sign_up(), new_id()
    await world.dispatch(post, post_key)
    done = await world.dispatch(signed, sign_up_key)
    world.transports.update({SignUp: Transport.ASYNC, PostCheep: Transport.SYNC})
    assert (await world.dispatch(post, post_key)).accepted
    assert await world.dispatch(signed, sign_up_key) == done
    assert len(world.sent.commands) == 1


async def test_a_rejected_async_command_stays_accepted(world):
    """Its sender got that response, and gets it again; the rejection is in the outbox."""
    command, key = a_post(), new_id()
    await world.dispatch(command, key)
    (rejected,) = await world.work()
    assert rejected.code == "author_not_found"
    assert (await world.dispatch(command, key)).accepted


async def test_a_command_that_could_not_be_sent_can_be_repeated(world):
    """The key stays the command's, and the repeat is sent."""
    command, key = a_post(), new_id()
    world.sent.works = False
    with pytest.raises(UnavailableError):
        await world.dispatch(command, key)
    assert not world.transactions.tables.commands[key].accepted
    world.sent.works = True
    assert await world.dispatch(command, key) == ACCEPTED
    assert world.transactions.tables.commands[key].accepted
    assert (await world.dispatch(a_post(), key)).code == MESSAGE_ID_REUSED


async def test_a_command_that_is_too_large_does_not_count_as_accepted(world):
    """A command of which nothing was sent has no outcome that anybody waits for."""
    key, world.sent.error = new_id(), CommandTooLargeError("too large")
    world.sent.works = False
    with pytest.raises(CommandTooLargeError):
        await world.dispatch(a_post(), key)
    assert not world.transactions.tables.commands[key].accepted


async def test_a_command_that_arrived_after_a_503_is_accepted(world):
    """The worker has handled it, so a repeat has the response of an accepted one."""
    signed, key = a_sign_up(), new_id()
    await world.dispatch(signed)
    command = a_post(signed.author_id)
    world.sent.arrives, world.sent.works = True, False
    with pytest.raises(UnavailableError):
        await world.dispatch(command, key)
    assert await world.work() == [Outcome(changed=True, accepted=True)]
    assert (await world.dispatch(command, key)).accepted


@pytest.mark.parametrize("failure", [UnavailableError("no database"), OverloadedError("database")])
async def test_the_failure_of_the_broker_is_reported_although_the_database_fails_too(world, monkeypatch, failure):
    """The client learns why its command was not accepted; the record is too old after a while."""

    async def fails(*_):
        raise failure

    monkeypatch.setattr(world.transactions, "withdraw", fails)
    world.sent.works = False
    with pytest.raises(UnavailableError, match="no broker"):
        await world.dispatch(a_post(), new_id())


async def test_commands_of_process_managers_take_their_transport(world):
    """A sync command is done and an async one is sent when they have been passed on, each under its own id."""
    world.transports.update({SignUp: Transport.SYNC, PostCheep: Transport.ASYNC})
    signed = [a_sign_up() for _ in range(MAX_BATCH + 1)]
    commands = [*signed, a_post(signed[0].author_id), a_post(signed[1].author_id)]
    batch = [ReceivedCommand(command=command, envelope=envelope_of(command, new_id())) for command in commands]
    await world.dispatcher.pass_on(batch)
    assert len(world.transactions.tables.outbox) == len(signed)
    assert [envelope for _, envelope in world.sent.commands] == [one.envelope for one in batch[len(signed) :]]


async def test_commands_of_process_managers_wait_for_the_broker(world):
    """The caller learns that the outcome is unknown, and passes the same on again."""
    batch = [
        ReceivedCommand(command=command, envelope=envelope_of(command, new_id())) for command in (a_sign_up(), a_post())
    ]
    world.sent.works = False
    with pytest.raises(UnavailableError):
        await world.dispatcher.pass_on(batch)
    world.sent.works = True
    await world.dispatcher.pass_on(batch)
    assert len(world.transactions.tables.outbox) == 1
    assert len(world.sent.commands) == 1


async def taking(limit):
    """Take the one slot of a limit. Return what gives it back."""
    free = asyncio.Event()
    taken = asyncio.create_task(limit.run(free.wait))
    await asyncio.sleep(0)

    async def give_back():
        free.set()
        await taken

    return give_back


async def test_a_command_without_a_place_at_the_database_is_refused_and_nothing_is_done(full_world):
    """Neither run, nor reserved, nor sent; a command that needs no database is accepted meanwhile."""
    give_back = await taking(full_world.dispatcher._limits.database)
    with pytest.raises(OverloadedError, match="database"):
        await full_world.dispatch(a_sign_up())
    with pytest.raises(OverloadedError, match="database"):
        await full_world.dispatch(a_post(), new_id())
    assert await full_world.dispatch(a_post()) == ACCEPTED
    assert full_world.transactions.tables.commands == {}
    assert len(full_world.sent.commands) == 1
    await give_back()
    assert await full_world.dispatch(a_sign_up()) == Outcome(changed=True)


async def test_a_command_without_a_place_at_the_broker_is_refused_and_nothing_is_done(full_world):
    """Its key is not reserved, and commands that are run at once are served meanwhile."""
    give_back = await taking(full_world.dispatcher._limits.broker)
    with pytest.raises(OverloadedError, match="broker"):
        await full_world.dispatch(a_post(), new_id())
    assert full_world.transactions.tables.commands == {}
    assert await full_world.dispatch(a_sign_up()) == Outcome(changed=True)
    await give_back()
    assert await full_world.dispatch(a_post(), new_id()) == ACCEPTED


async def test_commands_of_process_managers_have_no_limit(full_world):
    """They are passed on while clients have taken every slot."""
    give_back = await taking(full_world.dispatcher._limits.broker)
    command = a_post()
    await full_world.dispatcher.pass_on([ReceivedCommand(command=command, envelope=envelope_of(command, new_id()))])
    assert len(full_world.sent.commands) == 1
    await give_back()


async def test_an_async_command_is_refused_while_the_worker_lags(world):
    """It leaves nothing reserved or sent. A sync command is run, and a command of a process manager is passed on."""
    world.pressure.measured(11)
    command, key = a_post(), new_id()
    for _ in range(2):
        with pytest.raises(OverloadedError):
            await world.dispatch(command, key)
    assert (world.sent.commands, world.transactions.tables.commands) == ([], {})
    assert await world.dispatch(a_sign_up()) == Outcome(changed=True)
    await world.dispatcher.pass_on([ReceivedCommand(command=command, envelope=envelope_of(command, new_id()))])
    assert [sent for sent, _ in world.sent.commands] == [command]
    world.pressure.measured(10)
    assert await world.dispatch(command, key) == ACCEPTED
