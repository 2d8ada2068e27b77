"""Each attack, against a port that keeps what it gets."""

import asyncio
import gc
import re

import msgspec
import pytest

from cheeper_e2e.authors import new_author, new_id
from cheeper_e2e.hostile.attack.attacker import Attacker, Window
from cheeper_e2e.hostile.attack.attacks.base import Attack, Victim
from cheeper_e2e.hostile.attack.attacks.registry import ATTACKS
from cheeper_e2e.hostile.attack.scene import SHORT, Scene
from cheeper_local.waiting import HANG_SECONDS, eventually

RESPONSE = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
STRIKES = 6
A_MOMENT = 0.05


@pytest.fixture
def scene():
    authors = {name: new_author() for name in ("alice", "bob", "mallory", "prolific")}
    return Scene(
        cheep=new_id(),
        word="w1",
        deep_cursors=("c1", "c2"),
        oldest=(new_id(), new_id()),
        discussed=new_id(),
        **authors,
    )


@pytest.fixture
async def port(scene):
    """A victim that responds to whatever it gets, or to nothing after a moment, and closes."""
    received = []

    async def connected(reader, writer):
        try:
            async with asyncio.timeout(A_MOMENT):
                received.append(await reader.read(1 << 20))
            writer.write(RESPONSE)
            await writer.drain()
        except (ConnectionError, TimeoutError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with listening:
        yield Victim("127.0.0.1", listening.sockets[0].getsockname()[1], scene, SHORT), received


async def struck_once(attack, victim, number):
    """The status, or 0 if the victim resets the connection while more is sent."""
    try:
        return await attack.strike(victim, number)
    except ConnectionError:
        return 0


@pytest.mark.parametrize("name", ATTACKS)
async def test_each_attack_sends_requests_and_ends(port, name):
    """A strike sends a request line of the API and returns a status or nothing, in bounded time."""
    victim, received = port
    async with asyncio.timeout(HANG_SECONDS):
        statuses = [await struck_once(ATTACKS[name], victim, number) for number in range(1, STRIKES)]
    assert set(statuses) <= {0, 400}
    await eventually(lambda: received)
    assert all(re.match(rb"(GET|POST|PUT|PATCH|DELETE) /\S+ HTTP/1.1\r\n|$", each) for each in received)


def test_each_kind_of_attack_is_in_the_list():
    """The list has an attack for each way in which callers could deny the service to others."""
    assert set(ATTACKS) >= {
        "marks-in-commands",
        "marks-in-queries",
        "bad-chunks",
        "half-closed-bodies",
        "trickle",
        "idle-connections",
        "searches",
        "abandoned-searches",
        "deep-pages",
        "discussed-cheep",
        "waits",
        "sign-ups",
        "repeated-sign-ups",
        "refused-commands",
        "deletes",
        "follow-loop",
    }


async def struck(scene, *, clients, strike):
    """A window over an attack that is a function."""
    attack = Attack(name="test", does="", strike=strike, per_second=1000, clients=clients)
    return Window(attack, Victim("127.0.0.1", 9, scene, SHORT), 5)


async def test_a_window_strikes_until_it_is_stopped(scene):
    """Strikes are numbered on from the last window, and counted by status; a failed connection counts as none."""
    numbers = []

    async def strike(_, number):
        numbers.append(number)
        if number % 2:
            raise ConnectionRefusedError
        return 400

    window = await struck(scene, clients=1, strike=strike)
    await eventually(lambda: len(numbers) >= 4)
    strikes = await window.stop()
    assert numbers[:4] == [5, 6, 7, 8]
    assert strikes.begun == len(numbers)
    assert set(strikes.statuses) == {0, 400}
    assert msgspec.json.decode(msgspec.json.encode(strikes), type=type(strikes)) == strikes


async def test_a_window_has_no_more_clients_than_it_may(scene):
    """Strikes that do not end hold the others up, and are abandoned at the end."""
    begun, ended = [], []

    async def strike(_, number):
        begun.append(number)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    window = await struck(scene, clients=3, strike=strike)
    await eventually(lambda: len(begun) == 3)
    for _ in range(5):
        await asyncio.sleep(0)
    strikes = await window.stop()
    assert strikes.begun == len(begun) == len(ended) == 3


def test_the_process_carries_out_one_attack_after_the_other(scene):
    """Each has its own count, and the process ends with the block, also in the midst of an attack."""

    async def attack_twice():
        listening = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with listening:
            victim = Victim("127.0.0.1", listening.sockets[0].getsockname()[1], scene, SHORT)
            async with Attacker(victim) as attacker:
                found = []
                for name in ("bad-chunks", "trickle"):
                    await attacker.begin(ATTACKS[name])
                    found.append(await attacker.stop())
                await attacker.begin(ATTACKS["waits"])
            return found

    strikes = asyncio.run(attack_twice())
    gc.collect()  # a pipe that was left open would be reported here
    assert all(each.begun for each in strikes)
