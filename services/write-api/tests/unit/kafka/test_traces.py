import pytest

from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.testing import RecordedTracer
from write_api.bus.bus import now_in_microseconds
from write_api.bus.errors import UnavailableError
from write_api.bus.ids import new_id
from write_api.kafka.traces import traced_send

CAUSE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Topic:
    """The topic of commands, which refuses them while `error` is set."""

    def __init__(self, error=None):
        self.envelopes, self.error = [], error

    async def send(self, command, envelope):
        del command
        if self.error:
            raise self.error
        self.envelopes.append(envelope)


async def send(topic, tracer, traceparent):
    command = WelcomeAuthor(notification_id=new_id(), author_id=new_id())
    envelope = Envelope(
        message_id=new_id(),
        type=command.TYPE,
        source="/pm",
        time=now_in_microseconds(),
        key=command.key,
        correlation_id=new_id(),
        traceparent=traceparent,
    )
    await traced_send(topic.send, tracer, "cheeper.commands")(command, envelope)


async def test_a_command_carries_the_span_of_its_sending():
    """The span is a child of the command's cause, and is the cause of whatever handles the command."""
    topic, tracer = Topic(), RecordedTracer()
    await send(topic, tracer, CAUSE)
    span = tracer.named("send cheeper.commands")
    assert tracer.tree() == {"send cheeper.commands": "remote"}
    assert [each.traceparent for each in topic.envelopes] == [f"{CAUSE[:35]}-{span.context.span_id:016x}-01"]


@pytest.mark.parametrize("traceparent", [None, CAUSE[:-2] + "00"])
async def test_a_command_of_no_recorded_trace_is_sent_as_it_is(traceparent):
    """It gets no span, and its traceparent is not changed."""
    topic, tracer = Topic(), RecordedTracer()
    await send(topic, tracer, traceparent)
    assert tracer.ended() == []
    assert [each.traceparent for each in topic.envelopes] == [traceparent]


async def test_a_command_that_is_not_acknowledged_is_an_error():
    """The span of a failed sending has the error's type, and the sender gets the error."""
    tracer = RecordedTracer()
    with pytest.raises(UnavailableError):
        await send(Topic(UnavailableError("no broker")), tracer, CAUSE)
    assert tracer.named("send cheeper.commands").attributes[names.ERROR_TYPE] == "UnavailableError"


def test_without_a_tracer_the_sender_is_as_it_is():
    """The sender is not wrapped where traces are off."""
    send_plain = Topic().send
    assert traced_send(send_plain, None, "cheeper.commands") is send_plain
