"""Prometheus beside a stack: every rule and panel has its metrics, and a fault fires its alert until the repair.

Windows and waiting times of the rules are a sixtieth of the real ones here.
"""

import json
import re
import shutil
import uuid
from contextlib import closing

import httpx
import pytest
import yaml

from cheeper_e2e.authors import new_author
from cheeper_e2e.faults.alerting.faults import STAGES, alerts_of
from cheeper_e2e.faults.alerting.prometheus import Prometheus
from cheeper_e2e.faults.alerting.proof import Proofs
from cheeper_e2e.faults.alerting.quiet import fired
from cheeper_e2e.faults.alerting.scene import Scene, settings
from cheeper_e2e.faults.alerting.usage import Usage
from cheeper_local.running import RunningStack
from cheeper_local.settings import CLONE
from cheeper_local.waiting import until

pytestmark = [
    pytest.mark.local,
    pytest.mark.extended,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is missing: install it"),
    pytest.mark.takes(seconds=25),
]

OBSERVABILITY = CLONE / "deploy" / "observability"
RULES, DASHBOARDS = OBSERVABILITY / "rules", OBSERVABILITY / "dashboards"
SELECTOR = re.compile(r"(?<![\"\w:])(?:cheeper|process|node)[_:][a-z0-9_:]+(?:\{[^}]*\})?|(?<![\w\"])up(?= ==)")
EMPTY = {
    "cheeper_projector_store_memory_ratio": "the local Redis has no limit of memory",
    "cheeper_write_api_dead_letters": "a topic has a series once something of it was parked",
    'cheeper_read_api_after_waits_total{outcome="stale"}': "no query waited in vain",
    'cheeper_read_api_requests_total{status=~"5.."}': "no query got an error",
    'cheeper_read_api_requests_total{query!="none",status=~"5.."}': "as above",
    'cheeper_write_api_http_requests_total{status=~"5.."}': "no command got an error",
    'cheeper_identity_http_requests_total{status=~"5.."}': "identity runs with accounts alone",
    "cheeper_identity_ready": "as above",
    'node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|ramfs"}': "node_exporter is of the containers",
    "node_filesystem_size_bytes": "as above",
}
"""The selectors of rules that match nothing in a stack that is well, each with its reason."""

EMPTY_PANELS = {
    "cheeper_read_api_store_unavailable_total": "no store was unavailable",
    "cheeper_projector_store_retries_total": "as above",
    "cheeper_projector_store_memory_ratio": "the local Redis has no limit of memory",
    'process=~"(identity)': "identity runs with accounts alone",
    "cheeper_identity": "as above",
}
"""The metrics whose panels are empty in a stack that is well, each with its reason."""


LOST = {
    "CheeperSequenceMissing",
    "CheeperHistoryRefused",
    "CheeperMessagesParked",
    "CheeperCommandsLost",
    "CheeperOutboxMonthsRetained",
    "CheeperClocksDiffer",
}


@pytest.fixture(scope="module")
def leak(tmp_path_factory):
    """The file that names a process that is to leak memory."""
    return tmp_path_factory.mktemp("leak") / "process"


@pytest.fixture(scope="module")
def stack(leak):
    with RunningStack.temporary(environment=settings(leak)) as stack:
        yield stack


@pytest.fixture(scope="module")
def prometheus(stack):
    with closing(Prometheus(stack)) as made:
        yield made


def use(stack):
    """Sign up two authors, let one follow the other, post, and read what follows from it, with `after` and without."""
    one, other = new_author(), new_author()
    with httpx.Client(base_url=stack.gateway, timeout=30) as client:
        for each in (one, other):
            body = {"author_id": each.author_id, "username": each.username, "email": each.email}
            signed = client.post("/author", json=body)
            assert signed.status_code == 201
            wanted = {"after": signed.json()["meta"]["message_id"], "timeout": "10"}
            client.get(f"/author/{each.author_id}", params=wanted)
        follow = {"from_author_id": one.author_id, "to_author_id": other.author_id}
        assert client.post("/follow", json=follow).status_code == 202
        posted = client.post("/cheep", json={"author_id": other.author_id, "message": "to be measured"})
        assert posted.status_code == 202
        for path in (f"/author/{one.author_id}", f"/author/{one.author_id}/timeline"):
            client.get(path)


def until_none(missing, condition):
    """Wait until a condition holds. Name what is still missing if it takes too long."""
    try:
        until(condition)
    except TimeoutError:
        pytest.fail(f"no data: {sorted(missing)}")


def selectors(expression):
    return set(SELECTOR.findall(re.sub(r"\s+", " ", expression)))


def test_every_metric_of_a_rule_has_data(stack, prometheus):
    """Each selector matches series of the running stack, or is listed as empty with its reason, and each rule runs."""
    found = set()
    for path in RULES.glob("*.yaml"):
        for group in yaml.safe_load(path.read_text())["groups"]:
            found |= {each for rule in group["rules"] for each in selectors(rule["expr"])}
    assert found >= EMPTY.keys(), "a reason is for a selector that exists"
    missing = found - EMPTY.keys()

    def all_have_data():
        use(stack)
        missing.difference_update([each for each in missing if prometheus.query(each)])
        return not missing

    until_none(missing, all_have_data)


def test_every_panel_shows_something(stack, prometheus):
    """The expression of each panel returns samples while the system is used, or is listed as empty with its reason."""
    boards = [json.loads(path.read_text()) for path in DASHBOARDS.glob("*.json")]
    panels = [panel for board in boards for panel in board["panels"] if panel["type"] != "row"]
    found = {target["expr"] for panel in panels for target in panel["targets"]}
    missing = {each for each in found if not any(name in each for name in EMPTY_PANELS)}
    assert len(missing) > len(panels)

    def all_show_something():
        use(stack)
        missing.difference_update([each for each in missing if prometheus.query(each)])
        return not missing

    until_none(missing, all_show_something)


def test_the_whole_way_of_a_command_and_the_steps_of_its_tasks_are_measured(stack, prometheus):
    """A command that came through the gateway is seen in both stores with its request's time, and so is each slice."""
    whole = 'min(cheeper_projector_request_to_visible_seconds_count{store=~"redis|mongo"}) > 0'
    slices = 'cheeper_projector_task_seconds_count{store="redis", task="slice"} > 0'
    missing = {whole, slices}

    def both_are_measured():
        use(stack)
        missing.difference_update([each for each in missing if prometheus.query(each)])
        return not missing

    until_none(missing, both_are_measured)


def test_a_histogram_leads_to_a_trace(stack, prometheus):
    """Prometheus has the trace id of a recorded request beside the time that its event took to be visible."""
    author, trace_id = new_author(), uuid.uuid4().hex
    headers = {"traceparent": f"00-{trace_id}-{'1' * 16}-01"}
    body = {"author_id": author.author_id, "username": author.username, "email": author.email}
    assert httpx.post(f"{stack.gateway}/author", json=body, headers=headers, timeout=30).status_code == 201
    until(lambda: trace_id in prometheus.traces("cheeper_projector_visible_seconds_bucket"))


def test_no_alert_fires_at_rest(stack, prometheus):
    """While all is well, every rule is evaluated, and no alert stays. One of lost messages never fires; one of time may
    for a moment, on a machine that is busy with other tests.
    """
    until(lambda: all(rule["lastEvaluation"] > "2000" for rule in prometheus.rules()))
    for _ in range(5):
        use(stack)
    assert fired(prometheus, 3600).isdisjoint(LOST), "at any time, not only now"
    until(lambda: not prometheus.firing())
    assert {rule["health"] for rule in prometheus.rules()} == {"ok"}


@pytest.mark.parametrize("stage", STAGES)
def test_each_fault_fires_its_alerts_until_it_is_repaired(stack, prometheus, leak, stage):
    """An alert fires by name while its fault lasts, and is clear after the repair."""
    with closing(Usage(stack.gateway)) as usage:
        proofs = Proofs(Scene(stack, prometheus, usage, leak))
        proofs.prove(STAGES[stage])
    assert proofs.cleared.keys() == proofs.fired.keys() == alerts_of(STAGES[stage])
    for alert, seconds in sorted(proofs.fired.items()):
        print(f"{alert}: {seconds:.0f} s, clear {proofs.cleared[alert]:.0f} s")  # noqa: T201 - for docs/operations.md
