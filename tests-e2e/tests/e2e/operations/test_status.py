"""The reports of a running stack: `cheeper status`, and /metrics of its processes."""

import os
import re
import subprocess
import sys

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cheeper_e2e.authors import new_id, post, sign_up
from cheeper_local.settings import CLONE
from cheeper_local.waiting import until

pytestmark = pytest.mark.local

MEASURED = {
    "read-api": "cheeper_read_api_",
    "projector": "cheeper_projector_",
    "write-api": "cheeper_write_api_",
    "worker": "cheeper_write_api_",
    "relay": "cheeper_write_api_",
    "process-manager": "cheeper_write_api_",
    "inspector": "cheeper_inspector_",
    "operations": "cheeper_inspector_",
}
SILENCE = 10.0


def status(stack):
    """The lines of `cheeper status`, by their first word."""
    command = [sys.executable, "-m", "cheeper_local", "status"]
    environment = {**os.environ, "DATA": str(stack.state["data"])}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return {line.split()[0]: line for line in printed.splitlines() if line.startswith("  ")}, printed


def lag(stack, name):
    """The words of a line of the lag: the server of the same name has one above it."""
    return status(stack)[0][name]


def is_at_rest(stack):
    lines, _ = status(stack)
    return all("0 sequences behind, 0.0 s, within the objectives" in lines[store] for store in ("redis", "mongo"))


@pytest.mark.disturbs
async def test_status_shows_the_lag_of_the_views_whatever_runs(local_stack, patient):
    """At rest nothing is behind; without a projector both stores are, beyond their objectives; then no more."""
    author = await sign_up(patient)
    until(lambda: is_at_rest(local_stack))
    lines, printed = status(local_stack)
    assert local_stack.gateway in printed
    assert "one sends (PostgreSQL's pid" in lines["relay"]
    assert "nothing waits" in lines["relay"]
    assert "dead letters: 0; generation 1" in lines["mongo"]
    local_stack.stop_process("projector")
    try:
        reply = await patient.post_cheep(author.author_id, "Nobody reads this yet")
        assert reply.status == 202
        until(lambda: "beyond the objective of" in lag(local_stack, "mongo"))
        lines, _ = status(local_stack)
        assert "timeline" in lines["redis"].partition("beyond the objective of")[2]
        assert "projector-1" in lines
        assert lines["projector-1"].partition(",")[0].endswith("stopped")
    finally:
        local_stack.start_process("projector")
    until(lambda: is_at_rest(local_stack))


@pytest.mark.extended  # the audit's test_snapshot.py has it
@pytest.mark.disturbs
@pytest.mark.takes(seconds=8)
async def test_status_shows_an_unavailable_store(local_stack, patient):
    """In words, with the rest of it still there."""
    await sign_up(patient)
    local_stack.server("redis", "stop")
    try:
        lines, printed = status(local_stack)
        assert "The Redis at REDIS_URL cannot be reached or does not serve" in printed
        assert "sequences behind" in lines["mongo"]
    finally:
        local_stack.server("redis", "start")
    local_stack.wait_ready()


def readers_lag(stack):
    """The samples of the lag that read-api exposes: {(name, store): values}."""
    port = next(each["port"] for each in stack.processes().values() if each["role"] == "read-api")
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=20).text
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if "store" in sample.labels:
                name = sample.name.removeprefix("cheeper_read_api_")
                found.setdefault((name, sample.labels["store"]), []).append(sample.value)
    return found


@pytest.mark.disturbs
@pytest.mark.extended
@pytest.mark.takes(seconds=10)
async def test_read_api_exposes_the_lag_that_the_projector_reports(local_stack, patient):
    """At rest neither store lags; without a projector all views are late, until it runs again."""

    def fresh():
        seen = readers_lag(local_stack)
        return all(
            seen.get((name, store)) and not any(seen[name, store])
            for name in ("lag_messages", "lag_seconds", "view_objective_missed")
            for store in ("redis", "mongo")
        )

    await sign_up(patient)
    until(fresh)
    local_stack.stop_process("projector")
    try:
        for store in ("redis", "mongo"):
            until(lambda store=store: min(readers_lag(local_stack)["lag_seconds", store]) > SILENCE)
            assert set(readers_lag(local_stack)["view_objective_missed", store]) == {1}
    finally:
        local_stack.start_process("projector")
    until(fresh)


async def test_metrics_are_served_by_each_process_and_not_by_the_gateway(local_stack, patient, client):
    """On its own port, in Prometheus's format, under the service's own names, which are those of docs/metrics.md; they
    move with what is done.
    """
    author = await sign_up(patient)
    await post(patient, author, "Count me")
    exposed = set()
    for name, process in local_stack.processes().items():
        stem = MEASURED.get(process["role"])
        if stem is None:
            continue
        async with httpx.AsyncClient(timeout=60) as scraper:
            response = await scraper.get(f"http://127.0.0.1:{process['port']}/metrics")
        assert response.status_code == 200, name
        families = list(text_string_to_metric_families(response.text))
        ours = [family for family in families if family.name.startswith(stem)]
        exposed |= {f"{each.name}_total" if each.type == "counter" else each.name for each in ours}
        assert sum(sample.value for family in ours for sample in family.samples) > 0, name
        assert author.author_id not in response.text
    written = set(re.findall(r"^\| `(cheeper_\w+)`", (CLONE / "docs" / "metrics.md").read_text(), re.MULTILINE))
    assert exposed <= written
    assert not {each for each in written - exposed if not re.search("_identity_|_rate_limit_", each)}, (
        "both are off here"
    )
    for path in ("/metrics", "/chapter7/metrics", "/metrics/"):
        reply = await client.request("GET", path, params={"id": new_id()})
        assert (reply.status, reply.data["code"]) == (404, "no_such_path"), reply.curl
