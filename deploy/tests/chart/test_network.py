"""The chart's network policies: the roles that may connect to each other and to servers."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.extended

INSTANCE = {"app.kubernetes.io/name": "cheeper", "app.kubernetes.io/instance": "cheeper"}
SERVERS = {5432: "postgres", 9093: "kafka", 6379: "redis", 27017: "mongo"}
DATA = {
    "write-api": {"postgres", "kafka", "redis"},  # Redis: the limits that replicas share
    "worker": {"postgres", "kafka"},
    "relay": {"postgres", "kafka"},
    "process-manager": {"postgres", "kafka"},
    "projector": {"kafka", "redis", "mongo"},
    "read-api": {"redis", "mongo"},
    "identity": {"postgres"},
    "gateway": set(),
    "migrate": {"postgres", "kafka"},
    "migrate-identity": {"postgres"},
    "inspector": {"postgres", "kafka", "redis", "mongo"},
    "operations": {"postgres", "kafka", "redis", "mongo"},
    "migrate-operations": {"postgres"},
}
WITH_OPERATORS = ("--set", "roles.inspector.enabled=true", "--set", "roles.operations.enabled=true")
"""The options of a release that has what operators use."""


def parts(peers):
    """The components that peers select."""
    return {
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in peers if "podSelector" in peer
    }


def ports(rule):
    """The numbers of a rule's ports."""
    return {port["port"] for port in rule["ports"]}


def test_everything_is_refused_at_first(chart, profile):
    """A policy without rules selects every pod of the release, for both directions."""
    deny = chart.of_kind(profile, "NetworkPolicy")["default-deny"]["spec"]
    assert deny == {"podSelector": {"matchLabels": INSTANCE}, "policyTypes": ["Ingress", "Egress"]}
    for kind in ("Deployment", "StatefulSet", "Job"):
        for each in chart.of_kind(profile, kind).values():
            assert INSTANCE.items() <= each["spec"]["template"]["metadata"]["labels"].items()


def test_each_pod_has_a_policy_of_its_own(chart, profile):
    """Each policy selects the pods of the part whose name it has, and the gateway's rule alone lets everybody in."""
    policies = chart.of_kind(profile, "NetworkPolicy")
    assert policies.keys() == chart.pods(profile).keys() | {"default-deny"}
    for name, policy in policies.items():
        if name == "default-deny":
            continue
        selector = policy["spec"]["podSelector"]["matchLabels"]
        assert selector == INSTANCE | {"app.kubernetes.io/component": name}
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        for rule in policy["spec"].get("ingress", []):
            assert rule.get("from") or name == "gateway", name


def test_the_gateway_is_the_only_way_in(chart):
    """The gateway calls the services of HTTP and no server; nobody else calls them but who verifies tokens."""
    policies = chart.of_kind("managed", "NetworkPolicy", *WITH_OPERATORS)
    callers = {
        name: {part for rule in policy["spec"].get("ingress", []) for part in parts(rule.get("from", []))}
        for name, policy in policies.items()
    }
    assert {name: found for name, found in callers.items() if found} == {
        "write-api": {"gateway"},
        "read-api": {"gateway"},
        "inspector": {"gateway"},
        "operations": {"gateway"},
        "identity": {"gateway", "write-api", "read-api", "inspector", "operations"},
    }
    for name, policy in policies.items():
        called = {part for rule in policy["spec"].get("egress", []) for part in parts(rule.get("to", []))}
        assert called == {other for other, found in callers.items() if name in found}, name


def test_each_role_reaches_its_servers_alone(chart):
    """Each role's way out leads to the servers that it uses, names of DNS, the collector, and mail or issuers."""
    policies = chart.of_kind("managed", "NetworkPolicy", *WITH_OPERATORS)
    for name, servers in DATA.items():
        reached = {port for rule in policies[name]["spec"]["egress"] for port in ports(rule)} - {"http"}
        assert {SERVERS[port] for port in reached & SERVERS.keys()} == servers, name
        assert reached - SERVERS.keys() <= {53, 4318, 443, 465, 587}
        assert (587 in reached) == (name == "identity")


def test_small_servers_are_reached_by_who_uses_them(chart):
    """A server of the small profile lets in the roles that reach it, and they are let out to it."""
    policies = chart.of_kind("small", "NetworkPolicy")
    for server in ("postgres", "kafka", "redis", "mongo"):
        [rule] = policies[server]["spec"]["ingress"]
        users = {
            name
            for name, policy in policies.items()
            if name != "default-deny"
            for each in policy["spec"].get("egress", [])
            if server in parts(each.get("to", []))
        }
        assert parts(rule["from"]) == users
        assert "gateway" not in users
