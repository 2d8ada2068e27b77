import pytest

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.testing import RecordedTracer
from write_api.bus.bus import CommandBus, now_in_microseconds
from write_api.bus.errors import UnavailableError
from write_api.bus.ids import new_id
from write_api.bus.outcome import ReceivedCommand
from write_api.bus.traces import CommandTraces, command_traces
from write_api.features import HANDLERS
from write_api.testing import MemoryTransactions

TRACE, OTHER = "0af7651916cd43dd8448eb211c80319c", "1af7651916cd43dd8448eb211c80319c"
UNSAMPLED = f"00-{TRACE}-b7ad6b7169203331-00"
SIGN_UP = "cheeper.sign-up.v1"


def sampled(trace=TRACE):
    return f"00-{trace}-b7ad6b7169203331-01"


class World:
    """A bus over a write model in memory that makes spans."""

    def __init__(self, destination=None):
        self.tracer, self.transactions = RecordedTracer(), MemoryTransactions()
        traces = CommandTraces(self.tracer, destination)
        self.bus = CommandBus(self.transactions.begin, lambda: None, HANDLERS, source="/test", traces=traces)

    def outbox(self):
        return [handled.envelope for handled in self.transactions.tables.outbox]


def received(command, traceparent=None, time=None):
    message_id = new_id()
    return ReceivedCommand(
        command=command,
        envelope=Envelope(
            message_id=message_id,
            type=command.TYPE,
            source="/c",
            time=now_in_microseconds() if time is None else time,
            key=command.key,
            correlation_id=message_id,
            traceparent=traceparent,
        ),
    )


def sign_up(traceparent=None, time=None):
    author_id = new_id()
    command = SignUp(author_id=author_id, username=f"u{author_id[-12:]}", email=f"{author_id}@example.com")
    return received(command, traceparent, time)


async def test_a_command_has_its_handler_and_its_transaction():
    """The spans of a command are a tree, and the event that it leaves is caused by the command's span."""
    world = World("cheeper.commands")
    await world.bus.handle([sign_up(sampled())])
    assert world.tracer.tree() == {
        f"process {SIGN_UP}": "remote",
        f"handle {SIGN_UP}": f"process {SIGN_UP}",
        "transaction": f"process {SIGN_UP}",
    }
    span = world.tracer.named(f"process {SIGN_UP}")
    (event,) = world.outbox()
    assert event.traceparent == f"00-{TRACE}-{span.context.span_id:016x}-01"
    assert span.attributes[names.OUTCOME] == "changed"
    assert span.attributes[names.MESSAGING_DESTINATION] == "cheeper.commands"


async def test_a_transaction_links_to_each_of_its_commands():
    """Commands of several requests that share a transaction keep a trace each."""
    world = World()
    await world.bus.handle([sign_up(sampled()), sign_up(), sign_up(sampled(OTHER))])
    transaction = world.tracer.named("transaction")
    processed = [span for span in world.tracer.ended() if span.name.startswith("process")]
    assert [link.context.span_id for link in transaction.links] == [span.context.span_id for span in processed]
    assert {f"{span.context.trace_id:032x}" for span in processed} == {TRACE, OTHER}
    assert transaction.attributes[names.BATCH_COUNT] == 3


@pytest.mark.parametrize(("traceparent", "time"), [(None, None), (UNSAMPLED, None), (sampled(), 1)])
async def test_a_command_that_is_not_traced_passes_on_what_it_carries(traceparent, time):
    """A command without a recorded trace, or of history, makes no span, and its event carries the same traceparent."""
    world = World()
    await world.bus.handle([sign_up(traceparent, time)])
    assert world.tracer.ended() == []
    assert [event.traceparent for event in world.outbox()] == [traceparent]


async def test_a_repeat_has_a_span_of_its_own():
    """A command that is redelivered is seen in its trace, as repeated, and leaves nothing."""
    world = World()
    command = sign_up(sampled())
    await world.bus.handle([command])
    await world.bus.handle([command])
    spans = [span for span in world.tracer.ended() if span.name == f"process {SIGN_UP}"]
    assert [span.attributes[names.OUTCOME] for span in spans] == ["changed", "repeated"]
    assert len(world.outbox()) == 1


async def test_a_refusal_is_an_outcome_and_no_error():
    """A refused command has its code as the outcome; its handler's span has the refusal's type."""
    world = World()
    posted = PostCheep(author_id=new_id(), cheep_id=new_id(), message="an author's own words")
    await world.bus.handle([received(posted, sampled())])
    span = world.tracer.named(f"process {posted.TYPE}")
    assert span.attributes[names.OUTCOME] == "author_not_found"
    assert span.status.is_unset
    assert not any("words" in each.to_json() for each in world.tracer.ended())


async def test_a_failed_transaction_is_an_error(monkeypatch):
    """A command whose transaction failed has failed, by the type of the error alone."""
    world = World()

    def unavailable(*_, **__):
        raise UnavailableError("host db-1 refuses")

    monkeypatch.setattr(world.bus, "_begin", unavailable)
    with pytest.raises(UnavailableError):
        await world.bus.handle([sign_up(sampled())])
    for span in world.tracer.ended():
        assert span.attributes[names.ERROR_TYPE] == "UnavailableError"
        assert "db-1" not in span.to_json()


def test_without_a_tracer_there_are_no_spans():
    """A bus gets None where traces are off."""
    assert command_traces(None, None) is None
