"""A graceful restart of replicas behind the gateway, with the HTTP server that the services have."""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from listeners import process

from cheeper_local.system.ports import free_port

pytestmark = pytest.mark.proves(guarantee="callers")

SERVICE = str(Path(__file__).parent / "draining.py")
CLIENTS = 6
FEWEST = 20
"""Responses of each client between two steps."""


@contextmanager
def replica(folder, port):
    """A replica, which is ended by SIGTERM at the end of the block."""
    with process(folder / f"draining-{port}.log", port, sys.executable, SERVICE, str(port)):
        yield


def test_a_graceful_restart_refuses_nothing(start, folder):
    """Clients that keep their connections get a response to every command while a replica is restarted."""
    ports = [free_port(), free_port()]
    upstreams = " ".join(f"127.0.0.1:{port}" for port in ports)
    end, statuses = Event(), [[] for _ in range(CLIENTS)]

    def post(number):
        while not end.is_set():
            statuses[number].append(client.post("/cheep", content=b"{}").status_code)

    def wait_for_responses():
        counts = [len(each) for each in statuses]
        while any(len(each) < count + FEWEST for each, count in zip(statuses, counts, strict=True)):
            if end.wait(0.01):
                return

    with start(READ_API=upstreams, WRITE_API=upstreams) as client, ThreadPoolExecutor(CLIENTS) as clients:
        try:
            with replica(folder, ports[0]):
                with replica(folder, ports[1]):
                    posting = [clients.submit(post, number) for number in range(CLIENTS)]
                    wait_for_responses()
                wait_for_responses()
                with replica(folder, ports[1]):
                    wait_for_responses()
                    end.set()
                    for each in posting:
                        each.result()
        finally:
            end.set()
    assert {status for each in statuses for status in each} == {200}
