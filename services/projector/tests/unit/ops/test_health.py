"""The pages of a process."""

import json
import urllib.error
import urllib.request
from threading import Thread

import pytest

from cheeper_runtime.readiness.needs import Readiness
from projector.ops.health import server


@pytest.fixture
def readiness():
    return Readiness("redis")


@pytest.fixture
def get(readiness):
    pages = server(readiness, "127.0.0.1", 0, lambda accept: (b"a_metric 1\n", accept or "text/plain"))
    thread = Thread(target=pages.serve_forever, args=(0.01,))
    thread.start()

    def get(path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{pages.server_port}{path}", timeout=5) as response:
                return response.status, response.headers["Content-Type"].partition(";")[0], response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers["Content-Type"], error.read()

    yield get
    pages.shutdown()
    pages.server_close()
    thread.join()


def test_readiness_says_what_is_waited_for(readiness, get):
    """503 while a need is not met, with the reason; 200 when all are met."""
    readiness.failed("redis", "it is loading")
    status, _, body = get("/health/ready")
    assert (status, json.loads(body)["data"]) == (503, {"redis": {"ok": False, "why": "it is loading"}})
    assert json.loads(body)["meta"]["message_id"]
    readiness.ok("redis")
    status, _, body = get("/health/ready")
    assert (status, json.loads(body)["data"]) == (200, {"redis": {"ok": True, "why": None}})


def test_liveness_does_not_depend_on_needs(get):
    """A process that waits for a server is alive."""
    assert get("/health/live")[0] == 200


def test_other_paths_are_not_found(get):
    """The response has the API's form."""
    status, _, body = get("/metrics/")
    assert (status, json.loads(body)["data"]["code"]) == (404, "no_such_path")


def test_metrics_are_in_prometheus_text_format(get):
    """Whatever readiness says."""
    assert get("/metrics") == (200, "text/plain", b"a_metric 1\n")
