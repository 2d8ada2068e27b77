"""The alert rules and the dashboards against the pages and what the services expose. No Prometheus is needed for it."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import identity.http.metrics
import projector.consumer.partition
import projector.ops.metrics
import read_api.ops.metrics
import write_api.ops.command_metrics
import write_api.ops.metrics
from cheeper_contracts.catalogue import COMMANDS
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views.lag import OBJECTIVES
from read_api.http.endpoints import ENDPOINTS
from write_api.features import ENDPOINTS as COMMAND_ENDPOINTS

ROOT = Path(__file__).parents[2]
SERVICES = (projector.ops.metrics, read_api.ops.metrics, write_api.ops.metrics, identity.http.metrics)
DECLARED = {each.name: each for service in SERVICES for each in service.DECLARED}

OF_PROMETHEUS = {"up"}
OF_EXPORTERS = {"node_filesystem_avail_bytes", "node_filesystem_size_bytes"}
OF_PROCESSES = {
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
}
LABELS_OF_TARGETS = {"job", "instance", "process"}

NAME = re.compile(r"(?<![\"\w:])(?:cheeper|process|node)(?:_[a-z0-9_]+|:[a-z0-9_:]+)|(?<![\w\"])up(?= ==|$)")
SELECTOR = re.compile(r"(cheeper_[a-z0-9_]+)\{([^}]*)\}")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")

# The most values that a label can have, in one process.
CODES = 40  # of rejections: each is a word of the code
MOST = {
    "store": len(OBJECTIVES),
    "generation": 3,  # a generation before, the live one, and one that is being built
    "partition": PARTITIONS,
    "view": max(map(len, OBJECTIVES.values())),
    "query": len(ENDPOINTS) + 1,
    "after": 2,
    "status": 20,
    "route": len(COMMAND_ENDPOINTS) + 5,  # identity has fewer
    "method": 8,
    "type": len(COMMANDS),
    "outcome": 5,
    "code": CODES,
    "limit": 6,
    "policy": 6,
    "task": len(projector.consumer.partition.TASK_KINDS),
    "need": 10,
    "topic": 3,
    "reason": 10,
    "error": 20,  # classes of errors of the drivers
    # of the one transaction that blocks the outbox
    **dict.fromkeys(("pid", "database", "application", "state"), 1),
}
BUCKETS = 17  # a histogram's series: at most 15 buckets, the sum and the count
SERIES_OF_A_PROCESS = 12_000


@pytest.fixture
def alerts(monkeypatch):
    """The tool, as a module."""
    monkeypatch.syspath_prepend(ROOT / "docs" / "tools")
    return importlib.import_module("alerts")


def exposed():
    """Return the names of the series that the services expose."""
    names = OF_PROMETHEUS | OF_EXPORTERS | OF_PROCESSES
    for each in DECLARED.values():
        suffixes = ("_bucket", "_count", "_sum") if each.histogram else ("",)
        names |= {each.name + suffix for suffix in suffixes}
    return names


def declaration_of(series):
    return DECLARED.get(series) or DECLARED[re.sub(r"_(bucket|count|sum)$", "", series)]


@pytest.fixture
def expressions(alerts):
    """Return the expressions of all rules and of all panels."""
    boards = [json.loads(path.read_text()) for path in (ROOT / "deploy/observability/dashboards").glob("*.json")]
    panels = [panel for board in boards for panel in board["panels"] if panel["type"] != "row"]
    assert len(panels) == 49 + 6 + 5 + 6 + 8
    return [rule["expr"] for rule in alerts.rules()] + [each["expr"] for panel in panels for each in panel["targets"]]


def test_each_metric_of_a_rule_or_panel_is_exposed(alerts, expressions):
    """An expression names metrics of the services, of Prometheus, of an exporter, or what another rule records."""
    recorded = {rule["record"] for rule in alerts.rules() if "record" in rule}
    for expression in expressions:
        found = set(NAME.findall(expression))
        assert found, expression
        assert found <= exposed() | recorded, expression


def test_the_dashboards_are_up_to_date():
    """The JSON is what the tool makes of the panels."""
    tool = ROOT / "deploy" / "tools" / "grafana.py"
    check = subprocess.run([sys.executable, tool, "--check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr


def test_the_names_of_a_rule_are_found():
    """The check above sees the names of an expression, and not the words of its labels."""
    expression = 'max by (store) (cheeper_a_b) / up == 0 or cheeper:c:rate1m{process="cheeper_x"} > process_y_seconds'
    assert NAME.findall(expression) == ["cheeper_a_b", "up", "cheeper:c:rate1m", "process_y_seconds"]


def test_each_label_of_a_selector_is_the_metric_s(expressions):
    """A selector by a label that a metric does not have would match nothing, or everything."""
    for expression in expressions:
        for series, labels in SELECTOR.findall(expression):
            known = {*declaration_of(series).labels, *LABELS_OF_TARGETS, "le"}
            assert set(LABEL.findall(labels)) <= known, expression


def test_each_bound_of_a_rule_is_a_bucket(alerts):
    """A rule selects the bucket of an objective, which a service has to have."""
    buckets = {
        "cheeper_read_api_request_seconds_bucket": read_api.ops.metrics.BUCKETS,
        "cheeper_write_api_command_handled_seconds_bucket": write_api.ops.command_metrics.BUCKETS,
        "cheeper_projector_visible_seconds_bucket": projector.consumer.partition.VISIBLE_BUCKETS,
    }
    for rule in alerts.rules():
        for series, labels in SELECTOR.findall(rule["expr"]):
            for bound in re.findall(r'le="([^"]+)"', labels):
                assert bound in map(str, buckets[series])


def test_each_alert_leads_to_a_section(alerts):
    """The runbook of an alert is a heading of docs/operations.md, and its severity one of two."""
    page = (ROOT / alerts.PAGE).read_text()
    anchors = {re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in _headings(page)}
    for rule in alerts.rules():
        if "alert" in rule:
            assert rule["annotations"]["runbook"].removeprefix(f"{alerts.PAGE}#") in anchors
            assert rule["labels"] in ({"severity": "page"}, {"severity": "ticket"})


def _headings(page):
    return [line.lstrip("#").strip() for line in page.splitlines() if line.startswith("##")]


def test_names_and_units_follow_open_metrics():
    """A histogram ends in a base unit, and no name in another scale or in a suffix that samples have."""
    for name, each in DECLARED.items():
        assert re.fullmatch(r"cheeper_(write_api|read_api|projector|identity)_[a-z][a-z_]*[a-z]", name)
        assert not re.search(r"_(milliseconds|ms|minutes|kilobytes|percent|bucket|count|sum|created)(_|$)", name)
        assert not each.histogram or name.endswith("_seconds")


def test_the_number_of_series_is_bounded():
    """Each label has a known number of values, whatever clients send, and so has a process series."""
    for service in SERVICES:
        series = 0
        for each in service.DECLARED:
            labels = [label for label in each.labels if label != "query" or each.name.startswith("cheeper_read_api")]
            assert set(labels) <= MOST.keys(), f"{each.name}: how many values has each label?"
            product = BUCKETS if each.histogram else 1
            for label in labels:
                product *= MOST[label]
            series += product
        assert series <= SERIES_OF_A_PROCESS, service.__name__
