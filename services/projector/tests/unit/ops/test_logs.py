"""What is said of each message of a batch comes out as lines of their own."""

import json
import re

import msgspec
import pytest
import structlog

from projector.ops import logs


class Said(msgspec.Struct):
    message_id: str
    key: str


@pytest.fixture
def lines(capfd):
    def said(log_format, **fields):
        try:
            logs.configure("run", log_format, "info")
            structlog.get_logger().info("applied", **fields)
        finally:
            structlog.reset_defaults()
        return capfd.readouterr().out.splitlines()

    return said


def test_each_message_of_a_batch_has_a_line_of_its_own(lines):
    """Every line says what one call says, and what it says of its message."""
    each = [Said("one", "bob"), Said("two", 'car"ol\n')]
    found = [json.loads(line) for line in lines("json", store="redis", each=each)]
    assert [(line["message_id"], line["key"]) for line in found] == [("one", "bob"), ("two", 'car"ol\n')]
    for line in found:
        rest = {name: value for name, value in line.items() if name not in ("message_id", "key", "timestamp")}
        assert rest == {"event": "applied", "store": "redis", "level": "info", "service": "projector run"}


def test_people_see_a_line_a_message_too(lines):
    """The lines for a terminal are as many, and say the same."""
    found = [
        re.sub("\x1b.*?m", "", line)
        for line in lines("console", store="redis", each=[Said("one", "a"), Said("two", "b")])
    ]
    assert [re.findall(r"(?:message_id|store)=(\w+)", line) for line in found] == [["one", "redis"], ["two", "redis"]]


def test_a_line_that_is_of_no_batch_stands_alone(lines):
    """Without messages it is one line, in either form."""
    assert len(lines("json", store="redis")) == len(lines("console", store="redis")) == 1
