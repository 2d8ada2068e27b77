"""The good client, with a service that is a function."""

import httpx
import pytest

from cheeper_e2e.authors import new_author, new_id
from cheeper_e2e.hostile.attack.good_client import PER_SECOND, REQUESTS, Service, use
from cheeper_e2e.hostile.attack.scene import Scene
from cheeper_e2e.http.client import Reply, UnavailableError


@pytest.fixture
def scene():
    alice, bob, mallory, prolific = (new_author() for _ in range(4))
    return Scene(
        alice=alice,
        bob=bob,
        cheep=new_id(),
        word="w1",
        mallory=mallory,
        deep_cursors=("c",),
        prolific=prolific,
        oldest=(new_id(),),
        discussed=new_id(),
    )


class FakeClient:
    """Respond to every request of the API with the next status."""

    def __init__(self, *statuses, meta=None):
        self._statuses = list(statuses)
        self._meta = meta or {}

    def __getattr__(self, name):
        async def reply(*_, **__):
            status = self._statuses.pop(0) if self._statuses else 200
            if isinstance(status, Exception):
                raise status
            return Reply(status=status, headers=httpx.Headers(), raw=b"", curl=f"curl {name}", data={}, meta=self._meta)

        return reply


async def served(scene, *statuses, **rest):
    service = Service()
    await use(FakeClient(*statuses, **rest), scene, 4 / PER_SECOND, service)
    return service


async def test_successes_are_timed(scene):
    """Each request has its seconds, and a success is no complaint."""
    service = await served(scene, 200, 201, 202)
    assert len(service.seconds) == 4
    assert service.refused == []


@pytest.mark.parametrize("status", [404, 429, 500, 503])
async def test_any_other_status_is_a_refusal(scene, status):
    """A good request must succeed: no error is expected."""
    service = await served(scene, 200, status)
    assert len(service.refused) == 1
    assert str(status) in service.complaint()


@pytest.mark.parametrize("error", [httpx.ReadError("reset"), UnavailableError("curl"), ValueError("no JSON")])
async def test_a_broken_connection_is_a_refusal(scene, error):
    """A request without a response is counted, and the others go on."""
    service = await served(scene, error)
    assert len(service.refused) == 1
    assert len(service.seconds) == 3


async def test_a_stale_response_is_a_refusal(scene):
    """A view that does not keep up is as good as none."""
    service = await served(scene, meta={"stale": True})
    assert len(service.refused) == 4


def test_the_p99_is_that_of_all_requests():
    """One of a hundred may be slower."""
    assert Service().p99() == 0
    assert Service(seconds=[0.1] * 100 + [1.0]).p99() == 0.1
    assert Service(seconds=[0.1] * 98 + [1.0] * 2).p99() == 1.0


def test_commands_and_queries_of_both_stores_are_sent():
    """Each kind of request has a name of its own, which a complaint shows."""
    assert len({each.__name__ for each in REQUESTS}) == len(REQUESTS) >= 8
