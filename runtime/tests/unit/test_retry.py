import asyncio
import time

import pytest

from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.retry import AbandonedError, AsyncRetryLoop, Backoff, RetryLoop, retry_for, sleep_unless


class Server:
    """A server that is unavailable for some calls."""

    def __init__(self, failures):
        self.failures = failures

    def call(self):
        if self.failures:
            self.failures -= 1
            raise ConnectionError(f"{self.failures + 1} to go")
        return "done"

    async def acall(self):
        return self.call()


@pytest.fixture
def readiness():
    return Readiness("server")


def test_a_loop_retries_until_the_action_succeeds(readiness):
    """Each failure is reported and waited after; a success meets the need."""
    pauses, failures, reasons = [], [], []

    def sleep(seconds):
        pauses.append(seconds)
        reasons.append(readiness.reason("server"))

    loop = RetryLoop(readiness, "server", ConnectionError, sleep=sleep, on_failure=failures.append)
    assert loop.run(Server(3).call) == "done"
    assert reasons == [str(error) for error in failures] == ["3 to go", "2 to go", "1 to go"]
    assert readiness.reason("server") is None
    for pause, longest in zip(pauses, (0.1, 0.2, 0.4), strict=True):
        assert longest / 2 <= pause <= longest


def test_a_loop_ends_when_its_result_is_no_longer_wanted(readiness):
    """After a pause it asks whether the action is still wanted, and does not run it again if not."""
    server = Server(5)
    loop = RetryLoop(readiness, "server", ConnectionError, sleep=lambda _: None)
    with pytest.raises(AbandonedError):
        loop.run(server.call, lambda: server.failures > 3)
    assert (server.failures, readiness.reason("server")) == (3, "4 to go")


def test_other_errors_are_not_retried(readiness):
    """Another error is raised at once."""
    loop = RetryLoop(readiness, "server", (TimeoutError, PermissionError), sleep=lambda _: None)
    server = Server(2)
    with pytest.raises(ConnectionError, match="2 to go"):
        loop.run(server.call)
    assert server.failures == 1


async def test_a_loop_of_coroutines_does_the_same(readiness):
    """It awaits the action, and what is to be done after a failure."""
    failures = []

    async def on_failure(error):
        await asyncio.sleep(0)
        failures.append(str(error))

    loop = AsyncRetryLoop(readiness, "server", ConnectionError, first=0.001, on_failure=on_failure)
    assert await loop.run(Server(2).acall, asyncio.Event()) == "done"
    assert failures == ["2 to go", "1 to go"]
    assert readiness.reason("server") is None


async def test_a_loop_of_coroutines_ends_when_it_is_stopped(readiness):
    """A stop cuts the pause short, and the action is not run again."""
    stop, server = asyncio.Event(), Server(2)
    loop = AsyncRetryLoop(readiness, "server", ConnectionError, on_failure=lambda _: stop.set())
    with pytest.raises(AbandonedError):
        await loop.run(server.acall, stop)
    assert server.failures == 1


def test_a_command_line_gives_up_with_the_last_error():
    """Within its time it retries; after that the error is the caller's."""
    assert retry_for(10, ConnectionError, longest=0.001)(Server(2).call) == "done"
    with pytest.raises(ConnectionError, match="1 to go"):
        retry_for(0, ConnectionError)(Server(1).call)


def test_pauses_double_up_to_the_longest_and_are_shortened_by_up_to_half():
    """An unavailable server is called less and less often, and never by all processes at the same moment."""
    backoff = Backoff(first=1, longest=8)
    for expected in (1, 2, 4, 8, 8, 8):
        assert expected / 2 <= backoff.next() <= expected


def test_a_success_begins_with_the_shortest_pause_again():
    """An earlier failure does not slow down what works now."""
    backoff = Backoff(first=1, longest=8)
    backoff.next()
    backoff.next()
    backoff.reset()
    assert backoff.next() <= 1


async def test_a_pause_ends_when_it_is_stopped():
    """A process that waits ends at once when it is stopped."""
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(60):
        await Backoff(first=3600).pause(stop)


async def test_a_pause_ends_with_its_time():
    """Without a stop the pause lasts as long as it was given, and raises nothing."""
    began = time.monotonic()
    await sleep_unless(asyncio.Event(), 0.01)
    assert time.monotonic() - began >= 0.01
