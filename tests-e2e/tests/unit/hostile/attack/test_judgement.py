"""The comparison of service with and without an attack."""

import pytest

from cheeper_e2e.hostile.attack.attacker import Strikes
from cheeper_e2e.hostile.attack.attacks.registry import ATTACKS
from cheeper_e2e.hostile.attack.good_client import Service
from cheeper_e2e.hostile.attack.judgement import FLAT_BYTES, Result, faults
from cheeper_e2e.hostile.attack.watch import Watched

MIB = 2**20


def result(*, without=(0.01,), under=(0.01,), refused=(), begun=10, **watched):
    found = {"before": {"gateway": 100 * MIB}, "most": {"gateway": 100 * MIB}, **watched}
    return Result(
        attack=next(iter(ATTACKS.values())),
        without=Service(seconds=list(without)),
        under=Service(seconds=list(under), refused=list(refused)),
        strikes=[Strikes(begun=begun, statuses={400: begun}, cpu_seconds=0.1)],
        seconds=10,
        watched=Watched(**found),
    )


def test_a_harmless_attack_has_no_fault():
    """A p99 of up to twice the one without, and memory that hardly grows, are what is promised."""
    assert faults(result(under=(0.02,), most={"gateway": 101 * MIB}), judge_speed=True) == []


@pytest.mark.parametrize(
    ("harmed", "sentence"),
    [
        ({"refused": ["503"]}, "1 good requests failed: 503"),
        ({"not_ready": ["write-api: 503"]}, "not ready: write-api: 503"),
        ({"restarted": ["worker was restarted"]}, "worker was restarted"),
        ({"most": {"gateway": 200 * MIB}}, "gateway grew by 100 MiB to 2.00 times its memory"),
        ({"under": [0.021]}, "the p99 is 2.1 times that without the attack"),
    ],
)
def test_each_harm_is_a_fault(harmed, sentence):
    """A refused request, a process that is not ready, restarted or growing, and a slow p99 are named."""
    assert faults(result(**harmed), judge_speed=True) == [sentence]


def test_a_run_that_attacks_nothing_is_a_fault():
    """A broken attacker must not pass for a service that withstands it."""
    assert faults(result(begun=0), judge_speed=True) == ["nothing was attacked"]


def test_speed_is_judged_only_where_it_is_asked_for():
    """On a machine that does other work a ratio says nothing."""
    assert faults(result(under=(1.0,)), judge_speed=False) == []


def test_buffers_may_come_and_go():
    """Memory is not flat only if it grows both by many bytes and by a large part."""
    small = {"before": {"gateway": 10 * MIB}, "most": {"gateway": 10 * MIB + FLAT_BYTES}}
    large = {"before": {"gateway": 1000 * MIB}, "most": {"gateway": 1100 * MIB}}
    assert faults(result(**small), judge_speed=True) == faults(result(**large), judge_speed=True) == []


def test_a_service_that_fails_anyway_is_no_baseline():
    """Refusals without an attack are reported as such."""
    broken = result()
    broken.without.refused.append("curl: 503")
    assert faults(broken, judge_speed=True) == ["1 requests failed without an attack: curl: 503"]
