"""Lines of the log, in both forms."""

import asyncio
import io
import json
import logging
import re
import sys

import msgspec
import pytest
import structlog

from cheeper_runtime import logs


class OneMessage(msgspec.Struct):
    message_id: str
    key: str


class Stream(io.TextIOWrapper):
    """A text stream that keeps each write of its buffer."""

    def __init__(self):
        self.writes = []
        super().__init__(io.BytesIO(), write_through=True)
        self.kept = Kept(self.writes)

    @property
    def buffer(self):
        return self.kept

    @property
    def lines(self):
        return [json.loads(line) for line in b"".join(self.writes).splitlines()]


class Kept:
    def __init__(self, writes):
        self.writes = writes

    def write(self, data):
        self.writes.append(data)

    def flush(self):
        """Do nothing, since each write is kept at once."""


@pytest.fixture(autouse=True)
def as_before():
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def lines(capfd):
    def written(log_format, **fields):
        logs.configure("relay", log_format, "info")
        structlog.get_logger().info("message sent", **fields)
        return capfd.readouterr().out.splitlines()

    return written


def test_each_message_of_a_batch_has_a_line_of_its_own(lines):
    """Each line has the fields of the call and those of its message."""
    each = [OneMessage("one", "bob"), OneMessage("two", 'car"ol\n')]
    found = [json.loads(line) for line in lines("json", partition=3, each=each)]
    assert [(line["message_id"], line["key"]) for line in found] == [("one", "bob"), ("two", 'car"ol\n')]
    for line in found:
        rest = {name: value for name, value in line.items() if name not in ("message_id", "key", "timestamp")}
        assert rest == {"event": "message sent", "partition": 3, "level": "info", "service": "relay"}
        assert line["timestamp"].endswith("Z")


def test_a_terminal_shows_a_line_per_message_too(lines):
    """The lines for a terminal are as many, with the same fields."""
    found = [
        re.sub("\x1b.*?m", "", line)
        for line in lines("console", partition=3, each=[OneMessage("one", "a"), OneMessage("two", "b")])
    ]
    assert [re.findall(r"(?:message_id|partition)=(\w+)", line) for line in found] == [["one", "3"], ["two", "3"]]


def test_an_event_without_messages_is_one_line(lines):
    """It is one line in either form."""
    assert len(lines("json", partition=3)) == len(lines("console", partition=3)) == 1


def test_lines_of_one_turn_are_written_together():
    """The lines of one turn of the event loop are one write, in order, at the end of that turn."""
    out = Stream()
    logs.configure("http", "json", "info", stream=out, write_per_turn=True)

    async def turn():
        log = structlog.get_logger()
        for number in range(100):
            log.info("answered", number=number)
        assert out.writes == []
        await asyncio.sleep(0)
        assert len(out.writes) == 1
        log.debug("too low")
        log.warning("last")

    asyncio.run(turn())
    assert [line.get("number") for line in out.lines] == [*range(100), None]
    assert len(out.writes) == 2


def test_a_line_outside_the_loop_is_written_at_once():
    """Lines from before the loop runs and after its end are not kept back."""
    out = Stream()
    logs.configure("http", "json", "info", stream=out, write_per_turn=True)
    structlog.get_logger().info("starting", port=1)
    (line,) = out.lines
    assert {name: line[name] for name in ("event", "level", "service", "port")} == {
        "event": "starting",
        "level": "info",
        "service": "http",
        "port": 1,
    }


def test_an_exception_is_one_line():
    """The trace is in the text of its line."""
    out = Stream()
    logs.configure("http", "json", "info", stream=out)
    try:
        sys.exit("because")
    except SystemExit as error:
        structlog.get_logger().error("defect", exc_info=error)
    (line,) = out.lines
    assert "SystemExit: because" in line["exception"]


def test_libraries_warn_in_the_same_form():
    """Their warnings are lines with the logger's name; what is silent or no warning is not written."""
    out = Stream()
    logs.configure("http", "json", "info", stream=out, silent=["noisy"])
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("low on %s", "memory")
    logging.getLogger("some.library").log(35, "a level of its own")
    logging.getLogger("noisy").error("again")
    assert [(line["event"], line["level"], line["logger"]) for line in out.lines] == [
        ("low on memory", "warning", "some.library"),
        ("a level of its own", "warning", "some.library"),
    ]


def test_context_variables_are_fields():
    """Variables that are bound to the context of a thread or a task are in each of its lines."""
    out = Stream()
    logs.configure("http", "json", "info", stream=out)
    with structlog.contextvars.bound_contextvars(generation=2):
        structlog.get_logger().info("applied")
    structlog.get_logger().info("applied")
    assert [line.get("generation") for line in out.lines] == [2, None]
