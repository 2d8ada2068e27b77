import msgspec

from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.kafka import codec
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.testing import RecordedTracer
from write_api.bus.bus import now_in_microseconds
from write_api.bus.ids import new_id
from write_api.consumer.message import ConsumedMessage, DeadLetter
from write_api.consumer.process_manager import EventDecoder
from write_api.consumer.traces import traced_decode
from write_api.process_managers import PROCESS_MANAGERS

CAUSE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def message(value=None, traceparent=CAUSE):
    event = NewAuthorSigned(author_id=new_id(), username="bob", signed_up_at=1)
    envelope = Envelope(
        message_id=new_id(),
        type=event.TYPE,
        source="/write-api/http",
        time=now_in_microseconds(),
        key=event.key,
        correlation_id=new_id(),
        reply_to=new_id(),
        sequence=1,
        traceparent=traceparent,
    )
    encoded = codec.encode(event) if value is None else value
    headers = to_headers(envelope)
    return ConsumedMessage(topic="cheeper.events", partition=1, offset=7, key=event.key, headers=headers, value=encoded)


def decoder(table=PROCESS_MANAGERS):
    return EventDecoder(table, "/pm").decode


def test_a_command_is_caused_by_the_span_of_its_event():
    """A command that a process manager makes of an event is in the event's trace, below the event."""
    tracer, event = RecordedTracer(), message()
    (command,) = traced_decode(decoder(), tracer)(event)
    span = tracer.named("process cheeper.new-author-signed.v1")
    assert f"{span.parent.span_id:016x}" == CAUSE[36:52]
    assert command.envelope.traceparent == f"{CAUSE[:35]}-{span.context.span_id:016x}-01"
    assert span.attributes[names.MESSAGE_ID] == event.header("ce_id")
    (plain,) = decoder()(event)
    assert msgspec.structs.replace(command.envelope, traceparent=CAUSE) == plain.envelope


def test_an_event_from_which_nothing_follows_gets_no_span():
    """Neither do poison and an event of a trace that is not recorded."""
    tracer = RecordedTracer()
    assert traced_decode(decoder({}), tracer)(message()) == ()
    assert isinstance(traced_decode(decoder(), tracer)(message(value=b"{")), DeadLetter)
    (command,) = traced_decode(decoder(), tracer)(message(traceparent=CAUSE[:-2] + "00"))
    assert command.envelope.traceparent == CAUSE[:-2] + "00"
    assert tracer.ended() == []


def test_without_a_tracer_the_decoder_is_as_it_is():
    """The decoder is not wrapped where traces are off."""
    plain = decoder()
    assert traced_decode(plain, None) is plain
