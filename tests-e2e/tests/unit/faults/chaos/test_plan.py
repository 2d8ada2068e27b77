"""The plan of chaos: so many kills, each kind in every round, the same for the same seed."""

from itertools import islice

import pytest

from cheeper_e2e.faults.chaos.plan import KILLS_A_ROUND, ROLES, SERVERS, Disturbance, rounds

KINDS = {"kill", "kill server", "outage", "freeze", "remove", "lose", "restore", "flush", "wipe"}


def drawn(seed, kills, **options):
    return list(rounds(seed, kills, outage=5, **options))


@pytest.mark.parametrize("kills", [1, 2, 5, 14, 29, 30, 31, 33, 34, 61, 100])
def test_there_are_just_so_many_kills(kills):
    """However many are asked for, those that come with other disturbances among them."""
    assert sum(disturbance.kills for disturbance in drawn(3, kills)) == kills


@pytest.mark.parametrize("seed", range(20))
def test_a_round_has_every_kind_and_kills_every_role_and_server(seed):
    """A run in CI leaves nothing out, whichever seed it has."""
    found = drawn(seed, KILLS_A_ROUND)
    assert {disturbance.kind for disturbance in found} == KINDS
    killed = {disturbance.target for disturbance in found if disturbance.kind in ("kill", "kill server")}
    killed |= {disturbance.meanwhile for disturbance in found if disturbance.meanwhile}
    assert {name.rsplit("-", 1)[0] if name not in SERVERS else name for name in killed} == {*ROLES, *SERVERS}


def test_a_seed_draws_the_same_again_and_another_one_something_else():
    """A failure's line is enough to repeat it."""
    assert drawn(1, 60) == drawn(1, 60) != drawn(2, 60)


def test_nothing_is_killed_while_it_is_frozen_or_removed():
    """A process that is killed while a replica is frozen is of another role."""
    for disturbance in islice(rounds(5, None, outage=5), 500):
        role = disturbance.target.rsplit("-", 1)[0]
        assert disturbance.meanwhile is None or not disturbance.meanwhile.startswith(role)


def test_a_broker_that_keeps_nothing_is_only_wiped():
    """Commands that it has accepted would go with it."""
    found = drawn(1, 60, durable=False)
    assert {disturbance.kind for disturbance in found if disturbance.target == "kafka"} == {"wipe"}
    assert sum(disturbance.kills for disturbance in found) == 60


def test_a_disturbance_is_a_line_for_people():
    """With what is killed meanwhile."""
    lost = Disturbance(kind="lose", target="redis", lost=1234)
    assert str(lost) == "kill -9 redis, whose last 1,234 bytes are lost"
    outage = Disturbance(kind="outage", target="mongo", seconds=5, meanwhile="relay-1")
    assert str(outage) == "stop mongo for 5 s, kill -9 relay-1 meanwhile"
