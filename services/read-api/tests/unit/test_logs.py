import asyncio
import io
import logging
import sys

import msgspec
import pytest
import structlog

from read_api.ops import logs


class Counting(io.StringIO):
    """A stream that counts what is written to it."""

    writes = 0

    def write(self, text):
        self.writes += 1
        return super().write(text)

    @property
    def lines(self):
        return [msgspec.json.decode(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def out():
    stream, handlers = Counting(), logging.root.handlers[:]
    logs.configure("json", "info", "read-api", stream)
    yield stream
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers


def test_lines_of_one_turn_are_written_together(out):
    """However many requests a turn of the loop answers, their lines are one write, in order, and wait for no more."""

    async def turn():
        log = structlog.get_logger()
        for number in range(100):
            log.info("answered", number=number)
        assert out.writes == 0
        await asyncio.sleep(0)
        assert out.writes == 1
        log.debug("too low")
        log.warning("last")

    asyncio.run(turn())
    assert [line.get("number") for line in out.lines] == [*range(100), None]
    assert out.writes == 2


def test_a_line_outside_the_loop_is_written_at_once(out):
    """What is said before the loop runs and after its end is not kept back."""
    structlog.get_logger().info("starting", port=1)
    (line,) = out.lines
    assert {name: line[name] for name in ("event", "level", "service", "port")} == {
        "event": "starting",
        "level": "info",
        "service": "read-api",
        "port": 1,
    }
    assert line["timestamp"].endswith("Z")


def test_an_exception_is_one_line(out):
    """The trace of a defect is in its line's text."""
    try:
        sys.exit("told")
    except SystemExit as error:
        structlog.get_logger().error("defect", exc_info=error)
    assert "SystemExit: told" in out.lines[0]["exception"]
