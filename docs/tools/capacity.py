"""The model of docs/capacity.md: from measured costs and a stated behaviour to machines, for any number of authors.

docs/tools/capacity.json holds both, with the place at which each figure was measured; docs/tools/generate.py writes the
tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

DATA: Final = Path(__file__).with_name("capacity.json")
DAY: Final = 86_400
GIB: Final = 2**30
TB: Final = 10**12


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number, its unit, and where it was measured or why it was chosen."""

    value: float
    unit: str
    source: str


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published figure of a real system, and its source."""

    system: str
    published: str
    source: str


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data file: what authors do, what that costs, how much one server may have, and real systems."""

    behaviour: dict[str, Figure]
    costs: dict[str, Figure]
    limits: dict[str, Figure]
    systems: dict[str, Published]

    def values(self) -> Mapping[str, float]:
        """Return the number of each figure by its name, which is unique."""
        found = [
            (name, each.value) for part in (self.behaviour, self.costs, self.limits) for name, each in part.items()
        ]
        if len({name for name, _ in found}) < len(found):
            raise ValueError("capacity.json has a name twice")
        return dict(found)


def data() -> Data:
    """Return the content of the data file."""
    return msgspec.json.decode(DATA.read_bytes(), type=Data)


class Followers(msgspec.Struct, frozen=True):
    """The distribution of followers: the author of rank n has followers in proportion to n to the power of -`slope`.

    An author with f followers posts in proportion to f to the power of `activity`. All authors together have `authors`
    times `follows` followers.
    """

    authors: float
    follows: float
    slope: float
    activity: float

    def of_rank(self, rank: float) -> float:
        """Return the followers of the author of this rank, from 1."""
        return self.authors * self.follows / _power_sum(self.authors, self.slope) * math.pow(rank, -self.slope)

    def per_post(self) -> float:
        """Return the mean number of followers to whom a post is delivered."""
        weighted = _power_sum(self.authors, self.slope * (1 + self.activity))
        return self.of_rank(1) * weighted / _power_sum(self.authors, self.slope * self.activity)

    def above(self, followers: float) -> float:
        """Return the number of authors who have more followers than this."""
        return min(self.authors, math.pow(self.of_rank(1) / followers, 1 / self.slope))

    def share_above(self, followers: float) -> float:
        """Return the share of all deliveries that is of posts of authors with more followers than this."""
        power = self.slope * (1 + self.activity)
        return _power_sum(self.above(followers), power) / _power_sum(self.authors, power)


def _power_sum(last: float, power: float) -> float:
    """Return the sum of n to the power of -`power` for n from 1 to `last`, by Euler and Maclaurin."""
    head = sum(math.pow(n, -power) for n in range(1, 10))
    left = 1 - power
    body = (
        math.log(last / 10)
        if math.isclose(left, 0, abs_tol=1e-9)
        else (math.pow(last, left) - math.pow(10, left)) / left
    )
    ends = math.pow(10, -power) + math.pow(last, -power)
    return head + body + ends / 2 + power * math.pow(10, -power - 1) / 12


class Demand(msgspec.Struct, frozen=True):
    """The demand of a number of authors: rates a second at the peak, cores that are busy, bytes that are kept."""

    authors: float
    followers: Followers
    rates: Mapping[str, float]
    cores: Mapping[str, float]
    disk: Mapping[str, float]
    memory: float
    network: Mapping[str, float]


def demand(authors: float, v: Mapping[str, float]) -> Demand:
    """Return the demand of so many authors with the figures `v` by name."""
    followers = Followers(authors, v["follows"], v["slope"], v["activity"])
    peak = {
        name: authors * v[f"{name}_a_day"] / DAY * v["peak"] for name in ("posts", "new_follows", "pages", "queries")
    }
    commands = peak["posts"] + peak["new_follows"] * v["commands_of_a_follow"]
    deliveries = peak["posts"] * followers.per_post()
    writes = peak["posts"] + peak["new_follows"]
    microseconds = {
        "gateway": (peak["pages"] + peak["queries"]) * v["gateway_query"] + writes * v["gateway_command"],
        "write-api http": writes * v["http_command"],
        "worker": commands * v["worker_command"],
        "relay": commands * v["relay_event"],
        "process-manager": peak["new_follows"] * v["process_manager_follow"],
        "projector": commands * v["projector_event"] + deliveries * v["projector_delivery"],
        "read-api": peak["pages"] * v["read_api_page"] + peak["queries"] * v["read_api_query"],
        "PostgreSQL": commands * v["postgresql_command"],
        "Kafka": 2 * commands * v["kafka_message"],
        "Redis": commands * v["redis_event"] + deliveries * v["redis_delivery"] + peak["pages"] * v["redis_page"],
        "MongoDB": commands * v["mongodb_event"] + peak["queries"] * v["mongodb_query"],
    }
    kept = authors * v["posts_a_day"] * v["days"]
    a_day = v["posts_a_day"] + v["new_follows_a_day"] * v["commands_of_a_follow"]
    week = authors * a_day * v["record_days"]
    edges = authors * v["follows"]

    def stored(where: str, posts: float = kept) -> float:
        return authors * v[f"{where}_author"] + edges * v[f"{where}_follow"] + posts * v[f"{where}_post"]

    received = followers.per_post() * v["posts_a_day"] * v["days"]
    lists = authors * min(v["list_entries"], received) * v["entry"]
    return Demand(
        authors=authors,
        followers=followers,
        rates=peak | {"commands": commands, "deliveries": deliveries},
        cores={name: each / 1e6 for name, each in microseconds.items()},
        disk={
            "PostgreSQL": stored("postgresql"),
            "MongoDB": stored("mongodb") + week * v["mongodb_record"],
            "Kafka": stored("kafka"),
        },
        memory=lists + stored("redis") + week * v["redis_record"],
        network={
            "to clients": peak["pages"] * v["page_bytes"] + peak["queries"] * v["query_bytes"],
            "into Kafka, with replicas": v["replicas"] * commands * v["kafka_message_bytes"],
        },
    )


class Machines(msgspec.Struct, frozen=True):
    """The number of each that is needed, with the room that `utilisation` leaves."""

    processes: Mapping[str, int]
    partitions: int
    redis_shards: int
    write_databases: int
    mongodb_shards: int
    brokers: int


def machines(of: Demand, v: Mapping[str, float]) -> Machines:
    """Return what serves the demand. A process of ours fills one core at most, and so does a shard of Redis."""
    busy, server = v["utilisation"], v["server_cores"] * v["utilisation"]
    roles = ("gateway", "write-api http", "worker", "process-manager", "projector", "read-api")
    processes = {role: max(2, math.ceil(of.cores[role] / busy)) for role in roles}
    members = max(
        of.rates["deliveries"] / v["deliveries_of_a_partition"] / busy,
        *(processes[role] for role in ("worker", "process-manager", "projector")),
    )
    databases = max(
        of.disk["PostgreSQL"] / (v["server_disk"] * TB), of.cores["PostgreSQL"] / server, of.cores["relay"] / busy
    )
    return Machines(
        processes=processes | {"relay": 2 * math.ceil(databases)},
        partitions=max(8, 2 ** math.ceil(math.log2(members))),
        redis_shards=math.ceil(max(of.memory / (v["shard_memory"] * GIB), of.cores["Redis"] / busy)),
        write_databases=math.ceil(databases),
        mongodb_shards=math.ceil(max(of.disk["MongoDB"] / (v["server_disk"] * TB), of.cores["MongoDB"] / server)),
        brokers=max(
            3,
            math.ceil(v["replicas"] * of.disk["Kafka"] / (v["server_disk"] * TB)),
            math.ceil(v["replicas"] * of.cores["Kafka"] / server),
        ),
    )


Share = Callable[[Demand, Mapping[str, float]], float]
LIMITS: Final[Mapping[str, Share]] = {
    "one Redis: its memory": lambda of, v: of.memory / (v["shard_memory"] * GIB),
    "one Redis: its core": lambda of, v: of.cores["Redis"] / v["utilisation"],
    "eight partitions: a projector each": lambda of, v: of.cores["projector"] / v["utilisation"] / v["partitions"],
    "eight partitions: a worker each": lambda of, v: of.cores["worker"] / v["utilisation"] / v["partitions"],
    "eight partitions: the deliveries of each": lambda of, v: (
        of.rates["deliveries"] / v["deliveries_of_a_partition"] / v["utilisation"] / v["partitions"]
    ),
    "one PostgreSQL: its disk after a year": lambda of, v: of.disk["PostgreSQL"] / (v["server_disk"] * TB),
    "one PostgreSQL: its cores": lambda of, v: of.cores["PostgreSQL"] / (v["server_cores"] * v["utilisation"]),
    "one relay: its core": lambda of, v: of.cores["relay"] / v["utilisation"],
    "one MongoDB: its disk after a year": lambda of, v: of.disk["MongoDB"] / (v["server_disk"] * TB),
    "one MongoDB: its cores": lambda of, v: of.cores["MongoDB"] / (v["server_cores"] * v["utilisation"]),
    "one Kafka broker's disk after a year": lambda of, v: of.disk["Kafka"] / (v["server_disk"] * TB),
    "the most followed author's post: a minute": lambda of, v: (
        of.followers.of_rank(1) / v["deliveries_of_a_partition"] / 60
    ),
}
"""The share that a demand takes of each part of which there is one today; from 1 on the part is too small."""


def first_authors(share: Share, v: Mapping[str, float]) -> float:
    """Return the number of authors at which the share is 1, to a thousandth."""
    low, high = 100.0, 1e12
    while high / low > 1.001:  # noqa: PLR2004 - as the docstring says
        middle = math.sqrt(low * high)
        low, high = (low, middle) if share(demand(middle, v), v) >= 1 else (middle, high)
    return high
