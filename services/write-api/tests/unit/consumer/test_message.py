"""Consumed messages and their dead letters."""

import pytest

from write_api.consumer.message import ConsumedMessage, crashed


def message(**given):
    return ConsumedMessage(
        **{"topic": "t", "partition": 1, "offset": 7, "key": "k", "headers": [], "value": b"{", **given}
    )


def test_a_message_is_known_again_by_its_content():
    """Two messages at one offset of two logs differ, and one that is read twice does not."""
    assert message().content_digest() == message().content_digest()
    assert message().content_digest() != message(value=b"{}").content_digest()


def test_a_header_that_is_no_text_is_logged_as_far_as_possible():
    """The log can identify the message, whatever a producer wrote."""
    fields = message(headers=[("ce_id", b"\xffx")]).log_fields()
    assert fields["message_id"] == "\ufffdx"
    assert (fields["type"], fields["key"], fields["offset"]) == (None, "k", 7)


def test_a_crash_is_known_again_by_its_stack():
    """Two crashes at one place of the code have one digest, whatever the message."""
    letters = []
    for offset in (1, 2):
        with pytest.raises(ZeroDivisionError) as caught:
            1 / 0  # noqa: B018 - for its stack
        letters.append(crashed(message(offset=offset), caught.value))
    assert letters[0].stack_digest == letters[1].stack_digest
    assert {letter.error for letter in letters} == {"ZeroDivisionError: division by zero"}
