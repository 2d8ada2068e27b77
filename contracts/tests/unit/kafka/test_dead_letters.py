"""The headers of a dead letter."""

from typing import get_args

from cheeper_contracts.kafka import dead_letters
from cheeper_contracts.kafka.envelope import Envelope, from_headers, to_headers

LETTER = dead_letters.DeadLetter(
    store="redis",
    reason=dead_letters.CRASHED,
    error="ÄrgerError: a defect",
    stack_digest="0123456789abcdef",
    topic="cheeper.events",
    partition=3,
    offset=17,
)


def test_each_field_is_a_header():
    """By names that both services write, and no other place spells; numbers as their digits."""
    assert dict(dead_letters.to_headers(LETTER)) == {
        "dead_letter_store": b"redis",
        "dead_letter_reason": b"crashed",
        "dead_letter_error": "ÄrgerError: a defect".encode(),
        "dead_letter_stack_digest": b"0123456789abcdef",
        "dead_letter_topic": b"cheeper.events",
        "dead_letter_partition": b"3",
        "dead_letter_offset": b"17",
    }


def test_a_copy_is_still_the_message():
    """Its envelope reads as before, so that tools need not take the headers apart."""
    envelope = Envelope(message_id="m", type="t", source="/s", time=1, key="k", correlation_id="c", sequence=2)
    assert from_headers([*to_headers(envelope), *dead_letters.to_headers(LETTER)]) == envelope


def test_a_reason_is_one_of_the_declared():
    """The words and the type that holds them are the same."""
    words = {dead_letters.MALFORMED, dead_letters.UNKNOWN_TYPE, dead_letters.CRASHED, dead_letters.BEHIND}
    assert set(get_args(dead_letters.Reason)) == words
