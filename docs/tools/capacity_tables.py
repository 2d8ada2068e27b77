"""The tables of docs/capacity.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from capacity import GIB, LIMITS, TB, Figure, Machines, data, demand, first_authors, machines

SCALES: Final = (1e6, 1e8, 1e9)
HEAVY: Final = 100_000
MEGABIT: Final = 1e6 / 8
COUNTS: Final[Mapping[str, Callable[[Machines], int]]] = {
    "partitions of each topic": lambda found: found.partitions,
    "shards of Redis": lambda found: found.redis_shards,
    "write databases": lambda found: found.write_databases,
    "shards of MongoDB, three members each": lambda found: found.mongodb_shards,
    "brokers of Kafka": lambda found: found.brokers,
}
RATES: Final = {
    "posts/s at the peak": "posts",
    "deliveries/s at the peak": "deliveries",
    "timeline pages/s at the peak": "pages",
    "other queries/s at the peak": "queries",
    "commands/s at the peak, those of process managers too": "commands",
}
SERVERS: Final = ("PostgreSQL", "Kafka", "Redis", "MongoDB")


def behaviour() -> str:
    """The table of what authors are supposed to do."""
    return _figures("behaviour", data().behaviour)


def costs() -> str:
    """The table of what that costs, with the place of each measurement."""
    return _figures("cost", data().costs)


def limits() -> str:
    """The table of what one server or process may have."""
    return _figures("limit", data().limits)


def needs() -> str:
    """The table of rates, processes, cores, memory, disk, partitions, shards and network by number of authors."""
    v = data().values()
    demands = [demand(authors, v) for authors in SCALES]
    found = [machines(of, v) for of in demands]
    rows: dict[str, list[float]] = {name: [of.rates[key] for of in demands] for name, key in RATES.items()}
    rows["deliveries of a post"] = [of.followers.per_post() for of in demands]
    rows["followers of the most followed author"] = [of.followers.of_rank(1) for of in demands]
    rows["authors above 100,000 followers"] = [of.followers.above(HEAVY) for of in demands]
    rows["… their share of all deliveries, %"] = [100 * of.followers.share_above(HEAVY) for of in demands]
    rows |= {f"processes: {role}": [each.processes[role] for each in found] for role in found[0].processes}
    rows |= {f"busy cores: {server}": [of.cores[server] for of in demands] for server in SERVERS}
    rows["busy cores in all"] = [sum(of.cores.values()) for of in demands]
    rows["memory of Redis, GiB"] = [of.memory / GIB for of in demands]
    rows |= {f"disk of {store} after a year, TB": [of.disk[store] / TB for of in demands] for store in demands[0].disk}
    rows |= {name: [count(each) for each in found] for name, count in COUNTS.items()}
    rows |= {f"network {name}, Mbit/s": [of.network[name] / MEGABIT for of in demands] for name in demands[0].network}
    head = ["", *(f"{_number(authors)} authors" for authors in SCALES)]
    return _table(head, [[name, *map(_number, values)] for name, values in rows.items()])


def breaks() -> str:
    """The table of what breaks first: the number of authors at which each part that there is one of is full."""
    v = data().values()
    found = sorted((first_authors(share, v), name) for name, share in LIMITS.items())
    return _table(["authors", "what is full"], [[_number(authors), name] for authors, name in found])


def systems() -> str:
    """The table of published figures of real systems, beside the model's."""
    v = data().values()
    smaller, larger = (demand(authors, v) for authors in SCALES[1:])
    shards = _number(machines(larger, v).redis_shards)
    at = {name: _number(each) for name, each in larger.rates.items()}
    at_smaller = {name: _number(each) for name, each in smaller.rates.items()}
    model = {
        "rates": f"1 B authors at the peak: {at['posts']} posts/s and {at['pages']} pages/s",
        "follows": f"{v['follows']:g} each, of accounts that are used",
        "memory": f"1 B authors: {shards} shards with {_number(larger.memory / TB)} TB",
        "deliveries": f"1 B authors at the peak: {at['deliveries']} deliveries/s",
        "rama": f"100 M authors at the peak: {at_smaller['posts']} posts/s to {_number(smaller.followers.per_post())} "
        f"each, {at_smaller['deliveries']} deliveries/s",
        "heavy": f"{_number(2e6 / v['deliveries_of_a_partition'])} s for 2 M followers, and nothing is lost",
    }
    rows = [[each.system, each.published, model[name], each.source] for name, each in data().systems.items()]
    return _table(["system", "published", "the model", "source"], rows)


def write_databases() -> str:
    """The arithmetic of several write databases, by number of authors."""
    v = data().values()
    rows = []
    for authors in SCALES:
        of = demand(authors, v)
        count = machines(of, v).write_databases
        relay, cores = of.cores["relay"] / count, of.cores["PostgreSQL"] / count
        each = [of.rates["commands"] / count, 100 * relay, cores, of.disk["PostgreSQL"] / TB / count]
        rows.append([_number(authors), _number(count), *map(_number, each)])
    head = [
        "authors",
        "databases",
        "commands/s of each",
        "its relay, % of a core",
        "its cores",
        "its disk after a year, TB",
    ]
    return _table(head, rows)


def _figures(title: str, figures: dict[str, Figure]) -> str:
    rows = [[f"`{name}`", f"{each.value:,g}", each.unit, each.source] for name, each in figures.items()]
    return _table([title, "value", "unit", "from"], rows)


def _number(value: float) -> str:
    """Return a number with two digits that count, as a whole one from 10 on."""
    if value >= 10:  # noqa: PLR2004 - two digits
        digits = len(str(int(value))) - 2
        return f"{round(value, -digits):,.0f}"
    return f"{value:.2g}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
