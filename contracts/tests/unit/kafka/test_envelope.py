import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.kafka.envelope import (
    Envelope,
    MalformedEnvelopeError,
    from_headers,
    from_rfc3339,
    rfc3339,
    to_headers,
)

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
envelopes = st.builds(
    Envelope,
    message_id=st.uuids().map(str),
    type=text,
    source=text,
    time=st.integers(0, 2**52),
    key=st.uuids().map(str),
    correlation_id=st.uuids().map(str),
    reply_to=st.none() | st.uuids().map(str),
    sequence=st.none() | st.integers(1, 2**63 - 1),
    traceparent=st.none() | text,
    actor=st.none() | text,
)
REQUIRED = ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "ce_correlationid"]
SOME = Envelope(message_id="m", type="t", source="/s", time=0, key="k", correlation_id="c", sequence=1)


@given(envelopes)
def test_headers_round_trip(envelope):
    """An envelope survives the headers, to the microsecond."""
    assert from_headers(to_headers(envelope)) == envelope


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_header_is_named(name):
    """An envelope that lacks a required attribute is refused by that attribute's name."""
    with pytest.raises(MalformedEnvelopeError, match=name):
        from_headers([header for header in to_headers(SOME) if header[0] != name])


@pytest.mark.parametrize(
    ("name", "value"),
    [("ce_time", b"yesterday"), ("ce_time", b"2022-03-14T21:08:50"), ("ce_sequence", b"one"), ("ce_id", b"\xff")],
)
def test_an_unreadable_header_is_refused(name, value):
    """A time without offset, a sequence that is no number and bytes that are no UTF-8 are malformed, not a crash."""
    with pytest.raises(MalformedEnvelopeError):
        from_headers([header for header in to_headers(SOME) if header[0] != name] + [(name, value)])


def test_no_headers_at_all_is_malformed():
    """A message that some other program wrote has no envelope, and the error says so."""
    with pytest.raises(MalformedEnvelopeError, match="ce_specversion"):
        from_headers(None)


def test_times_are_rfc3339_in_utc():
    """Microseconds since the epoch and RFC 3339 text are the same instant, whatever the text's offset."""
    assert rfc3339(1_647_292_130_123_456) == "2022-03-14T21:08:50.123456+00:00"
    assert from_rfc3339("2022-03-14T22:08:50.123456+01:00") == 1_647_292_130_123_456
    assert from_rfc3339("2022-03-14T21:08:50.123456Z") == 1_647_292_130_123_456
