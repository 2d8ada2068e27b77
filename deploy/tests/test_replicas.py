"""Replicas that are killed, frozen or too busy: the gateway's probes take them from the rotation."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from cheeper_local.testing import until

pytestmark = pytest.mark.proves(guarantee="callers")

IN_A_ROW = 20
SECONDS = 30
"""Twenty times what it takes for a replica to leave the rotation."""
CLIENTS = 4
PROBES = 8
PATIENCE = 2.0
"""Seconds that a client here waits for a response, much less than the gateway does."""


def name_of_responder(client, method):
    """Return which service responded, or None if none did in time or the outcome is unknown."""
    path, content = ("/cheep", b"{}") if method == "POST" else ("/author/x", None)
    try:
        response = client.request(method, path, content=content, timeout=PATIENCE)
    except httpx.TimeoutException:
        return None
    return response.json()["data"]["name"] if response.status_code == 200 else None


def seconds_until_only(client, name, method):
    """Return how long it takes until this service responds to many requests in a row."""
    began, in_a_row = time.monotonic(), 0
    while in_a_row < IN_A_ROW and time.monotonic() - began < SECONDS:
        in_a_row = in_a_row + 1 if name_of_responder(client, method) == name else 0
    return time.monotonic() - began


@pytest.mark.parametrize("method", ["POST", pytest.param("GET", marks=pytest.mark.extended)])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_replica_that_does_not_respond_leaves_the_rotation(start, serve, method, how):
    """A killed replica and a frozen one get no requests after about a second, also where no request of others fails."""
    with serve("one") as one, serve("two") as two:
        both = f"127.0.0.1:{one.port} 127.0.0.1:{two.port}"
        with start(READ_API=both, WRITE_API=both) as client:
            until(lambda: {name_of_responder(client, method) for _ in range(IN_A_ROW)} == {"one", "two"})
            one.signal(how)
            assert seconds_until_only(client, "two", method) < SECONDS
            if how == signal.SIGSTOP:
                one.signal(signal.SIGCONT)
                until(lambda: "one" in {name_of_responder(client, method) for _ in range(IN_A_ROW)})


def test_a_killed_replica_takes_only_what_it_had_received(start, serve):
    """Of the commands of a few clients, those in flight on a killed replica have an unknown outcome, and no other."""

    def post(_):
        return client.post("/cheep", content=b"{}").status_code

    with serve("one") as one, serve("two") as two, ThreadPoolExecutor(CLIENTS) as clients:
        both = f"127.0.0.1:{one.port} 127.0.0.1:{two.port}"
        with start(READ_API=both, WRITE_API=both) as client:
            posts = clients.map(post, range(200))
            until(lambda: one.requests)
            one.signal(signal.SIGKILL)
            statuses = list(posts)
            assert set(statuses) <= {200, 503}
            assert statuses.count(503) <= 2 * CLIENTS  # at most one for each connection, and one for each new one


def test_a_frozen_replica_that_is_found_by_name_leaves_the_rotation(start, serve):
    """Probes know replicas that are found by name too: without one that responds, the health page fails at once."""
    with serve("read") as read, serve("write") as write:
        sides = {"READ_API": f"localhost {read.port}", "WRITE_API": f"localhost {write.port}"}
        with start(UPSTREAMS="dns", **sides) as client:

            def health():
                try:
                    return client.get("/health", timeout=PATIENCE).status_code
                except httpx.TimeoutException:
                    return None

            until(lambda: health() == 200)
            read.signal(signal.SIGSTOP)
            until(lambda: health() == 503)
            read.signal(signal.SIGCONT)
            until(lambda: health() == 200)


def test_replicas_that_are_all_too_busy_for_probes_still_get_requests(start, serve, folder):
    """If no replica passes its probes, requests go to them all the same, whole: a busy service is not unavailable.
    The probes that fail meanwhile are not logged.
    """
    with serve("one") as one, start(READ_API=f"127.0.0.1:{one.port}", WRITE_API=f"127.0.0.1:{one.port}") as client:
        client.get("/author/x", headers={"Misbehave": "busy"})
        until(lambda: one.failed_probes > PROBES)
        with ThreadPoolExecutor(3) as clients:
            command = clients.submit(client.post, "/chapter7/cheep", content=b"x" * 65536)
            chunked = clients.submit(client.post, "/cheep", content=iter([b"x" * 300, b"y" * 300]))
            query = clients.submit(client.get, "/chapter7/author/x?a=%3B;&b=")
            seen = [each.result().json()["data"] for each in (command, chunked, query)]
        assert [received["path"] for received in seen] == ["/cheep", "/cheep", "/author/x?a=%3B;&b="]
        assert [received["size"] for received in seen] == [65536, 600, 0]
        log = (folder / f"gateway-{client.base_url.port}.log").read_text()
        assert not [line for line in log.splitlines() if '"method":"GET"' in line]
