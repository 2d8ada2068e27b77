import json
import urllib.error
import urllib.request

import pytest

from projector.ops.health import Health, PartOfHealth, serve


@pytest.fixture
def health():
    return Health()


@pytest.fixture
def get(health):
    server = serve(health, "127.0.0.1", 0, lambda: b"a_metric 1\n")

    def get(path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    yield get
    server.shutdown()
    server.server_close()


def test_ready_says_what_is_waited_for(health, get):
    """503 while a need is unmet, with the reason; 200 when all are met."""
    health.expect("redis")
    health.say("redis", "it is loading")
    status, answer = get("/health/ready")
    assert (status, answer["data"]) == (503, {"redis": {"ok": False, "why": "it is loading"}})
    assert answer["meta"]["message_id"]
    health.say("redis", None)
    assert get("/health/ready")[0] == 200


def test_live_does_not_depend_on_needs(health, get):
    """A process that waits for a server is alive."""
    health.expect("redis")
    assert get("/health/live")[0] == 200


def test_a_need_with_parts_is_met_when_all_are(health, get):
    """Two consumers speak of the same broker, and neither hides the other's trouble."""
    health.expect("kafka", "redis")
    health.expect("kafka", "mongo")
    health.say("kafka", None, "redis")
    health.say("kafka", "no answer", "mongo")
    assert get("/health/ready")[1]["data"]["kafka"] == {"ok": False, "why": "no answer"}


def test_other_paths_are_not_found(get):
    """The answer has the API's form."""
    status, answer = get("/metrics/")
    assert (status, answer["data"]["code"]) == (404, "no_such_path")


def test_metrics_are_answered_as_they_are(health):
    """As text of Prometheus's format, whatever readiness says."""
    health.expect("redis")
    server = serve(health, "127.0.0.1", 0, lambda: b"a_metric 1\n")
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=5) as answer:
        assert (answer.read(), answer.headers["Content-Type"].partition(";")[0]) == (b"a_metric 1\n", "text/plain")
    server.shutdown()
    server.server_close()


def test_a_part_names_itself_and_goes_without_a_trace():
    """What one generation lacks is told with its name, and nothing is needed any more of one that is gone."""
    health = Health()
    part = PartOfHealth(health, "generation 2")
    health.say("redis", None)
    part.expect("redis")
    part.say("redis", "is away")
    assert health.needs()["redis"].why == "generation 2: is away"
    part.withdraw_all()
    assert health.needs()["redis"].ok
