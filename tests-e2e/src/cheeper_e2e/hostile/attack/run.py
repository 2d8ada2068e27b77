"""An attack on a stack: windows without and with it in turns, the good client in all of them."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

import msgspec

from cheeper_e2e.hostile.attack.attacker import Attacker
from cheeper_e2e.hostile.attack.attacks.base import Attack, Victim
from cheeper_e2e.hostile.attack.good_client import CONNECTIONS, Service, use
from cheeper_e2e.hostile.attack.judgement import Result
from cheeper_e2e.hostile.attack.scene import Scale, Scene
from cheeper_e2e.hostile.attack.watch import Watch
from cheeper_e2e.http.client import Client
from cheeper_local.running import RunningStack


class Windows(msgspec.Struct, frozen=True, kw_only=True):
    """The seconds of a window, the pairs of windows, and the seconds after each attack before the next window."""

    seconds: float
    pairs: int
    rest: float


LONG: Final = Windows(seconds=6, pairs=4, rest=3)
BRIEF: Final = Windows(seconds=1.5, pairs=1, rest=0.3)


async def carry_out(stack: RunningStack, attack: Attack, scene: Scene, scale: Scale, windows: Windows) -> Result:
    """Attack a stack, and return how the good client and the processes took it."""
    gateway = urlsplit(stack.gateway)
    victim = Victim(str(gateway.hostname), int(gateway.port or 0), scene, scale)
    without, under, strikes = Service(), Service(), []
    async with Client(stack.gateway, connections=CONNECTIONS) as client, Attacker(victim) as attacker:
        await use(
            client, scene, windows.seconds, Service()
        )  # connections and caches are made before anything is measured
        async with Watch(stack) as watch:
            for _ in range(windows.pairs):
                await use(client, scene, windows.seconds, without)
                await attacker.begin(attack)
                await use(client, scene, windows.seconds, under)
                strikes.append(await attacker.stop())
                await asyncio.sleep(windows.rest)
    seconds = windows.pairs * windows.seconds
    return Result(attack=attack, without=without, under=under, strikes=strikes, seconds=seconds, watched=watch.found)
