"""Random commands by concurrent clients leave the views equal to what SQL says of the write model.

CHEEPER_SEED draws others (every failure names its seed), CHEEPER_COMMANDS sends more.
"""

import asyncio
import os
import random
import time

import pytest

from cheeper_e2e.oracle.comparison import come_to_rest, differences, report
from cheeper_e2e.oracle.write_model import WriteModel
from cheeper_e2e.random_commands import Storm

SEED = int(os.environ.get("CHEEPER_SEED", "1"))
COMMANDS = int(os.environ.get("CHEEPER_COMMANDS", "2000"))
CLIENTS = 10
SETTLE_SECONDS = 120
STOP_SECONDS = 10

pytestmark = [pytest.mark.local, pytest.mark.timeout(600)]


async def compare(client, stack, storm):
    """Fail with the differences, and all requests about the first author who differs."""
    with WriteModel(stack.environment["DATABASE_URL"]) as model:
        await come_to_rest(client, model, storm.sender, storm.author_ids, SETTLE_SECONDS)
        searches = [storm.scene.tag, f"{storm.scene.tag} stras", f"chee {storm.scene.tag[:8]} gruss"]
        found = await differences(client, model, storm.sender, storm.author_ids, searches=searches)
    if found:
        pytest.fail(f"seed {SEED}: {report(found, storm.sender)}")


async def test_random_commands(patient, local_stack):
    """Without disturbance no view differs."""
    storm = Storm(patient, SEED)
    await storm.rage(COMMANDS, CLIENTS)
    await compare(patient, local_stack, storm)


async def test_random_commands_while_processes_are_killed(patient, local_stack):
    """Nor do they where relay, worker, projector and process managers are killed meanwhile."""
    draw = random.Random(SEED)
    storm = Storm(patient, SEED)
    for part in range(6):
        raging = asyncio.create_task(storm.rage(COMMANDS // 6, CLIENTS, part=part))
        for role in draw.sample(["relay", "worker", "projector", "process-manager"], 3):
            await asyncio.to_thread(local_stack.kill, role)
        await raging
    await compare(patient, local_stack, storm)


async def test_random_commands_while_processes_are_stopped_and_started(patient, local_stack):
    """Nor do they where every role is told to end meanwhile, which each does within ten seconds."""
    storm = Storm(patient, SEED)
    for part, role in enumerate(["write-api", "worker", "relay", "projector", "process-manager", "read-api"]):
        raging = asyncio.create_task(storm.rage(COMMANDS // 6, CLIENTS, part=part))
        began = time.monotonic()
        await asyncio.to_thread(local_stack.stop_process, role)
        assert time.monotonic() - began < STOP_SECONDS, role
        await asyncio.to_thread(local_stack.start_process, role)
        await raging
    await compare(patient, local_stack, storm)


async def test_random_commands_around_a_wiped_broker(patient, local_stack):
    """Nor do they after the broker was wiped and came back empty: the outbox fills it again.

    Commands that were accepted and not yet handled are in the broker alone, so it is wiped between two storms.
    """
    storm = Storm(patient, SEED)
    await storm.rage(COMMANDS // 2, CLIENTS, part=0)
    await storm.sender.settle(SETTLE_SECONDS)
    await asyncio.to_thread(local_stack.server, "kafka", "wipe")
    await asyncio.to_thread(local_stack.server, "kafka", "start")
    await storm.rage(COMMANDS // 2, CLIENTS, part=1)
    await compare(patient, local_stack, storm)
