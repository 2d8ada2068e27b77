"""Random commands by concurrent clients leave the views equal to the write model as SQL reads it.

prove/test_chaos.py has them beside kill -9 of every process and around a wiped broker.
CHEEPER_SEED draws others (every failure names its seed), CHEEPER_COMMANDS sends more.
"""

import asyncio
import os
import signal
from functools import partial

import pytest

from cheeper_e2e.actions.random_traffic import RandomTraffic
from cheeper_e2e.oracle.comparison import differences, report, wait_until_quiescent
from cheeper_e2e.oracle.write_model import WriteModel
from cheeper_local.waiting import eventually

SEED = int(os.environ.get("CHEEPER_SEED", "1"))
COMMANDS = int(os.environ.get("CHEEPER_COMMANDS", "2000"))
CLIENTS = 10
SETTLE_SECONDS = 120
STOP_SECONDS = 50
"""Five times what a process takes at most on a machine that does nothing else."""

pytestmark = [pytest.mark.local, pytest.mark.extended, pytest.mark.takes(seconds=35)]


def pids(stack, role):
    """Return the ids of a role's processes."""
    return {each["pid"] for each in stack.processes().values() if each["role"] == role} - {None}


async def compare(client, stack, traffic):
    """Fail with the differences, and all requests about the first author who differs."""
    with WriteModel(stack.environment["DATABASE_URL"]) as model:
        await wait_until_quiescent(client, model, traffic.sender, traffic.author_ids, SETTLE_SECONDS)
        searches = [
            traffic.scene.tag,
            f"{traffic.scene.tag} stras",
            f"chee {traffic.scene.tag[:8]} gruss",
        ]
        found = await differences(client, model, traffic.sender, traffic.author_ids, searches=searches)
    if found:
        pytest.fail(f"seed {SEED}: {report(found, traffic.sender)}")


async def test_random_commands(patient, local_stack):
    """Without disturbance no view differs."""
    traffic = RandomTraffic(patient, SEED)
    await traffic.send(COMMANDS, CLIENTS)
    await compare(patient, local_stack, traffic)


@pytest.mark.disturbs
async def test_random_commands_while_processes_are_stopped_and_started(patient, local_stack):
    """No view differs after each role got a SIGTERM meanwhile, upon which it ends by itself and is started again."""
    traffic = RandomTraffic(patient, SEED)
    for part, role in enumerate(["write-api", "worker", "relay", "projector", "process-manager", "read-api"]):
        sending = asyncio.create_task(traffic.send(COMMANDS // 6, CLIENTS, part=part))
        before = pids(local_stack, role)
        for pid in before:
            os.kill(pid, signal.SIGTERM)
        ended = partial(lambda role, before: not before & pids(local_stack, role), role, before)
        await eventually(ended, STOP_SECONDS, what=f"{role} ends")
        await sending
    await compare(patient, local_stack, traffic)
