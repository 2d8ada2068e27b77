"""All views equal the write model after any kill, freeze, outage or return to older data.

CHEEPER_SEED draws other disturbances and commands, CHEEPER_KILLS more of them; `make chaos` does so with long outages.
"""

import os

import pytest

from cheeper_e2e.faults.chaos.__main__ import main

pytestmark = [
    pytest.mark.proves(guarantee="exactly-once"),
    pytest.mark.proves(guarantee="transient-faults"),
    pytest.mark.extended,
    pytest.mark.takes(seconds=260),
]

SEED = os.environ.get("CHEEPER_SEED", "1")
KILLS = os.environ.get("CHEEPER_KILLS", "30")
OUTAGE_SECONDS = "5"


@pytest.mark.timeout(1200)
def test_chaos(capfd):
    """Kill -9 of every role and server, rebalances, frozen projectors, stores that lose data or go back to older data,
    a wiped Kafka: every view equals the write model, and the audit finds no difference.
    """
    code = main(["--seed", SEED, "--kills", KILLS, "--outage", OUTAGE_SECONDS])
    printed = capfd.readouterr().out
    assert code == 0, printed
    assert f"{KILLS} kills" in printed
