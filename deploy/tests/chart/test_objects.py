"""The chart's objects: valid, with no right that they do not need, reached by whom the roles say, and scaled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from cheeper_contracts.kafka.topics import PARTITIONS
from write_api.kafka.access import ACCESS, grants, user_of

pytestmark = pytest.mark.extended

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
ROLES = {"gateway", "write-api", "worker", "relay", "process-manager", "projector", "read-api"}
WRITES_ITS_ROOT = {"kafka"}
KUBERNETES = ("1.30", "1.37")
"""The first version that the chart accepts, and a late one."""
PROFILES = ("managed", "operators", "small")
STRUCTURE = {
    "Kafka": {
        "kafka": {"version", "listeners", "authorization", "rack", "config", "template"},
        "entityOperator": {"userOperator"},
    },
    "KafkaNodePool": {"replicas": None, "roles": None, "resources": None, "storage": {"type", "volumes"}},
    "KafkaUser": {"authentication": {"type"}, "authorization": {"type", "acls"}},
    "Cluster": {
        "instances": None,
        "postgresql": {"parameters", "synchronous"},
        "bootstrap": {"initdb"},
        "affinity": {"topologyKey", "podAntiAffinityType"},
        "storage": {"size"},
        "walStorage": {"size"},
        "resources": {"requests", "limits"},
    },
}
"""By hand, of the documentation of Strimzi and CloudNativePG, whose schemas no package has: the fields of `spec`."""
OF_OPERATORS = STRUCTURE.keys() | {"ScaledObject", "PodMonitor"}


def test_lint_finds_nothing(chart, profile):
    """`helm lint --strict` accepts each profile."""
    found = chart.run("lint", profile, "--strict")
    assert found.returncode == 0, found.stdout


def shape(value):
    """The fields and types of a value, without the values."""
    if isinstance(value, dict):
        return tuple((key, shape(each)) for key, each in sorted(value.items()))
    if isinstance(value, list):
        return tuple(sorted({shape(each) for each in value}, key=repr))
    return type(value).__name__


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_each_field(chart, version):
    """Each object of Kubernetes' own has the fields and types of its schema, and no others."""
    validator = pytest.importorskip(
        "kubernetes_validate", reason="no kubernetes-validate: make chart-tools installs it"
    )
    objects = [each for profile in PROFILES for each in chart.objects(profile) if each["kind"] not in OF_OPERATORS]
    shapes = {(each["apiVersion"], each["kind"], shape(each)): each for each in objects}
    assert {each["kind"] for each in shapes.values()} >= {
        "Deployment",
        "StatefulSet",
        "Job",
        "NetworkPolicy",
        "Ingress",
    }
    for each in shapes.values():
        validator.validate(each, version, strict=True)


def test_keda_and_prometheus_know_each_field(chart):
    """The objects of KEDA and of Prometheus' operator keep every field when they are read by their schemas."""
    reason = "no models: make chart-tools installs them"
    keda = pytest.importorskip("cloudcoil.models.keda.v1alpha1", reason=reason)
    prometheus = pytest.importorskip("cloudcoil.models.prometheus_operator.v1", reason=reason)
    models = {"ScaledObject": keda.ScaledObject, "PodMonitor": prometheus.PodMonitor}
    seen = [each for each in chart.objects("managed") if each["kind"] in models]
    assert {each["kind"] for each in seen} == models.keys()
    for each in seen:
        kept = models[each["kind"]].model_validate(each).model_dump(by_alias=True, exclude_unset=True, mode="json")
        assert kept == each


def test_operators_resources_have_the_documented_structure(chart):
    """The resources of Strimzi and CloudNativePG have no field of `spec` that is not in the list of this file."""
    found = [each for each in chart.objects("operators") if each["kind"] in STRUCTURE]
    assert {each["kind"] for each in found} == STRUCTURE.keys()
    for each in found:
        wanted = STRUCTURE[each["kind"]]
        assert each["spec"].keys() <= wanted.keys()
        for field, value in each["spec"].items():
            assert wanted[field] is None or value.keys() <= wanted[field], field


def test_every_role_of_compose_runs(chart, profile):
    """Each role that compose runs is a Deployment with the same command."""
    found = chart.of_kind(profile, "Deployment")
    assert found.keys() >= ROLES
    for name in ROLES:
        pod = found[name]["spec"]["template"]["spec"]
        assert pod["containers"][0]["args"] == COMPOSE[name]["command"]


def test_no_pod_has_a_right_that_it_does_not_need(chart, profile):
    """No pod runs as root, writes its root file system, has a capability or a token, or can take a node's memory."""
    for name, pod in chart.pods(profile).items():
        [container] = pod["containers"]
        security = container["securityContext"]
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is (name not in WRITES_ITS_ROOT)
        assert security["capabilities"] == {"drop": ["ALL"]} | (
            {"add": ["NET_BIND_SERVICE"]} if name == "gateway" else {}
        )
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert container["resources"]["limits"]["memory"]
    accounts = chart.of_kind(profile, "ServiceAccount")
    assert {
        pod["serviceAccountName"].removeprefix("cheeper-")
        for pod in chart.pods(profile).values()
        if "serviceAccountName" in pod
    } == accounts.keys()
    assert all(account["automountServiceAccountToken"] is False for account in accounts.values())


def test_a_node_can_be_drained_and_no_role_is_in_one_place(chart):
    """Each role of several replicas has a budget that lets one go, and is spread over zones and nodes."""
    budgets, found = chart.of_kind("managed", "PodDisruptionBudget"), chart.of_kind("managed", "Deployment")
    assert budgets.keys() == found.keys()
    for name, budget in budgets.items():
        template = found[name]["spec"]["template"]
        assert budget["spec"]["maxUnavailable"] == 1
        assert budget["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
        spread = template["spec"]["topologySpreadConstraints"]
        assert [each["topologyKey"] for each in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert not chart.of_kind("small", "PodDisruptionBudget")


def test_a_pod_has_the_time_to_drain(chart, profile):
    """Each role has as long as in compose, and the gateway also the time in which load balancers forget it."""
    for name, pod in chart.pods(profile).items():
        if name in ROLES - {"gateway"}:
            assert pod["terminationGracePeriodSeconds"] >= int(COMPOSE[name]["stop_grace_period"].rstrip("s"))
    gateway = chart.pods(profile)["gateway"]
    before = gateway["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = int(re.search(r"grace_period (\d+)s", (ROOT / "deploy" / "Caddyfile").read_text())[1])
    assert gateway["terminationGracePeriodSeconds"] > before + drain


def test_scaling_is_by_metrics_that_exist(chart):
    """KEDA scales worker and projector by our own seconds of lag, no further than the partitions; HPA the APIs."""
    scaled = chart.of_kind("managed", "ScaledObject")
    assert scaled.keys() == {"worker", "projector"}
    declared = (ROOT / "docs" / "metrics.md").read_text()
    for name, each in scaled.items():
        trigger, busy = each["spec"]["triggers"]
        [metric] = re.findall(r"cheeper_\w+", trigger["metadata"]["query"])
        assert f"`{metric}`" in declared
        assert f'process="{name}"' in trigger["metadata"]["query"]
        assert (trigger["metricType"], busy["type"]) == ("Value", "cpu")
        assert each["spec"]["maxReplicaCount"] <= PARTITIONS
    by_cpu = chart.of_kind("managed", "HorizontalPodAutoscaler")
    assert by_cpu.keys() == {"gateway", "write-api", "read-api", "identity"}
    found = chart.of_kind("managed", "Deployment")
    for name, each in found.items():
        assert ("replicas" in each["spec"]) == (name not in scaled.keys() | by_cpu.keys()), name
    for name, each in (scaled | by_cpu).items():
        assert each["spec"]["scaleTargetRef"]["name"] == found[name]["metadata"]["name"]


def test_set_up_runs_first(chart):
    """The set-up is a hook before install and upgrade, or, if the stores come with the install, beside the roles."""
    commands = [COMPOSE["migrate"]["command"], ["identity", "migrate"]]
    for options, profile, hook in (
        ((), "managed", True),
        (("--is-upgrade",), "managed", True),
        ((), "operators", False),
        (("--is-upgrade",), "operators", True),
    ):
        jobs = chart.of_kind(profile, "Job", *options)
        assert [each["spec"]["template"]["spec"]["containers"][0]["args"] for each in jobs.values()] == commands
        for name, job in jobs.items():
            needed = [chart.of_kind(profile, kind, *options)[name] for kind in ("ServiceAccount", "NetworkPolicy")]
            for each in (job, *needed):
                found = each["metadata"].get("annotations", {}).get("helm.sh/hook")
                assert found == ("pre-install,pre-upgrade" if hook else None)
            if hook:
                weights = [int(each["metadata"]["annotations"]["helm.sh/hook-weight"]) for each in (*needed, job)]
                assert max(weights[:-1]) < weights[-1]


def test_a_gateway_in_public_needs_tokens(chart):
    """The chart refuses an ingress while everybody may act as anybody."""
    found = chart.run("template", "managed", "--set", "env.callers.AUTH=open")
    assert found.returncode != 0
    assert "AUTH=tokens" in found.stderr


def test_strimzi_grants_what_migrate_would_grant(chart):
    """Each user of Strimzi may do what `write_api.kafka.access` says, after the installation's prefix, and no more."""
    users = {
        each["metadata"]["name"]: each["spec"]
        for each in chart.objects("operators", "--set", "env.kafka.TOPIC_PREFIX=a.")
        if each["kind"] == "KafkaUser"
    }
    assert users.keys() == {user_of(role, "a.") for role in ACCESS} | {"a.cheeper.migrate"}
    for role in ACCESS:
        given = {
            (
                acl["resource"]["type"],
                acl["resource"]["name"],
                acl["resource"]["patternType"].replace("prefix", "prefixed"),
                operation.lower(),
            )
            for acl in users[user_of(role, "a.")]["authorization"]["acls"]
            for operation in acl["operations"]
        }
        wanted = {
            (each.restype.name.lower(), each.name, each.resource_pattern_type.name.lower(), each.operation.name.lower())
            for each in grants(role, "a.")
        }
        assert given == wanted, role
    [kafka] = [
        each for each in chart.objects("operators", "--set", "env.kafka.TOPIC_PREFIX=a.") if each["kind"] == "Kafka"
    ]
    assert kafka["spec"]["kafka"]["authorization"]["superUsers"] == ["a.cheeper.migrate"]


def test_small_servers_are_those_of_compose(chart):
    """The servers of the small profile have the images of compose, and its commands where these are plain."""
    found = chart.of_kind("small", "StatefulSet")
    assert found.keys() == {"postgres", "redis", "mongo", "kafka"}
    for name, each in found.items():
        [container] = each["spec"]["template"]["spec"]["containers"]
        assert f":-{container['image']}}}" in COMPOSE[name]["image"]
        if name == "mongo":
            assert container["args"] == COMPOSE[name]["command"][-len(container["args"]) :]  # it has no users
