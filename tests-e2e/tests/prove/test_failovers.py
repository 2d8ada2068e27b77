"""A replica of each server takes over under the load of a whole stack."""

import asyncio
import os
import sys

import pytest

from cheeper_e2e.faults.failovers.run import Failovers
from cheeper_e2e.faults.failovers.stack import ReplicatedStack

pytestmark = [
    pytest.mark.proves(guarantee="failovers"),
    pytest.mark.extended,
    pytest.mark.takes(seconds=150),
    pytest.mark.skipif(os.environ.get("BROKER") == "tansu", reason="Tansu has no replicas"),
]


@pytest.mark.timeout(1200)
def test_every_view_equals_the_write_model_after_a_failover_of_each_server(tmp_path, capsys):
    """Kill and freeze the primaries of MongoDB and the leaders of Kafka, promote a Redis that lacks the last second and
    a PostgreSQL: every view equals the write model, the audit finds no difference, and no process was restarted.
    """
    tmp_path.chmod(0o755)  # PostgreSQL runs as another user if the tests run as root
    lines = []
    with ReplicatedStack(tmp_path) as stack:
        problems = asyncio.run(Failovers(stack, seed=1, rate=40, patience=300, say=lines.append).problems())
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert problems == []
