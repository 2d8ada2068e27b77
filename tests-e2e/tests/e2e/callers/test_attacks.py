"""Each attack in its short form: a small scene, and a moment without and with the attack.

Speed is `make attack`'s to judge, on a machine that does nothing else. A machine that stalls for seconds makes
processes unready without any attack, so an attack that seems to do harm is repeated: a caller that can do harm can do
it each time.
"""

import asyncio

import pytest

from cheeper_e2e.hostile.attack.attacks.registry import ATTACKS
from cheeper_e2e.hostile.attack.judgement import faults
from cheeper_e2e.hostile.attack.run import BRIEF, carry_out
from cheeper_e2e.hostile.attack.scene import SHORT, seed
from cheeper_e2e.http.client import Client

pytestmark = [
    pytest.mark.local,
    pytest.mark.disturbs,
    pytest.mark.extended,
    pytest.mark.proves(guarantee="callers"),
    pytest.mark.takes(seconds=5),
]


ATTEMPTS = 3


@pytest.fixture(scope="module")
def scene(local_stack):
    """The scene of all attacks, on the shared stack."""

    async def made():
        async with Client(local_stack.gateway, patience=60) as client:
            return await seed(client, SHORT)

    return asyncio.run(made())


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_denies_the_service_to_no_client(local_stack, scene, name):
    """While a caller does its worst, every good request succeeds, and each process stays ready, flat and alive."""
    harm = []
    for _ in range(ATTEMPTS):
        found = faults(asyncio.run(carry_out(local_stack, ATTACKS[name], scene, SHORT, BRIEF)), judge_speed=False)
        if not found:
            return
        harm.append(found)
    pytest.fail(f"each of {ATTEMPTS} attacks did harm: {harm}")
