import asyncio

import msgspec
import pytest
from structlog.testing import capture_logs

from cheeper_runtime.readiness.needs import Need, Readiness, is_ready


def test_a_need_is_not_met_until_it_is_reported():
    """Every need has a reason from the start until it is met."""
    readiness = Readiness("kafka", "lock")
    assert [need.reason for need in readiness.needs().values()] == ["starting", "starting"]
    readiness.ok("kafka", "lock")
    assert is_ready(readiness.needs())
    readiness.failed("lock", "standby")
    assert readiness.needs() == {"kafka": Need(ok=True), "lock": Need(ok=False, reason="standby")}
    assert (readiness.reason("kafka"), readiness.reason("lock")) == (None, "standby")
    assert not is_ready(readiness.needs())


def test_only_changes_are_logged():
    """A server that is unavailable for an hour makes one line, not one for each attempt."""
    readiness = Readiness("kafka")
    with capture_logs() as lines:
        readiness.failed("kafka", "unavailable")
        readiness.failed("kafka", "unavailable")
        readiness.ok("kafka")
        readiness.report("kafka", None)
    assert [(line["event"], line["need"], line.get("reason")) for line in lines] == [
        ("waiting", "kafka", "unavailable"),
        ("ready", "kafka", None),
    ]


def test_a_need_of_several_parts_is_met_when_it_is_met_for_all():
    """Two threads need the same server, and neither hides the other's failure."""
    readiness = Readiness()
    one, other = readiness.part("one"), readiness.part("other")
    for part in (one, other):
        part.expect("kafka")
    one.ok("kafka")
    assert readiness.reason("kafka") == "starting"
    with capture_logs() as lines:
        other.failed("kafka", "no answer")
    assert lines[0]["part"] == "other"
    assert readiness.reason("kafka") == "no answer"
    assert is_ready(one.needs())


def test_a_part_labels_its_reasons_and_goes_without_a_trace():
    """A part's reason names the part, and nothing is needed any more of one that has ended."""
    readiness = Readiness()
    readiness.ok("redis")
    part = readiness.part("generation 2", label="generation 2")
    part.part("redis").failed("redis", "is unavailable")
    assert readiness.reason("redis") == "generation 2: is unavailable"
    part.withdraw()
    assert is_ready(readiness.needs())


async def test_a_slow_block_fails_its_need_until_it_ends():
    """While a server takes long the need is not met, and it is again once the block has ended."""
    readiness = Readiness("postgres")
    with readiness.failed_while_slow("postgres", 0.001):
        while readiness.reason("postgres") != "does not answer":  # noqa: ASYNC110 - nothing sets an event
            await asyncio.sleep(0.001)
    assert readiness.reason("postgres") is None


async def test_a_block_that_raises_meets_no_need():
    """An error is for the caller to report."""
    readiness = Readiness("postgres")
    with pytest.raises(OSError, match="gone"), readiness.failed_while_slow("postgres", 60):
        raise OSError("gone")
    assert readiness.reason("postgres") == "starting"


def test_the_health_page_has_the_word_that_clients_know():
    """A reason is `why` in JSON."""
    assert msgspec.json.encode(Need(ok=False, reason="starting")) == b'{"ok":false,"why":"starting"}'
