"""Operators act over HTTP, through the gateway."""

import httpx
import pytest

from cheeper_e2e.authors import new_id, sign_up
from cheeper_e2e.hostile.poison import send_poison
from cheeper_local.running import RunningStack
from cheeper_local.waiting import eventually

pytestmark = pytest.mark.local  # docker-compose.yaml leaves operations out

ACCEPTED, OK = 202, 200


class Operator:
    """Sends actions and waits for their outcomes."""

    def __init__(self, client):
        self.client = client

    async def acted(self, key, action):
        """Do an action with that key, sent again while another one runs, and return its entry once it has ended."""

        async def begun():
            body = {"reason": "a test", **action}
            sent = await self.client.post("/operations", json=body, headers={"Idempotency-Key": key})
            assert sent.status_code == ACCEPTED or sent.json()["data"]["code"] == "busy", sent.text
            return sent.status_code == ACCEPTED

        await eventually(begun, what="the beginning")

        async def ended():
            entry = (await self.client.get(f"/operations/{key}")).json()["data"]
            return entry if entry["outcome"] is not None else None

        return await eventually(ended, what=f"the end of {action}")

    async def failed(self, of):
        """The failed messages of a key."""
        found = (await self.client.get("/inspector/failed")).json()["data"]
        return [each for each in found["messages"] if each["key"] == of]


@pytest.fixture
async def operator(url):
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        yield Operator(client)


async def test_what_waits_behind_poison_is_replayed(operator, client, local_stack):
    """Once the poison is dropped, a replay handles the command behind it; the trail has both, with their reasons."""
    bob = await sign_up(client)
    send_poison(local_stack, bob.author_id)
    [poison] = await eventually(lambda: operator.failed(bob.author_id), what="the poison")
    cheep_id = (await client.post_cheep(bob.author_id, "Hello")).data["cheep_id"]

    async def waits():
        return len(await operator.failed(bob.author_id)) == 2

    await eventually(waits, what="the command behind it")
    dropped = await operator.acted(new_id(), {"action": "drop", "id": poison["id"], "reason": "no command at all"})
    assert (dropped["outcome"], dropped["caller"]) == ("succeeded", None), dropped["lines"]
    key = new_id()
    replayed = await operator.acted(key, {"action": "replay", "server": "postgres", "key": bob.author_id})
    assert replayed["outcome"] == "succeeded", replayed["lines"]
    assert await operator.failed(bob.author_id) == []

    async def shown():
        return (await client.cheep(cheep_id)).status == OK

    await eventually(shown, what="the cheep")
    listed = (await operator.client.get("/operations?size=100")).json()["data"]["actions"]
    reasons = {each["action_id"]: each["reason"] for each in listed}
    assert (reasons[dropped["action_id"]], reasons[key]) == ("no command at all", "a test")


@pytest.fixture
async def own_operator():
    """An operator of a stack of the test alone, whose log and write model no other test has changed."""
    with RunningStack.temporary(environment={"INSPECTOR": "on"}) as stack:
        async with httpx.AsyncClient(base_url=stack.gateway, timeout=60) as client:
            yield Operator(client)


@pytest.mark.extended
@pytest.mark.takes(seconds=30)
async def test_a_generation_is_built_compared_shown_and_forgotten(own_operator):
    """A rebuild makes a generation, which is compared and shown, and the one before it is shown again."""
    operator = own_operator
    author = {"author_id": new_id(), "username": "ada", "email": "ada@example.org"}
    assert (await operator.client.post("/author", json=author)).is_success

    async def generations():
        found = (await operator.client.get("/operations/generations")).json()["data"]["generations"]
        return {each["generation"]: each for each in found if each["store"] == "mongo"}

    before = await generations()
    [live] = [number for number, each in before.items() if each["live"]]
    built = await operator.acted(new_id(), {"action": "rebuild", "store": "mongo"})
    assert built["outcome"] == "succeeded", built["lines"]
    [new] = (await generations()).keys() - before.keys()
    for action in ("compare", "switch"):
        entry = await operator.acted(new_id(), {"action": action, "store": "mongo", "generation": new})
        assert entry["outcome"] == "succeeded", entry["lines"]
    assert (await generations())[new]["live"]
    for action in ({"action": "roll-back"}, {"action": "forget", "generation": new}):
        entry = await operator.acted(new_id(), {"store": "mongo", **action})
        assert entry["outcome"] == "succeeded", entry["lines"]
    after = await generations()
    assert after.keys() == before.keys()
    assert after[live]["live"]
