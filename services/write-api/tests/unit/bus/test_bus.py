"""The bus over a write model in memory, whose transactions fail when a test wants it."""

import msgspec
import pytest
from structlog.testing import capture_logs

from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.events.command_rejected import CommandRejected
from cheeper_contracts.kafka import codec
from cheeper_contracts.kafka.envelope import Envelope
from write_api.bus.bus import MAX_BATCH, CommandBus, now_in_microseconds
from write_api.bus.errors import MessageIdTakenError, UnavailableError
from write_api.bus.ids import new_id
from write_api.bus.outcome import Outcome, ReceivedCommand
from write_api.bus.unit_of_work import ClashError
from write_api.features import HANDLERS
from write_api.testing import MemoryTransactions

LONG = "x" * 60_000
FEW_BYTES = 1024


class Transactions(MemoryTransactions):
    """Transactions in memory. Each takes the next of `failures`, and raises it at its end."""

    def __init__(self):
        super().__init__()
        self.failures, self.begun = [], []

    def begin(self, keys, commands=(), *, separately=False):
        self.begun.append((len(commands), separately))
        failure = self.failures.pop(0) if self.failures else None
        return _failing(super().begin(keys, commands, separately=separately), failure)


class _failing:  # noqa: N801 - it is used as a function
    def __init__(self, transaction, failure):
        self._transaction, self._failure = transaction, failure

    async def __aenter__(self):
        return await self._transaction.__aenter__()

    async def __aexit__(self, kind, error, traceback):
        if error is None and self._failure is not None:
            kind, error = type(self._failure), self._failure
            await self._transaction.__aexit__(kind, error, None)
            raise error
        return await self._transaction.__aexit__(kind, error, traceback)


class World:
    """A bus, and what it reported."""

    def __init__(self):
        self.transactions = Transactions()
        self.woken, self.counted = 0, []
        self.bus = CommandBus(self.transactions.begin, self._wake, HANDLERS, source="/test", count=self._count)

    def _wake(self):
        self.woken += 1

    def _count(self, type_, **outcome):
        self.seconds = outcome.pop("seconds")
        self.counted.append((type_, *outcome.values()))


@pytest.fixture
def world():
    return World()


def a_sign_up(username=None):
    author_id = new_id()
    command = SignUp(author_id=author_id, username=username or f"u{author_id[-12:]}", email=f"{author_id}@example.com")
    envelope = Envelope(
        message_id=author_id, type=command.TYPE, source="/c", time=1, key=command.key, correlation_id=author_id
    )
    return ReceivedCommand(command=command, envelope=envelope)


async def test_a_batch_is_one_transaction(world):
    """The relay gets one hint after it, and each command is counted."""
    assert await world.bus.handle([a_sign_up(), a_sign_up()]) == [Outcome(changed=True)] * 2
    assert world.transactions.begun == [(2, False)]
    assert world.woken == 1
    assert world.counted == [(SignUp.TYPE, True, None, False)] * 2


async def test_the_time_of_a_command_counts_from_its_envelope(world):
    """A command that was requested an hour ago was handled after an hour, and one of a clock ahead at once."""
    for ahead, expected in ((-3600, range(3600, 3700)), (3600, range(1))):
        received = a_sign_up()
        now = now_in_microseconds() + ahead * 1_000_000
        envelope = msgspec.structs.replace(received.envelope, time=now)
        await world.bus.handle([msgspec.structs.replace(received, envelope=envelope)])
        assert int(world.seconds) in expected


async def test_a_batch_that_clashes_is_written_separately(world):
    """Up to 60 commands share a transaction then, since each has a savepoint, and each happens once."""
    world.transactions.failures = [ClashError("a rule is broken")]
    assert await world.bus.handle([a_sign_up() for _ in range(70)]) == [Outcome(changed=True)] * 70
    assert world.transactions.begun == [(70, False), (60, True), (10, True)]
    assert len(world.transactions.tables.outbox) == 70


async def test_a_message_id_that_was_just_taken_is_read_again(world):
    """The command that took it has committed, so the next try finds it in the record."""
    world.transactions.failures = [MessageIdTakenError("taken")] * 2
    assert await world.bus.handle([a_sign_up()]) == [Outcome(changed=True)]
    assert world.transactions.begun == [(1, False), (1, True), (1, True)]


async def test_an_unavailable_database_is_the_caller_s_to_retry(world):
    """The bus reports no outcome, gives no hint and counts no command."""
    world.transactions.failures = [UnavailableError("no connection")]
    with pytest.raises(UnavailableError):
        await world.bus.handle([a_sign_up()])
    assert (world.woken, world.counted, world.transactions.tables.outbox) == (0, [], [])


async def test_a_refusal_undoes_its_own_changes_alone(world):
    """It leaves a message, and the commands around it are handled."""
    outcomes = await world.bus.handle([a_sign_up("bob"), a_sign_up("Bob"), a_sign_up("alice")])
    assert [outcome.code for outcome in outcomes] == [None, "username_taken", None]
    assert isinstance(world.transactions.tables.outbox[1].event, CommandRejected)
    assert {author.username for author in world.transactions.tables.authors.values()} == {"bob", "alice"}


async def test_a_repeat_gives_no_hint(world):
    """It has the same outcome, and leaves no message that the relay could publish."""
    command = a_sign_up()
    first, second = [await world.bus.handle([command]) for _ in range(2)]
    assert first == second
    assert world.woken == 1
    assert world.counted[-1] == (SignUp.TYPE, True, None, True)


@pytest.mark.parametrize("command_type", HANDLERS, ids=lambda command_type: command_type.__name__)
@pytest.mark.parametrize("with_ids", [True, False])
async def test_a_refused_command_leaves_few_bytes_whatever_it_contains(world, command_type, with_ids):
    """One row of its outcome, one message and one line, each of less than 1 KiB: a flood costs no more."""
    fields = {
        field.name: 1 if "int" in str(field.type) else LONG  # else it is a text
        for field in msgspec.structs.fields(command_type)
    }
    ids = {name: new_id() for name in fields if name.endswith(("_id", "in_reply_to", "_by"))} if with_ids else {}
    command, message_id = command_type(**fields | ids), new_id()
    envelope = Envelope(
        message_id=message_id, type=command.TYPE, source="/c", time=1, key=new_id(), correlation_id=message_id
    )
    with capture_logs() as lines:
        (outcome,) = await world.bus.handle([ReceivedCommand(command=command, envelope=envelope)])
    assert outcome.code is not None
    (left,) = world.transactions.tables.outbox
    key = len(command.key)  # the key is an id, which the edge has checked
    assert len(codec.encode(left.event)) - key < FEW_BYTES
    assert len(msgspec.json.encode(left.outcome)) < FEW_BYTES
    assert [len(repr(line)) - key < FEW_BYTES for line in lines] == [True]


async def test_a_batch_has_a_limit(world):
    """The locks of a transaction are held for all of its commands."""
    with pytest.raises(ValueError, match=str(MAX_BATCH)):
        await world.bus.handle([a_sign_up() for _ in range(MAX_BATCH + 1)])
