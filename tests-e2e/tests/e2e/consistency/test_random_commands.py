"""Random commands by concurrent clients leave the views equal to the write model as SQL reads it.

CHEEPER_SEED draws others (every failure names its seed), CHEEPER_COMMANDS sends more.
"""

import asyncio
import os
import random
import time

import pytest

from cheeper_e2e.actions.random_traffic import RandomTraffic
from cheeper_e2e.oracle.comparison import differences, report, wait_until_quiescent
from cheeper_e2e.oracle.write_model import WriteModel

SEED = int(os.environ.get("CHEEPER_SEED", "1"))
COMMANDS = int(os.environ.get("CHEEPER_COMMANDS", "2000"))
CLIENTS = 10
SETTLE_SECONDS = 120
STOP_SECONDS = 10

pytestmark = [pytest.mark.local, pytest.mark.extended]


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
async def test_random_commands_while_processes_are_killed(patient, local_stack):
    """No view differs after the relay, workers, projectors and process managers were killed meanwhile."""
    draw = random.Random(SEED)
    traffic = RandomTraffic(patient, SEED)
    for part in range(6):
        sending = asyncio.create_task(traffic.send(COMMANDS // 6, CLIENTS, part=part))
        for role in draw.sample(["relay", "worker", "projector", "process-manager"], 3):
            await asyncio.to_thread(local_stack.kill, role)
        await sending
    await compare(patient, local_stack, traffic)


@pytest.mark.disturbs
async def test_random_commands_while_processes_are_stopped_and_started(patient, local_stack):
    """No view differs after each role was stopped meanwhile, which takes it less than ten seconds."""
    traffic = RandomTraffic(patient, SEED)
    for part, role in enumerate(["write-api", "worker", "relay", "projector", "process-manager", "read-api"]):
        sending = asyncio.create_task(traffic.send(COMMANDS // 6, CLIENTS, part=part))
        began = time.monotonic()
        await asyncio.to_thread(local_stack.stop_process, role)
        assert time.monotonic() - began < STOP_SECONDS, role
        await asyncio.to_thread(local_stack.start_process, role)
        await sending
    await compare(patient, local_stack, traffic)


@pytest.mark.disturbs
async def test_random_commands_around_a_wiped_broker(patient, local_stack):
    """No view differs after the broker came back empty: the outbox fills it again.

    Commands that were accepted and not yet handled are in the broker alone, so it is wiped between two bursts.
    """
    traffic = RandomTraffic(patient, SEED)
    await traffic.send(COMMANDS // 2, CLIENTS, part=0)
    await traffic.sender.settle(SETTLE_SECONDS)
    await asyncio.to_thread(local_stack.server, "kafka", "wipe")
    await asyncio.to_thread(local_stack.server, "kafka", "start")
    await traffic.send(COMMANDS // 2, CLIENTS, part=1)
    await compare(patient, local_stack, traffic)
