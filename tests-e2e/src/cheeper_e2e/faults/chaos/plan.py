"""The disturbances of a run, drawn from a seed: rounds of every kind of disturbance, kills among them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

REPLICAS: Final = 2
ROLES: Final = ("projector", "relay", "worker", "process-manager", "write-api", "read-api")
SERVERS: Final = ("postgres", "kafka", "redis", "mongo")
KILLS_A_ROUND: Final = 30
_SHARING: Final = ("projector", "worker")  # whose replicas share partitions
_LARGEST_LOSS: Final = 200_000
_FEWEST_KILLS: Final = len(SERVERS)


class Disturbance(msgspec.Struct, frozen=True, kw_only=True):
    """Something done to a process or server; `meanwhile` is a process that is killed while it lasts.

    `seconds` is how long a server stays stopped, `lost` how many bytes of its newest data one loses.
    """

    kind: str
    target: str
    meanwhile: str | None = None
    seconds: float = 0
    lost: int = 0

    @property
    def kills(self) -> int:
        """Return its number of kill -9."""
        return (self.kind in ("kill", "kill server", "lose")) + (self.meanwhile is not None)

    def __str__(self) -> str:
        what = {
            "kill": f"kill -9 {self.target}",
            "kill server": f"kill -9 {self.target}",
            "outage": f"stop {self.target} for {self.seconds:g} s",
            "freeze": f"freeze {self.target} until another one has its partitions",
            "remove": f"remove {self.target} and add it again",
            "lose": f"kill -9 {self.target}, whose last {self.lost:,} bytes are lost",
            "restore": f"put {self.target} back to an older copy of its data",
            "flush": f"flush {self.target}",
            "wipe": f"wipe {self.target}, with nothing accepted and unhandled",
        }[self.kind]
        return f"{what}, kill -9 {self.meanwhile} meanwhile" if self.meanwhile else what


def rounds(seed: int, kills: int | None, *, outage: float, durable: bool = True) -> Iterator[Disturbance]:
    """All that is done, in its order, with so many kills; without end where there is no number.

    A server that is stopped stays so for `outage` seconds. A broker that is not `durable` is wiped only.
    """
    number = 0
    while kills is None or kills > 0:
        now = KILLS_A_ROUND if kills is None or kills >= KILLS_A_ROUND + _FEWEST_KILLS else kills
        draw = random.Random(f"{seed} round {number}")  # noqa: S311 - a draw that can be repeated
        dealt = _round(draw, now, outage=outage, durable=durable)
        yield from dealt
        if kills is not None:
            kills -= sum(disturbance.kills for disturbance in dealt)
        number += 1


def _round(draw: random.Random, kills: int, *, outage: float, durable: bool) -> list[Disturbance]:
    """One of each kind, and as many kills, those that come with others among them."""
    servers = [server for server in SERVERS if durable or server != "kafka"]
    lasting = [
        *(Disturbance(kind="outage", target=server, seconds=outage) for server in servers),
        *(Disturbance(kind=kind, target=_one_of(draw, role)) for kind in ("freeze", "remove") for role in _SHARING),
        *(Disturbance(kind="restore", target=store) for store in ("redis", "mongo")),
    ]
    others = [
        Disturbance(kind="lose", target="redis", lost=draw.randint(1, _LARGEST_LOSS)),
        Disturbance(kind="flush", target="redis"),
        Disturbance(kind="wipe", target="kafka"),
        *(Disturbance(kind="kill server", target=server) for server in servers[: max(0, kills - 1)]),
    ]
    left = max(0, kills - sum(each.kills for each in others))
    roles = [ROLES[number % len(ROLES)] for number in range(left)]
    draw.shuffle(roles)
    draw.shuffle(lasting)
    found = others
    for each in lasting:
        role = next((role for role in roles if not each.target.startswith(role)), None)
        if role is not None:
            roles.remove(role)
        found.append(msgspec.structs.replace(each, meanwhile=role and _one_of(draw, role)))
    found += [Disturbance(kind="kill", target=_one_of(draw, role)) for role in roles]
    draw.shuffle(found)
    return found


def _one_of(draw: random.Random, role: str) -> str:
    return f"{role}-{draw.randint(1, REPLICAS)}"


def story(done: Sequence[tuple[float, Disturbance]]) -> str:
    """A line each, with the seconds after the start."""
    return "\n".join(f"{seconds:7.1f} s  {disturbance}" for seconds, disturbance in done)
